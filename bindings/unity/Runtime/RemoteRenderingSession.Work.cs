using System;
using System.Threading;
using System.Threading.Tasks;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <content>How it does what is asked of it, and what it does by itself.</content>
    public sealed partial class RemoteRenderingSession
    {
        // Between two questions to a token provider that has failed.
        static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
        static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

        // NonSerialized: when scripts are compiled, the Editor carries over also private fields that it can serialize, and the
        // component would speak of a session that has ended.
        ArrClient client;
        CancellationTokenSource clientLife;
        ArrClient renewing;
        RenderingSession session;
        [NonSerialized] SessionStatus status;
        ITokenProvider provider;
        CancellationTokenSource life;
        Task<SessionProperties> starting;
        [NonSerialized] string startingId;
        [NonSerialized] string lastProblem;
        TimeSpan suspendLimit;
        [NonSerialized] bool suspended;

        void Start()
        {
            if (startAutomatically) StartSession();
        }

        void Update()
        {
            SessionPump.TickUnlessDone();
        }

        void OnApplicationPause(bool paused)
        {
            HeardOf(paused, true);
        }

        void OnApplicationFocus(bool focused)
        {
            HeardOf(!focused, false);
        }

        // Being back in any way ends a suspend; but not one that the application has made by itself.
        void HeardOf(bool away, bool pause)
        {
            if (settings == null || settings.SuspendOn == SuspendTrigger.Never) return;
            if (!away) Resume();
            else if (settings.SuspendsOn(pause)) Suspend();
        }

        void OnDestroy()
        {
            Close();
        }

        Task<SessionProperties> Begin(string id, CancellationToken cancellation)
        {
            if (IsStarting)
            {
                if (id == startingId) return starting;
                throw new InvalidOperationException("Another session is being started: stop or forget it before this one.");
            }
            if (Session != null)
            {
                throw new InvalidOperationException("There is a session already: stop or forget it before another one.");
            }
            lastProblem = null;
            life = new CancellationTokenSource();
            startingId = id;
            starting = BeginAsync(id, life, cancellation);
            return starting;
        }

        async Task<SessionProperties> BeginAsync(string id, CancellationTokenSource mine, CancellationToken cancellation)
        {
            RenderingSession begun = null;
            using (cancellation.Register(mine.Cancel))
            {
                CancellationToken end = mine.Token;
                try
                {
                    await EnsureClient(end);
                    end.ThrowIfCancellationRequested();
                    begun = await (id != null ? client.OpenSessionAsync(id, end) : CreateOrResume(end));
                    if (end.IsCancellationRequested)
                    {
                        begun.Dispose();
                        end.ThrowIfCancellationRequested();
                    }
                    Adopt(begun);
                    SessionProperties ready = await begun.WaitUntilReadyAsync(end);
                    if (ReferenceEquals(begun, session)) SetStatus(SessionStatus.Ready);
                    return ready;
                }
                catch (OperationCanceledException)
                {
                    // Given up by who asked for it. Stopping, forgetting and closing see to the session themselves.
                    if (cancellation.IsCancellationRequested && ReferenceEquals(mine, life)) GiveUp(id == null);
                    throw;
                }
                catch (ArrSessionEndedException problem)
                {
                    // An event may have told its end before.
                    if (ReferenceEquals(begun, session)) End(problem.Properties.Status);
                    Tell(problem);
                    throw;
                }
                catch (Exception problem)
                {
                    Tell(problem);
                    throw;
                }
            }
        }

        // Its start was cancelled after the session was there.
        void GiveUp(bool stop)
        {
            if (Session == null) return;
            if (stop) Observe(StopSessionAsync());
            else ForgetSession();
        }

        async Task<RenderingSession> CreateOrResume(CancellationToken cancellation)
        {
            CreateSessionOptions what = new CreateSessionOptions { Size = size, MaxLease = Lease };
            ArrClient asked = client;
            RenderingSession begun;
            bool isNew = true;
            if (!resumeEarlier && string.IsNullOrEmpty(sessionId))
            {
                begun = await asked.CreateSessionAsync(what, cancellation);
            }
            else
            {
                ResumeOptions fit = new ResumeOptions { SessionId = string.IsNullOrEmpty(sessionId) ? null : sessionId };
                ResumeResult found = await asked.ResumeOrCreateSessionAsync(what, fit, cancellation);
                begun = found.Session;
                isNew = !found.Resumed;
            }
            // Given up just now, by another thread: too late for the library to know.
            if (isNew && cancellation.IsCancellationRequested && !asked.IsDisposed) Observe(begun.StopAsync());
            return begun;
        }

        async Task EnsureClient(CancellationToken cancellation)
        {
            if (Client != null) return;
            TokenProviderBehaviour beside = GetComponent<TokenProviderBehaviour>();
            if (settings == null)
            {
                throw new InvalidOperationException("This component has no settings. Create some by Assets, Create, Remote Rendering,"
                    + " Settings, and set them as Settings of the Remote Rendering Session.");
            }
            string problem = settings.FindProblem(!Application.isEditor, beside != null) ?? FindProblem();
            if (problem != null) throw new InvalidOperationException(problem);

            string token = null;
            TokenKind kind = TokenKind.AccessToken;
            provider = null;
            if (settings.Credential == CredentialSource.TokenProvider)
            {
                provider = beside != null ? (ITokenProvider)beside : settings.TokenProvider;
                kind = provider.Kind;
                token = await provider.GetTokenAsync(cancellation);
                cancellation.ThrowIfCancellationRequested();
            }
            ArrClient made = new ArrClient(settings.ToOptions(token, kind));
            made.EventReceived += Received;
            made.LogReceived += Logged;
            client = made;
            clientLife = new CancellationTokenSource();
            suspendLimit = settings.SuspendLimit;
            suspended = false;
            SessionPump.Add(made, settings.ShutdownLimit, this);
        }

        // What is wrong with this component, with the fix; null if nothing is.
        string FindProblem()
        {
            if (leaseMinutes < 1) return "Lease Minutes is less than 1: give the lease of a new session.";
            if (keepAlive && leaseCapMinutes < leaseMinutes)
            {
                return "Keep Alive is on, but Lease Cap Minutes is less than Lease Minutes. Give the longest that the lease may become:"
                    + " it bounds what the session can cost.";
            }
            return null;
        }

        void Adopt(RenderingSession begun)
        {
            DropSession();
            session = begun;
            session.Tag = this;
            ApplyCare();
            SetStatus(session.GetSnapshot().Status);
        }

        // Tells the library how to look after the session.
        void ApplyCare()
        {
            RenderingSession now = Session;
            if (now == null) return;
            try
            {
                now.Watch(new WatchOptions
                {
                    WarnBefore = TimeSpan.FromMinutes(warnMinutes),
                    StopOnShutdown = stopOnQuit,
                    OnSuspend = onSuspend,
                    SuspendLease = TimeSpan.FromMinutes(suspendLeaseMinutes),
                });
                if (!keepAlive)
                {
                    now.EndKeepAlive();
                    return;
                }
                now.KeepAlive(new KeepAliveOptions
                {
                    Threshold = ExtendBelow,
                    Amount = ExtendBy,
                    Cap = LeaseCap,
                });
            }
            catch (ArrException problem)
            {
                Tell(problem);
            }
        }

        void Received(ArrEvent received)
        {
            if (EventReceived != null) EventReceived(received);
            if (received.Type == ArrEventType.TokenNeeded) RenewToken();
            else if (received.Type == ArrEventType.CreateLost && received.Count > 0)
            {
                Tell("The answer to a create was lost. Session " + received.SessionId + " may have come of it and may be running: open it by its"
                    + " id, or stop it.");
            }
            else if (received.Type == ArrEventType.SessionLeftRunning)
            {
                Tell("A create was given up after it had made session " + received.SessionId + ", which could not be stopped: open it by its id,"
                    + " or stop it.");
            }
            if (session == null || !ReferenceEquals(received.Session, session)) return;

            switch (received.Type)
            {
                case ArrEventType.SessionStatusChanged:
                    if (HasEnded(received.SessionStatus)) End(received.SessionStatus);
                    else SetStatus(received.SessionStatus);
                    break;
                case ArrEventType.LeaseExpiring:
                    Raise(onLeaseExpiring, (float)received.Remaining.TotalMinutes);
                    break;
                case ArrEventType.LeaseExtended:
                    Raise(onLeaseExtended, (float)received.MaxLease.TotalMinutes);
                    break;
                case ArrEventType.LeaseNotExtended:
                    Tell("The lease could not be extended (" + received.Status + "). It is tried again while there is time.");
                    break;
                case ArrEventType.LeaseCapReached:
                    Tell("The lease has grown to its cap and is not extended any more. Extend it by hand, or end in good order.");
                    break;
            }
        }

        // Until there is one, or the client has ended: the library asks once, and its calls wait.
        async void RenewToken()
        {
            ArrClient asking = client;
            if (ReferenceEquals(renewing, asking) || provider == null) return;
            renewing = asking;
            CancellationToken end = clientLife.Token;
            TimeSpan pause = ShortestPause;
            while (!await TryRenewToken(asking, end) && await Pass(pause, end))
            {
                pause = TimeSpan.FromSeconds(Math.Min(2 * pause.TotalSeconds, LongestPause.TotalSeconds));
            }
            if (ReferenceEquals(renewing, asking)) renewing = null;
        }

        async Task<bool> TryRenewToken(ArrClient asking, CancellationToken end)
        {
            try
            {
                string token = await provider.GetTokenAsync(end);
                if (!end.IsCancellationRequested) asking.SetToken(token);
                return true;
            }
            catch (Exception problem)
            {
                if (!end.IsCancellationRequested) Tell(problem);
                return false;
            }
        }

        // False: the end came first.
        static async Task<bool> Pass(TimeSpan time, CancellationToken end)
        {
            try
            {
                await Task.Delay(time, end);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        void Logged(ArrLogEntry entry)
        {
            string text = "Remote Rendering: " + entry.Message;
            if (!string.IsNullOrEmpty(entry.CorrelationVector)) text += " (MS-CV " + entry.CorrelationVector + ")";
            if (entry.Level == ArrLogLevel.Error) Debug.LogError(text, this);
            else if (entry.Level == ArrLogLevel.Warning) Debug.LogWarning(text, this);
            else Debug.Log(text, this);
        }

        void SetStatus(SessionStatus now)
        {
            if (now == status) return;
            status = now;
            Raise(onStatusChanged, now);
            if (now == SessionStatus.Ready && Session != null) Raise(onReady, session.GetProperties(ReadMode.Known).Hostname);
        }

        void End(SessionStatus how)
        {
            DropSession();
            SetStatus(how);
            Raise(onEnded, how);
        }

        void DropSession()
        {
            RenderingSession dropped = session;
            session = null;
            if (dropped != null) dropped.Dispose();
        }

        void Tell(Exception problem)
        {
            // Who gave up knows.
            if (problem is OperationCanceledException) return;
            Tell(problem.Message);
            if (ProblemOccurred != null) ProblemOccurred(problem);
        }

        void Tell(string problem)
        {
            lastProblem = problem;
            Debug.LogWarning("Remote Rendering: " + problem, this);
            Raise(onProblem, problem);
        }

        // What a listener throws is no failure of the session.
        void Raise<T>(UnityEngine.Events.UnityEvent<T> raised, T argument)
        {
            try
            {
                raised.Invoke(argument);
            }
            catch (Exception thrown)
            {
                Debug.LogException(thrown, this);
            }
        }

        // Failures are told by the events; nobody awaits this task.
        static void Observe(Task task)
        {
            task.ContinueWith(Ignore, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously);
        }

        static void Ignore(Task failed)
        {
            GC.KeepAlive(failed.Exception);
        }

        static bool HasEnded(SessionStatus status)
        {
            return status == SessionStatus.Stopped || status == SessionStatus.Expired || status == SessionStatus.Error;
        }

        static int ToMinutes(TimeSpan time)
        {
            return (int)Math.Ceiling(time.TotalMinutes);
        }
    }
}
