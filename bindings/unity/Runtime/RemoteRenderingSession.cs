using System;
using System.Threading;
using System.Threading.Tasks;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <summary>
    /// One rendering session: starts it, tells by events what becomes of it, keeps its lease as asked, and stops it when
    /// play mode or the application ends. Everything is to be called on the main thread, and everything is told there.
    /// The Editor calls it in edit mode too.
    /// </summary>
    [AddComponentMenu("Remote Rendering/Remote Rendering Session")]
    [DisallowMultipleComponent]
    public sealed partial class RemoteRenderingSession : MonoBehaviour
    {
        [Tooltip("Account and service: create one by Assets, Create, Remote Rendering, Settings.")]
        [SerializeField] RemoteRenderingSettings settings = null;

        [Header("Session")]
        [Tooltip("Start the session as soon as this component starts.")]
        [SerializeField] bool startAutomatically = false;
        [Tooltip("The size of the machine.")]
        [SerializeField] SessionSize size = SessionSize.Standard;
        [Tooltip("The lease of a new session, in minutes: it ends by itself then, whatever happens to this application.")]
        [Min(1)]
        [SerializeField] int leaseMinutes = 30;
        [Tooltip("Go on with a session that an earlier run has left, if there is one that is fit. Needs the settings' journal.")]
        [SerializeField] bool resumeEarlier = false;
        [Tooltip("Go on with the session of this id, if it is fit, before a new one is created.")]
        [SerializeField] string sessionId = "";

        [Header("Lease")]
        [Tooltip("Tell when less than this is left, in minutes.")]
        [Min(0)]
        [SerializeField] float warnMinutes = 5;
        [Tooltip("Extend the lease by itself while the application is alive, up to the cap.")]
        [SerializeField] bool keepAlive = false;
        [Tooltip("The longest that the whole lease may become, in minutes: it bounds what the session can cost. To be given for Keep Alive.")]
        [Min(0)]
        [SerializeField] int leaseCapMinutes = 0;
        [Tooltip("Extend when less than this is left, in minutes.")]
        [Min(1)]
        [SerializeField] int extendBelowMinutes = 5;
        [Tooltip("Extend by this, in minutes.")]
        [Min(1)]
        [SerializeField] int extendByMinutes = 15;

        [Header("Care")]
        [Tooltip("Stop the session when this component is destroyed, play mode ends, or the application quits.")]
        [SerializeField] bool stopOnQuit = true;
        [Tooltip("What is done with the session when the application is suspended.")]
        [SerializeField] SuspendAction onSuspend = SuspendAction.Leave;
        [Tooltip("For Extend: how much of the lease shall be left when the application is suspended, in minutes.")]
        [Min(1)]
        [SerializeField] int suspendLeaseMinutes = 10;

        [Header("Events")]
        [Tooltip("The session is ready; the text is its host name.")]
        [SerializeField] SessionTextEvent onReady = new SessionTextEvent();
        [Tooltip("The session has another status.")]
        [SerializeField] SessionStatusEvent onStatusChanged = new SessionStatusEvent();
        [Tooltip("The session has ended: stopped, expired or failed.")]
        [SerializeField] SessionStatusEvent onEnded = new SessionStatusEvent();
        [Tooltip("The lease ends in so many minutes.")]
        [SerializeField] SessionMinutesEvent onLeaseExpiring = new SessionMinutesEvent();
        [Tooltip("Keep Alive has extended the whole lease to so many minutes.")]
        [SerializeField] SessionMinutesEvent onLeaseExtended = new SessionMinutesEvent();
        [Tooltip("Something went wrong; the text says what, and what to do.")]
        [SerializeField] SessionTextEvent onProblem = new SessionTextEvent();

        /// <summary>Every event of the client and its sessions, for what the other events do not tell.</summary>
        public event Action<ArrEvent> EventReceived;

        /// <summary>Something went wrong. What was awaited throws the same.</summary>
        public event Action<Exception> ProblemOccurred;

        /// <summary>Account and service. Takes effect with the next client: after <see cref="Close"/>, if there is one.</summary>
        public RemoteRenderingSettings Settings
        {
            get { return settings; }
            set { settings = value; }
        }

        /// <summary>Whether the session is started as soon as this component starts.</summary>
        public bool StartAutomatically
        {
            get { return startAutomatically; }
            set { startAutomatically = value; }
        }

        /// <summary>The size of the machine. Takes effect with the next session.</summary>
        public SessionSize Size
        {
            get { return size; }
            set { size = value; }
        }

        /// <summary>The lease of a new session. At least a minute.</summary>
        public TimeSpan Lease
        {
            get { return TimeSpan.FromMinutes(leaseMinutes); }
            set { leaseMinutes = ToMinutes(value); }
        }

        /// <summary>Whether a session that an earlier run has left is gone on with.</summary>
        public bool ResumeEarlier
        {
            get { return resumeEarlier; }
            set { resumeEarlier = value; }
        }

        /// <summary>The id of the session to go on with, before a new one is created; empty for none.</summary>
        public string PreferredSessionId
        {
            get { return sessionId; }
            set { sessionId = value ?? ""; }
        }

        /// <summary>Whether the lease is extended by itself, up to <see cref="LeaseCap"/>. Takes effect at once.</summary>
        public bool KeepAlive
        {
            get { return keepAlive; }
            set
            {
                keepAlive = value;
                ApplyCare();
            }
        }

        /// <summary>The longest that the whole lease may become by keeping alive. Takes effect at once.</summary>
        public TimeSpan LeaseCap
        {
            get { return TimeSpan.FromMinutes(leaseCapMinutes); }
            set
            {
                leaseCapMinutes = ToMinutes(value);
                ApplyCare();
            }
        }

        /// <summary>The lease is extended when less than this is left. At least a minute. Takes effect at once.</summary>
        public TimeSpan ExtendBelow
        {
            get { return TimeSpan.FromMinutes(extendBelowMinutes); }
            set
            {
                extendBelowMinutes = ToMinutes(value);
                ApplyCare();
            }
        }

        /// <summary>The lease is extended by this much. At least a minute. Takes effect at once.</summary>
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
        /// Whether the session is stopped when this component is destroyed, play mode ends, or the application quits. Takes
        /// effect at once.
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

        /// <summary>What is done with the session when the application is suspended. Takes effect at once.</summary>
        public SuspendAction OnSuspend
        {
            get { return onSuspend; }
            set
            {
                onSuspend = value;
                ApplyCare();
            }
        }

        /// <summary>The session is ready: its host name.</summary>
        public SessionTextEvent OnReady
        {
            get { return onReady; }
        }

        /// <summary>The session has another status.</summary>
        public SessionStatusEvent OnStatusChanged
        {
            get { return onStatusChanged; }
        }

        /// <summary>The session has ended: stopped, expired or failed.</summary>
        public SessionStatusEvent OnEnded
        {
            get { return onEnded; }
        }

        /// <summary>The lease ends in so many minutes.</summary>
        public SessionMinutesEvent OnLeaseExpiring
        {
            get { return onLeaseExpiring; }
        }

        /// <summary>Keeping alive has extended the whole lease to so many minutes.</summary>
        public SessionMinutesEvent OnLeaseExtended
        {
            get { return onLeaseExtended; }
        }

        /// <summary>Something went wrong: what, and what to do.</summary>
        public SessionTextEvent OnProblem
        {
            get { return onProblem; }
        }

        /// <summary>The client, or null before the first session is asked for and after <see cref="Close"/>.</summary>
        public ArrClient Client
        {
            get { return client != null && !client.IsDisposed ? client : null; }
        }

        /// <summary>The session, or null if there is none that lives.</summary>
        public RenderingSession Session
        {
            get { return Client != null && session != null && !session.IsDisposed ? session : null; }
        }

        /// <summary>What is known of the session. After its end its last status; <c>Unknown</c> before there is one.</summary>
        public SessionStatus Status
        {
            get { return status; }
        }

        /// <summary>Whether a session is being started or opened.</summary>
        public bool IsStarting
        {
            get { return starting != null && !starting.IsCompleted; }
        }

        /// <summary>Whether the application is suspended.</summary>
        public bool IsSuspended
        {
            get { return suspended; }
        }

        /// <summary>What went wrong last, with what to do; null if nothing did since the last start.</summary>
        public string LastProblem
        {
            get { return lastProblem; }
        }

        /// <summary>
        /// The session in numbers, as it is now; all zero if there is none. For every frame: sends nothing, allocates
        /// nothing.
        /// </summary>
        public SessionSnapshot Snapshot
        {
            get
            {
                RenderingSession now = Session;
                return now != null ? now.GetSnapshot() : default(SessionSnapshot);
            }
        }

        /// <summary>What remains of the lease; zero without a session.</summary>
        public TimeSpan Remaining
        {
            get { return Snapshot.Remaining; }
        }

        /// <summary>
        /// Creates the session, or goes on with the preferred or an earlier one, and waits until it is ready. While that is
        /// under way, further calls are for the same session.
        /// </summary>
        /// <param name="cancellation">Gives the session up: one that was created is stopped.</param>
        /// <exception cref="InvalidOperationException">The settings lack something, or there is a session already.</exception>
        /// <exception cref="ArrException">What the service or the network had against it.</exception>
        public Task<SessionProperties> StartSessionAsync(CancellationToken cancellation = default(CancellationToken))
        {
            return Begin(null, cancellation);
        }

        /// <summary>Goes on with the session of this id, and waits until it is ready.</summary>
        /// <param name="id">The session's id.</param>
        /// <param name="cancellation">Lets the session go again. It is not stopped.</param>
        /// <exception cref="InvalidOperationException">The settings lack something, or there is a session already.</exception>
        /// <exception cref="ArrException">What the service or the network had against it.</exception>
        public Task<SessionProperties> OpenSessionAsync(string id, CancellationToken cancellation = default(CancellationToken))
        {
            if (string.IsNullOrEmpty(id)) throw new ArgumentException("give the session's id", "id");
            return Begin(id, cancellation);
        }

        /// <summary>
        /// Stops the session. One that is being created is given up, and stopped as soon as its id is known.
        /// </summary>
        /// <exception cref="InvalidOperationException">There is no session.</exception>
        /// <exception cref="ArrException">It could not be stopped and may be running.</exception>
        public async Task StopSessionAsync(CancellationToken cancellation = default(CancellationToken))
        {
            RenderingSession stopping = Session;
            if (stopping == null && !IsStarting)
            {
                throw new InvalidOperationException("There is no session to stop: start or open one first.");
            }
            // Nobody shall wait for its readiness any longer; a create is given up by this.
            if (IsStarting) life.Cancel();
            if (stopping == null) return;
            try
            {
                await stopping.StopAsync(cancellation);
            }
            catch (Exception problem)
            {
                Tell(problem);
                throw;
            }
            if (ReferenceEquals(stopping, session)) End(SessionStatus.Stopped);
        }

        /// <summary>Makes the lease longer by so much, whatever the cap of keeping alive says.</summary>
        /// <param name="by">At least a minute; whole seconds.</param>
        /// <param name="cancellation">Does not wait for it any longer.</param>
        /// <exception cref="InvalidOperationException">There is no session.</exception>
        /// <exception cref="ArrException">What the service or the network had against it.</exception>
        public async Task<SessionProperties> ExtendLeaseAsync(TimeSpan by, CancellationToken cancellation = default(CancellationToken))
        {
            RenderingSession extended = Session;
            if (extended == null) throw new InvalidOperationException("There is no session to extend: start or open one first.");
            try
            {
                return await extended.UpdateLeaseAsync(extended.GetSnapshot().MaxLease + by, cancellation);
            }
            catch (Exception problem)
            {
                Tell(problem);
                throw;
            }
        }

        /// <summary>Starts the session, unless there is one. How it goes is told by the events.</summary>
        public void StartSession()
        {
            if (Session == null && !IsStarting) Observe(StartSessionAsync());
        }

        /// <summary>Stops the session. How it goes is told by the events.</summary>
        public void StopSession()
        {
            if (Session != null || IsStarting) Observe(StopSessionAsync());
        }

        /// <summary>Makes the lease longer. How it goes is told by the events.</summary>
        /// <param name="minutes">By how many minutes.</param>
        public void ExtendLease(float minutes)
        {
            if (Session != null) Observe(ExtendLeaseAsync(TimeSpan.FromMinutes(minutes)));
        }

        /// <summary>
        /// Lets the session go without stopping it: it runs until its lease ends or somebody stops it. One that is being
        /// created is given up, and stopped.
        /// </summary>
        public void ForgetSession()
        {
            if (life != null) life.Cancel();
            starting = null;
            DropSession();
            SetStatus(SessionStatus.Unknown);
        }

        /// <summary>
        /// The application is about to be suspended: the session is left, extended or stopped, as <see cref="OnSuspend"/>
        /// says. Blocks for at most the settings' <see cref="RemoteRenderingSettings.SuspendLimit"/>. Unity's pause does it
        /// where <see cref="RemoteRenderingSettings.SuspendOn"/> says so.
        /// </summary>
        public void Suspend()
        {
            if (suspended || Client == null) return;
            suspended = true;
            try
            {
                // False: not all was done in time. It goes on, as far as the system lets it.
                client.Suspend(suspendLimit);
            }
            catch (ArrException problem)
            {
                Tell(problem);
            }
        }

        /// <summary>The application is back: the session is read anew.</summary>
        public void Resume()
        {
            if (!suspended) return;
            suspended = false;
            if (Client != null) client.Resume();
        }

        /// <summary>
        /// Ends the client without waiting: everything pending is cancelled, and a session with <see cref="StopOnQuit"/> is
        /// stopped in the background. The next start makes a new client. Destroying the component does the same.
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
                // With StopOnQuit the library goes on to stop the session.
                ending.Dispose();
            }
            DropSession();
        }
    }
}
