using System;
using System.Threading;
using System.Threading.Tasks;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <content>Implementation and automatic behaviour.</content>
    public sealed partial class RemoteRenderingSession
    {
        // The pause between requests to a token provider that failed.
        static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
        static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

        // NonSerialized: on a script reload the Editor restores even private fields it can serialize, and the component
        // would show a session that has ended.
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
        [NonSerialized] bool readsAreFailing;

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
            AwayChanged(paused, true);
        }

        void OnApplicationFocus(bool focused)
        {
            AwayChanged(!focused, false);
        }

        // Any return to the application ends a suspend, except with Never: then only the application's own calls count.
        void AwayChanged(bool away, bool pause)
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
                throw new InvalidOperationException("Another session is starting. Stop or forget it first.");
            }
            if (Session != null)
            {
                throw new InvalidOperationException("There is a session already. Stop or forget it first.");
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
            bool isNew = false;
            using (cancellation.Register(mine.Cancel))
            {
                CancellationToken end = mine.Token;
                try
                {
                    await EnsureClient(end);
                    end.ThrowIfCancellationRequested();
                    ReuseResult found = await Obtain(id, end);
                    begun = found.Session;
                    isNew = !found.Reused;
                    if (end.IsCancellationRequested)
                    {
                        // Cancelled by another thread after the create had ended, so the library does not stop it.
                        if (isNew && !begun.Client.IsDisposed) Observe(StopAsync(begun, CancellationToken.None));
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
                    // The caller cancelled. Stop, forget and close handle the session themselves.
                    if (cancellation.IsCancellationRequested && ReferenceEquals(mine, life)) GiveUp(isNew);
                    throw;
                }
                catch (ArrSessionEndedException problem)
                {
                    // An event may have reported the end already.
                    if (ReferenceEquals(begun, session)) End(problem.Properties.Status);
                    Report(problem);
                    throw;
                }
                catch (Exception problem)
                {
                    Report(problem);
                    throw;
                }
            }
        }

        // The start was cancelled after the session existed.
        void GiveUp(bool stop)
        {
            if (Session == null) return;
            if (stop) Observe(StopSessionAsync());
            else ForgetSession();
        }

        // Opens the session with this id; without an id, reuses one or creates one.
        async Task<ReuseResult> Obtain(string id, CancellationToken cancellation)
        {
            if (id != null) return new ReuseResult(await client.OpenSessionAsync(id, cancellation), true);
            CreateSessionOptions what = new CreateSessionOptions { Size = size, MaxLease = Lease };
            if (!reuseEarlier && string.IsNullOrEmpty(sessionId))
            {
                return new ReuseResult(await client.CreateSessionAsync(what, cancellation), false);
            }
            ReuseOptions fit = new ReuseOptions { SessionId = sessionId };
            return await client.ReuseOrCreateSessionAsync(what, fit, cancellation);
        }

        async Task StopAsync(RenderingSession stopping, CancellationToken cancellation)
        {
            try
            {
                await stopping.StopAsync(cancellation);
            }
            catch (Exception problem)
            {
                Report(problem);
                throw;
            }
        }

        async Task EnsureClient(CancellationToken cancellation)
        {
            if (Client != null) return;
            TokenProviderBehaviour beside = GetComponent<TokenProviderBehaviour>();
            if (settings == null)
            {
                throw new InvalidOperationException("This component has no settings. Create them with Assets > Create > Remote Rendering"
                    + " > Settings, and assign them to Settings of the Remote Rendering Session.");
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

        // What is wrong with this component, and how to fix it; null if nothing is.
        string FindProblem()
        {
            if (leaseMinutes < 1) return "Lease Minutes is less than 1. Set the lease of a new session.";
            if (keepAlive && leaseCapMinutes < leaseMinutes)
            {
                return "Keep Alive is on, but Lease Cap Minutes is less than Lease Minutes. Set the longest that the lease may become:"
                    + " it bounds what the session can cost.";
            }
            return null;
        }

        void Adopt(RenderingSession begun)
        {
            DropSession();
            session = begun;
            session.Tag = this;
            readsAreFailing = false;
            ApplyCare();
            SetStatus(session.GetSnapshot().Status);
        }

        // Applies the options for watching and keep-alive.
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
                Report(problem);
            }
        }

        void Received(ArrEvent received)
        {
            if (EventReceived != null) EventReceived(received);
            if (received.Type == ArrEventType.TokenNeeded) RenewToken();
            else if (received.Type == ArrEventType.CreateLost && !string.IsNullOrEmpty(received.SessionId))
            {
                Report("The reply to a create was lost. Session " + received.SessionId + " may be the result and may be running: open it by its id"
                    + " to use or stop it.");
            }
            else if (received.Type == ArrEventType.SessionLeftRunning)
            {
                Report("A create was cancelled after it had created session " + received.SessionId + ", and stopping that session failed: it may be"
                    + " running. Open it by its id to stop it.");
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
                    Report("The lease could not be extended (" + received.Status + "). Retrying while there is time.");
                    break;
                case ArrEventType.StartingLong:
                    Report("The session is taking unusually long to start. Wait, or stop it and start another, perhaps of another size.");
                    Raise(onStartingLong, (float)Snapshot.StartingFor.TotalMinutes);
                    break;
                case ArrEventType.ReadsFailing:
                    readsAreFailing = true;
                    Report("The session cannot be read (" + received.Status + "), so the values shown may be outdated. Retrying.");
                    Raise(onReadsFailing, received.Status.ToString());
                    break;
                case ArrEventType.ReadsRecovered:
                    readsAreFailing = false;
                    Raise(onReadsRecovered, received.SessionStatus);
                    break;
                case ArrEventType.LeaseCapReached:
                    Report("The lease has reached its cap and is no longer extended. Extend it manually, or finish before it ends.");
                    break;
            }
        }

        // Retries until it has a token or the client has ended: the library asks only once, and its calls wait.
        async void RenewToken()
        {
            ArrClient asking = client;
            if (ReferenceEquals(renewing, asking) || provider == null) return;
            renewing = asking;
            CancellationToken end = clientLife.Token;
            TimeSpan pause = ShortestPause;
            while (!await TryRenewToken(asking, end) && await Delay(pause, end))
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
                if (!end.IsCancellationRequested) Report(problem);
                return false;
            }
        }

        // False if cancelled first.
        static async Task<bool> Delay(TimeSpan time, CancellationToken end)
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

        void Report(Exception problem)
        {
            // The caller cancelled and knows.
            if (problem is OperationCanceledException) return;
            Report(problem.Message);
            if (ProblemOccurred != null) ProblemOccurred(problem);
        }

        void Report(string problem)
        {
            lastProblem = problem;
            Debug.LogWarning("Remote Rendering: " + problem, this);
            Raise(onProblem, problem);
        }

        // An exception in a listener is not a failure of the session.
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

        // Events report failures; no code awaits this task.
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
