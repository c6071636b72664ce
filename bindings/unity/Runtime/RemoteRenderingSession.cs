using System;
using System.Threading;
using System.Threading.Tasks;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <summary>
    /// One rendering session: starts it, reports its state by events, keeps its lease alive if asked, and stops it when
    /// play mode or the application ends. Main thread only; events are raised there. Also works in edit mode, where the Editor's
    /// updates pump it.
    /// </summary>
    [AddComponentMenu("Remote Rendering/Remote Rendering Session")]
    [DisallowMultipleComponent]
    public sealed partial class RemoteRenderingSession : MonoBehaviour
    {
        [Tooltip("The settings asset with account and service. Create one with Assets > Create > Remote Rendering > Settings.")]
        [SerializeField] RemoteRenderingSettings settings = null;

        [Header("Session")]
        [Tooltip("Start the session when this component starts.")]
        [SerializeField] bool startAutomatically = false;
        [Tooltip("The size of the server.")]
        [SerializeField] SessionSize size = SessionSize.Standard;
        [Tooltip("The lease of a new session, in minutes. When it runs out, the session ends, even if this application has crashed.")]
        [Min(1)]
        [SerializeField] int leaseMinutes = 30;
        [Tooltip("Reuse a session that an earlier run left running, if it has this size and 10 minutes left. Needs Journal in the settings.")]
        [SerializeField] bool reuseEarlier = false;
        [Tooltip("Reuse the session with this id, if it has this size and 10 minutes left, before creating one. Empty: none.")]
        [SerializeField] string sessionId = "";

        [Header("Lease")]
        [Tooltip("Raise On Lease Expiring when less than this is left, in minutes. 0: never.")]
        [Min(0)]
        [SerializeField] float warnMinutes = 5;
        [Tooltip("Extend the lease automatically, up to the cap, while the application is alive.")]
        [SerializeField] bool keepAlive = false;
        [Tooltip("The longest that the total lease may become, in minutes. Required for Keep Alive: it bounds what the session can cost.")]
        [Min(0)]
        [SerializeField] int leaseCapMinutes = 0;
        [Tooltip("Keep Alive extends the lease when less than this is left, in minutes.")]
        [Min(1)]
        [SerializeField] int extendBelowMinutes = 5;
        [Tooltip("Keep Alive extends the lease by this, in minutes.")]
        [Min(1)]
        [SerializeField] int extendByMinutes = 15;

        [Header("Quit and Suspend")]
        [Tooltip("Stop the session when this component is destroyed, play mode ends, or the application quits.")]
        [SerializeField] bool stopOnQuit = true;
        [Tooltip("What happens to the session when the application is suspended.")]
        [SerializeField] SuspendAction onSuspend = SuspendAction.Leave;
        [Tooltip("For Extend: on suspend, the lease is extended if less than this is left, so that this much is left, in minutes; but not beyond Keep Alive's cap.")]
        [Min(1)]
        [SerializeField] int suspendLeaseMinutes = 10;

        [Header("Events")]
        [Tooltip("The session is ready. Passes its host name.")]
        [SerializeField] SessionTextEvent onReady = new SessionTextEvent();
        [Tooltip("The session has a new status.")]
        [SerializeField] SessionStatusEvent onStatusChanged = new SessionStatusEvent();
        [Tooltip("The session was stopped, expired or failed.")]
        [SerializeField] SessionStatusEvent onEnded = new SessionStatusEvent();
        [Tooltip("The lease is about to end. Passes the minutes left.")]
        [SerializeField] SessionMinutesEvent onLeaseExpiring = new SessionMinutesEvent();
        [Tooltip("Keep Alive extended the lease. Passes the total lease in minutes.")]
        [SerializeField] SessionMinutesEvent onLeaseExtended = new SessionMinutesEvent();
        [Tooltip("The session has been starting for 15 minutes or more. Passes the minutes.")]
        [SerializeField] SessionMinutesEvent onStartingLong = new SessionMinutesEvent();
        [Tooltip("The session could not be read for a minute or more, so the values shown may be outdated. Passes the reason.")]
        [SerializeField] SessionTextEvent onReadsFailing = new SessionTextEvent();
        [Tooltip("The session can be read again. Passes its status.")]
        [SerializeField] SessionStatusEvent onReadsRecovered = new SessionStatusEvent();
        [Tooltip("Something failed. Passes what failed and what to do about it.")]
        [SerializeField] SessionTextEvent onProblem = new SessionTextEvent();

        /// <summary>
        /// Raised for every event of the client and its sessions, including those without a specific event here.
        /// </summary>
        public event Action<ArrEvent> EventReceived;

        /// <summary>
        /// Raised when an operation or a token provider failed. If the operation's task is awaited, it throws the same
        /// exception. Problems without an exception, such as a lease at its cap, reach only <see cref="OnProblem"/>.
        /// </summary>
        public event Action<Exception> ProblemOccurred;

        /// <summary>
        /// The account and service. Takes effect when the next client is created; if there is a client already, call
        /// <see cref="Close"/> first.
        /// </summary>
        public RemoteRenderingSettings Settings
        {
            get { return settings; }
            set { settings = value; }
        }

        /// <summary>Whether to start the session when this component starts. Default false.</summary>
        public bool StartAutomatically
        {
            get { return startAutomatically; }
            set { startAutomatically = value; }
        }

        /// <summary>The server's size. Takes effect with the next session.</summary>
        public SessionSize Size
        {
            get { return size; }
            set { size = value; }
        }

        /// <summary>The lease of a new session, in whole minutes, rounded up. At least 1; default 30.</summary>
        public TimeSpan Lease
        {
            get { return TimeSpan.FromMinutes(leaseMinutes); }
            set { leaseMinutes = ToMinutes(value); }
        }

        /// <summary>Whether to reuse a session that an earlier run left running. Default false.</summary>
        public bool ReuseEarlier
        {
            get { return reuseEarlier; }
            set { reuseEarlier = value; }
        }

        /// <summary>The id of a session to reuse, if suitable, before creating one; empty for none.</summary>
        public string PreferredSessionId
        {
            get { return sessionId; }
            set { sessionId = value ?? ""; }
        }

        /// <summary>Whether to extend the lease automatically, up to <see cref="LeaseCap"/>. Takes effect at once.</summary>
        public bool KeepAlive
        {
            get { return keepAlive; }
            set
            {
                keepAlive = value;
                ApplyCare();
            }
        }

        /// <summary>
        /// The longest that <see cref="KeepAlive"/> may make the total lease, in whole minutes. Takes effect at once.
        /// </summary>
        public TimeSpan LeaseCap
        {
            get { return TimeSpan.FromMinutes(leaseCapMinutes); }
            set
            {
                leaseCapMinutes = ToMinutes(value);
                ApplyCare();
            }
        }

        /// <summary>
        /// <see cref="KeepAlive"/> extends the lease when less than this is left. Whole minutes, at least 1; default 5.
        /// Takes effect at once.
        /// </summary>
        public TimeSpan ExtendBelow
        {
            get { return TimeSpan.FromMinutes(extendBelowMinutes); }
            set
            {
                extendBelowMinutes = ToMinutes(value);
                ApplyCare();
            }
        }

        /// <summary>
        /// <see cref="KeepAlive"/> extends the lease by this. Whole minutes, at least 1; default 15. Takes effect at once.
        /// </summary>
        public TimeSpan ExtendBy
        {
            get { return TimeSpan.FromMinutes(extendByMinutes); }
            set
            {
                extendByMinutes = ToMinutes(value);
                ApplyCare();
            }
        }

        /// <summary>
        /// Whether to stop the session when this component is destroyed, play mode ends, or the application quits. Default
        /// true. Takes effect at once.
        /// </summary>
        public bool StopOnQuit
        {
            get { return stopOnQuit; }
            set
            {
                stopOnQuit = value;
                ApplyCare();
            }
        }

        /// <summary>What happens to the session when the application is suspended. Takes effect at once.</summary>
        public SuspendAction OnSuspend
        {
            get { return onSuspend; }
            set
            {
                onSuspend = value;
                ApplyCare();
            }
        }

        /// <summary>The session is ready. Passes its host name.</summary>
        public SessionTextEvent OnReady
        {
            get { return onReady; }
        }

        /// <summary>The session has a new status.</summary>
        public SessionStatusEvent OnStatusChanged
        {
            get { return onStatusChanged; }
        }

        /// <summary>The session was stopped, expired or failed.</summary>
        public SessionStatusEvent OnEnded
        {
            get { return onEnded; }
        }

        /// <summary>The lease is about to end. Passes the minutes left.</summary>
        public SessionMinutesEvent OnLeaseExpiring
        {
            get { return onLeaseExpiring; }
        }

        /// <summary><see cref="KeepAlive"/> extended the lease. Passes the total lease in minutes.</summary>
        public SessionMinutesEvent OnLeaseExtended
        {
            get { return onLeaseExtended; }
        }

        /// <summary>The session has been starting for 15 minutes or more. Passes the minutes.</summary>
        public SessionMinutesEvent OnStartingLong
        {
            get { return onStartingLong; }
        }

        /// <summary>
        /// The session could not be read for a minute or more, so cached properties may be outdated. Passes the reason.
        /// </summary>
        public SessionTextEvent OnReadsFailing
        {
            get { return onReadsFailing; }
        }

        /// <summary>The session was read after <see cref="OnReadsFailing"/>. Passes its status.</summary>
        public SessionStatusEvent OnReadsRecovered
        {
            get { return onReadsRecovered; }
        }

        /// <summary>Something failed. Passes what failed and what to do about it.</summary>
        public SessionTextEvent OnProblem
        {
            get { return onProblem; }
        }

        /// <summary>The client; null before the first start and after <see cref="Close"/>.</summary>
        public ArrClient Client
        {
            get { return client != null && !client.IsDisposed ? client : null; }
        }

        /// <summary>The current session; null if there is none.</summary>
        public RenderingSession Session
        {
            get { return Client != null && session != null && !session.IsDisposed ? session : null; }
        }

        /// <summary>
        /// The session's status. After the session ends, its final status; <c>Unknown</c> before the first session and after
        /// <see cref="ForgetSession"/> or <see cref="Close"/>.
        /// </summary>
        public SessionStatus Status
        {
            get { return status; }
        }

        /// <summary>Whether a session is being started or opened.</summary>
        public bool IsStarting
        {
            get { return starting != null && !starting.IsCompleted; }
        }

        /// <summary>
        /// Whether the session has been unreadable for a minute or more, so that cached properties may be outdated.
        /// </summary>
        public bool ReadsAreFailing
        {
            get { return Session != null && readsAreFailing; }
        }

        /// <summary>Whether the application is suspended.</summary>
        public bool IsSuspended
        {
            get { return suspended; }
        }

        /// <summary>The last problem and what to do about it; null if there was none since the last start.</summary>
        public string LastProblem
        {
            get { return lastProblem; }
        }

        /// <summary>
        /// The session's current values, with times computed up to this moment; all zero without a session. Cheap enough for
        /// every frame: sends nothing, allocates nothing.
        /// </summary>
        public SessionSnapshot Snapshot
        {
            get
            {
                RenderingSession now = Session;
                return now != null ? now.GetSnapshot() : default(SessionSnapshot);
            }
        }

        /// <summary>What is left of the lease; zero without a session.</summary>
        public TimeSpan Remaining
        {
            get { return Snapshot.Remaining; }
        }

        /// <summary>
        /// Creates a session, or reuses the preferred or an earlier one, and waits until it is ready. While a start is in
        /// progress, further calls return its task.
        /// </summary>
        /// <param name="cancellation">
        /// Cancels the start. A session that it created is stopped; a reused one is released and runs on.
        /// </param>
        /// <exception cref="InvalidOperationException">
        /// The settings are incomplete, there is a session already, or <see cref="OpenSessionAsync"/> is in progress.
        /// </exception>
        /// <exception cref="ArrException">The service refused the request, or the network failed.</exception>
        public Task<SessionProperties> StartSessionAsync(CancellationToken cancellation = default(CancellationToken))
        {
            return Begin(null, cancellation);
        }

        /// <summary>
        /// Opens the session with this id and waits until it is ready. Meanwhile, further calls with this id return the same
        /// task.
        /// </summary>
        /// <param name="id">The session's id.</param>
        /// <param name="cancellation">Cancels the call. The session is released, not stopped.</param>
        /// <exception cref="InvalidOperationException">
        /// The settings are incomplete, there is a session already, or another is being started or opened.
        /// </exception>
        /// <exception cref="ArrException">The service refused the request, or the network failed.</exception>
        public Task<SessionProperties> OpenSessionAsync(string id, CancellationToken cancellation = default(CancellationToken))
        {
            if (string.IsNullOrEmpty(id)) throw new ArgumentException("must not be empty", "id");
            return Begin(id, cancellation);
        }

        /// <summary>
        /// Stops the session, or cancels its start. A session that is being created is stopped as soon as its id arrives.
        /// </summary>
        /// <exception cref="InvalidOperationException">There is no session.</exception>
        /// <exception cref="ArrException">The stop failed: the session may still be running.</exception>
        public async Task StopSessionAsync(CancellationToken cancellation = default(CancellationToken))
        {
            RenderingSession stopping = Session;
            if (stopping == null && !IsStarting)
            {
                throw new InvalidOperationException("There is no session to stop. Start or open one first.");
            }
            // Ends the wait for readiness, or cancels the create.
            if (IsStarting) life.Cancel();
            if (stopping == null) return;
            await StopAsync(stopping, cancellation);
            if (ReferenceEquals(stopping, session)) End(SessionStatus.Stopped);
        }

        /// <summary>Extends the lease, even beyond <see cref="LeaseCap"/>.</summary>
        /// <param name="by">How much to add; rounded up to whole seconds.</param>
        /// <param name="cancellation">Cancels the task.</param>
        /// <exception cref="InvalidOperationException">There is no session.</exception>
        /// <exception cref="ArrException">The service refused the request, or the network failed.</exception>
        public async Task<SessionProperties> ExtendLeaseAsync(TimeSpan by, CancellationToken cancellation = default(CancellationToken))
        {
            RenderingSession extended = Session;
            if (extended == null) throw new InvalidOperationException("There is no session to extend. Start or open one first.");
            try
            {
                return await extended.UpdateLeaseAsync(extended.GetSnapshot().MaxLease + by, cancellation);
            }
            catch (Exception problem)
            {
                Report(problem);
                throw;
            }
        }

        /// <summary>Starts a session, unless there is one. Events report the outcome.</summary>
        public void StartSession()
        {
            if (Session == null && !IsStarting) Observe(StartSessionAsync());
        }

        /// <summary>Stops the session. Events report the outcome.</summary>
        public void StopSession()
        {
            if (Session != null || IsStarting) Observe(StopSessionAsync());
        }

        /// <summary>Extends the lease. Events report the outcome.</summary>
        /// <param name="minutes">How many minutes to add.</param>
        public void ExtendLease(float minutes)
        {
            if (Session != null) Observe(ExtendLeaseAsync(TimeSpan.FromMinutes(minutes)));
        }

        /// <summary>
        /// Releases the session without stopping it: it runs until its lease ends or it is stopped elsewhere. A session
        /// that is being created is stopped.
        /// </summary>
        public void ForgetSession()
        {
            if (life != null) life.Cancel();
            starting = null;
            DropSession();
            SetStatus(SessionStatus.Unknown);
        }

        /// <summary>
        /// Suspends: leaves, extends or stops the session according to <see cref="OnSuspend"/>. Blocks for at most
        /// <see cref="RemoteRenderingSettings.SuspendLimit"/>. Called automatically when Unity pauses the application,
        /// subject to <see cref="RemoteRenderingSettings.SuspendOn"/>.
        /// </summary>
        public void Suspend()
        {
            if (suspended || Client == null) return;
            suspended = true;
            try
            {
                // False means unfinished work, which continues for as long as the system allows.
                client.Suspend(suspendLimit);
            }
            catch (ArrException problem)
            {
                Report(problem);
            }
        }

        /// <summary>Ends a suspend and polls the session.</summary>
        public void Resume()
        {
            if (!suspended) return;
            suspended = false;
            if (Client != null) client.Resume();
        }

        /// <summary>
        /// Ends the client without waiting: cancels everything pending and, if <see cref="StopOnQuit"/> is set, stops the
        /// session in the background. The next start creates a new client. Called when the component is destroyed.
        /// </summary>
        public void Close()
        {
            if (life != null) life.Cancel();
            life = null;
            ArrClient ending = client;
            client = null;
            starting = null;
            status = SessionStatus.Unknown;
            suspended = false;
            if (ending != null)
            {
                ending.EventReceived -= Received;
                ending.LogReceived -= Logged;
                SessionPump.Remove(ending);
                clientLife.Cancel();
                // With StopOnQuit, the library stops the session in the background.
                ending.Dispose();
            }
            DropSession();
        }
    }
}
