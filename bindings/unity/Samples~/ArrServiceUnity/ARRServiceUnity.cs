using System;
using System.Threading;
using System.Threading.Tasks;
using ArrSession.Unity;
using UnityEngine;

namespace ArrSession.Compatibility
{
    /// <summary>
    /// For code written against Microsoft's component <c>ARRServiceUnity</c>: replace the using lines for
    /// <c>Microsoft.Azure.RemoteRendering</c> and <c>Microsoft.Azure.RemoteRendering.Unity</c> with
    /// <c>ArrSession.Compatibility</c>. Covers sessions only, not rendering. One difference affects cost, so it is a
    /// setting: the lease is renewed up to a cap, not forever.
    /// </summary>
    [DisallowMultipleComponent]
    public sealed class ARRServiceUnity : MonoBehaviour
    {
        public delegate void SessionEvent(ARRServiceUnity caller, RenderingSession session);

        public delegate void SessionError(ARRServiceUnity caller, SessionGeneralContext context);

        [Tooltip("Extend the lease when it runs low, up to the cap.")]
        [SerializeField] bool autoRenewLease = true;
        [Tooltip("Extend when less than this is left, in minutes.")]
        [Min(5)]
        [SerializeField] int autoRenewLeaseThresholdMinutes = 5;
        [Tooltip("Extend by this, in minutes.")]
        [Min(10)]
        [SerializeField] int autoRenewLeaseAmountMinutes = 15;
        [Tooltip("The longest that automatic renewal may make the total lease, in minutes.")]
        [Min(1)]
        [SerializeField] int autoRenewLeaseCapMinutes = 8 * 60;
        [Tooltip("Stop the session when this component is destroyed, play mode ends, or the application quits.")]
        [SerializeField] bool autoStopSession = true;

        ArrClient client;
        RenderingSession active;
        // NonSerialized: on a script reload the Editor would restore it, and the session has ended.
        [NonSerialized] RenderingSessionStatus reported;
        Task<RenderingSessionProperties> beginning;
        CancellationTokenSource wanted;

        /// <summary>The session has a new status. The session is null once it has ended.</summary>
        public event SessionEvent OnSessionStatusChanged;

        /// <summary>A request failed.</summary>
        public event SessionError OnSessionErrorEncountered;

        /// <summary>Lists the account's sessions; null before <see cref="Initialize"/>.</summary>
        public RemoteRenderingClient Client { get; private set; }

        /// <summary>The current session, or null.</summary>
        public RenderingSession CurrentActiveSession
        {
            get { return client != null && !client.IsDisposed ? active : null; }
        }

        /// <summary>The properties from the last reply, also after the session's end.</summary>
        public RenderingSessionProperties LastProperties { get; private set; }

        /// <summary>When the lease ends, in UTC; DateTime.MinValue without a session.</summary>
        public DateTime ExpirationTime
        {
            get
            {
                RenderingSession now = CurrentActiveSession;
                return now == null ? DateTime.MinValue : DateTime.UtcNow + now.Inner.GetSnapshot().Remaining;
            }
        }

        public bool AutoRenewLease
        {
            get { return autoRenewLease; }
            set
            {
                autoRenewLease = value;
                ApplyCare();
            }
        }

        public int AutoRenewLeaseThresholdMinutes
        {
            get { return autoRenewLeaseThresholdMinutes; }
            set
            {
                autoRenewLeaseThresholdMinutes = Math.Max(5, value);
                ApplyCare();
            }
        }

        public int AutoRenewLeaseAmountMinutes
        {
            get { return autoRenewLeaseAmountMinutes; }
            set
            {
                autoRenewLeaseAmountMinutes = Math.Max(10, value);
                ApplyCare();
            }
        }

        /// <summary>The longest that automatic renewal may make the total lease.</summary>
        public int AutoRenewLeaseCapMinutes
        {
            get { return autoRenewLeaseCapMinutes; }
            set
            {
                autoRenewLeaseCapMinutes = Math.Max(1, value);
                ApplyCare();
            }
        }

        public bool AutoStopSession
        {
            get { return autoStopSession; }
            set
            {
                autoStopSession = value;
                ApplyCare();
            }
        }

        /// <summary>Creates the client. Call it once, before everything else.</summary>
        public void Initialize(SessionConfiguration configuration)
        {
            string key = configuration.AccountKey;
            if (!Application.isEditor && !string.IsNullOrEmpty(key) && key.Trim() != DevelopmentAccount.AccountKey)
            {
                throw new InvalidOperationException("A build must not contain an account key, which would give everyone with the build the whole"
                    + " account. Use AuthenticationToken or AccessToken instead.");
            }
            Close();
            client = new ArrClient(new ArrClientOptions
            {
                AccountId = configuration.AccountId,
                AccountDomain = configuration.AccountDomain,
                ServiceEndpoint = string.IsNullOrEmpty(configuration.RemoteRenderingDomain)
                    ? configuration.AccountDomain
                    : configuration.RemoteRenderingDomain,
                AccountKey = key,
                EntraToken = configuration.AuthenticationToken,
                AccessToken = configuration.AccessToken,
                CaFile = CertificateAuthorities,
                PollInterval = PollInterval,
                ReadyPollInterval = PollInterval,
            });
            client.EventReceived += Received;
            Client = new RemoteRenderingClient(client);
            SessionPump.Add(client, null, this);
        }

        /// <summary>Path of a PEM file with additional certificate authorities, for the emulator; null for none.</summary>
        public string CertificateAuthorities { get; set; }

        /// <summary>How often the session is polled; null for the library's default.</summary>
        public TimeSpan? PollInterval { get; set; }

        /// <summary>
        /// Creates a session. The task completes when it is ready or has failed; service failures do not throw, the status
        /// reports them. While a session is starting or active, returns that session's task and creates nothing.
        /// </summary>
        public Task<RenderingSessionProperties> StartSession(RenderingSessionCreationOptions options)
        {
            return Begin(true, delegate(CancellationToken cancellation)
            {
                return client.CreateSessionAsync(
                    new CreateSessionOptions
                    {
                        Size = options.Size == RenderingSessionVmSize.Premium ? SessionSize.Premium : SessionSize.Standard,
                        MaxLease = options.MaxLease,
                    },
                    cancellation);
            });
        }

        /// <summary>Opens an existing session, otherwise like <see cref="StartSession"/>.</summary>
        public Task<RenderingSessionProperties> OpenSession(string sessionId)
        {
            return Begin(false, delegate(CancellationToken cancellation) { return client.OpenSessionAsync(sessionId, cancellation); });
        }

        /// <summary>
        /// Stops the session; cancels a create and stops its session. Another can be started once the task has completed.
        /// </summary>
        public async Task<RenderingSessionProperties> StopSession()
        {
            RenderingSession stopping = CurrentActiveSession;
            if (stopping != null) await StopAsync(stopping);
            else GiveUp();
            return LastProperties;
        }

        /// <summary>Releases the session without stopping it; cancels a create and stops its session.</summary>
        public void ForgetSession()
        {
            RenderingSession forgotten = active;
            active = null;
            GiveUp();
            if (forgotten == null) return;
            forgotten.Inner.Dispose();
            Report(RenderingSessionStatus.Unknown);
        }

        internal async Task<SessionContextResult> StopAsync(RenderingSession stopping)
        {
            SessionContextResult result = new SessionContextResult();
            try
            {
                await stopping.Inner.StopAsync();
                End(stopping, RenderingSessionStatus.Stopped);
            }
            catch (Exception problem)
            {
                result.Context = Convert.ToContext(problem);
                ReportError(problem);
            }
            return result;
        }

        void Update()
        {
            SessionPump.TickUnlessDone();
        }

        void OnDestroy()
        {
            Close();
        }

        void Close()
        {
            ArrClient ending = client;
            client = null;
            RenderingSession last = active;
            Client = null;
            active = null;
            GiveUp();
            if (ending == null) return;
            ending.EventReceived -= Received;
            SessionPump.Remove(ending);
            // With AutoStopSession, the library stops the session in the background.
            ending.Dispose();
            if (last != null) last.Inner.Dispose();
        }

        static void Observe(Task task)
        {
            task.ContinueWith(delegate(Task failed) { GC.KeepAlive(failed.Exception); }, TaskContinuationOptions.OnlyOnFaulted);
        }

        // Abandons the pending start.
        void GiveUp()
        {
            if (wanted != null) wanted.Cancel();
            wanted = null;
            beginning = null;
        }

        Task<RenderingSessionProperties> Begin(bool isNew, Func<CancellationToken, Task<ArrSession.RenderingSession>> make)
        {
            if (client == null || client.IsDisposed) throw new InvalidOperationException("Call Initialize first.");
            if (beginning == null || (beginning.IsCompleted && active == null))
            {
                wanted = new CancellationTokenSource();
                beginning = BeginAsync(isNew, make, wanted.Token);
            }
            return beginning;
        }

        async Task<RenderingSessionProperties> BeginAsync(
            bool isNew, Func<CancellationToken, Task<ArrSession.RenderingSession>> make, CancellationToken givenUp)
        {
            ArrClient asked = client;
            RenderingSession begun = null;
            try
            {
                ArrSession.RenderingSession made = await make(givenUp);
                if (givenUp.IsCancellationRequested)
                {
                    // Cancelled after the create had ended, so the library does not stop it.
                    if (isNew && !asked.IsDisposed) Observe(made.StopAsync());
                    made.Dispose();
                    return LastProperties;
                }
                begun = new RenderingSession(this, made);
                active = begun;
                ApplyCare();
                ReportProperties(begun.Inner.GetProperties(ReadMode.Known));
                ReportProperties(await begun.Inner.WaitUntilReadyAsync(givenUp));
            }
            catch (ArrSessionEndedException ended)
            {
                LastProperties = Convert.ToProperties(ended.Properties);
                End(begun, LastProperties.Status);
            }
            catch (OperationCanceledException)
            {
                // Closed, stopped or forgotten.
            }
            catch (Exception problem)
            {
                if (begun == null)
                {
                    LastProperties = new RenderingSessionProperties { Status = RenderingSessionStatus.Error, Message = problem.Message };
                }
                ReportError(problem);
            }
            return LastProperties;
        }

        void ApplyCare()
        {
            RenderingSession now = CurrentActiveSession;
            if (now == null) return;
            now.Inner.Watch(new WatchOptions { StopOnShutdown = autoStopSession });
            if (!autoRenewLease)
            {
                now.Inner.EndKeepAlive();
                return;
            }
            now.Inner.KeepAlive(new KeepAliveOptions
            {
                Threshold = TimeSpan.FromMinutes(autoRenewLeaseThresholdMinutes),
                Amount = TimeSpan.FromMinutes(autoRenewLeaseAmountMinutes),
                Cap = TimeSpan.FromMinutes(autoRenewLeaseCapMinutes),
            });
        }

        void Received(ArrEvent received)
        {
            RenderingSession now = active;
            if (now == null || !ReferenceEquals(received.Session, now.Inner)) return;
            SessionProperties known = now.Inner.GetProperties(ReadMode.Known);
            if (received.Type == ArrEventType.LeaseExtended)
            {
                ReportProperties(known);
            }
            else if (received.Type == ArrEventType.SessionStatusChanged)
            {
                // The original API has no Stopping state: report the end only.
                if (known.Status == SessionStatus.Stopping) return;
                bool over = known.Status == SessionStatus.Stopped || known.Status == SessionStatus.Expired || known.Status == SessionStatus.Error;
                LastProperties = Convert.ToProperties(known);
                if (over) End(now, LastProperties.Status);
                else Report(LastProperties.Status);
            }
            else if (received.Type == ArrEventType.LeaseNotExtended) Fail("The lease could not be extended (" + received.Status + ").");
            else if (received.Type == ArrEventType.ReadsFailing) Fail("The session cannot be read (" + received.Status + ").");
        }

        void Fail(string message)
        {
            if (OnSessionErrorEncountered == null) return;
            OnSessionErrorEncountered(this, new SessionGeneralContext { Result = Result.Fail, ErrorMessage = message });
        }

        void ReportProperties(SessionProperties known)
        {
            LastProperties = Convert.ToProperties(known);
            Report(LastProperties.Status);
        }

        void End(RenderingSession ended, RenderingSessionStatus how)
        {
            if (!ReferenceEquals(ended, active)) return;
            active = null;
            beginning = null;
            ended.Inner.Dispose();
            RenderingSessionProperties last = LastProperties;
            last.Status = how;
            LastProperties = last;
            Report(how);
        }

        void Report(RenderingSessionStatus status)
        {
            if (status == reported) return;
            reported = status;
            if (OnSessionStatusChanged != null) OnSessionStatusChanged(this, CurrentActiveSession);
        }

        void ReportError(Exception problem)
        {
            Debug.LogWarning("Remote Rendering: " + problem.Message, this);
            if (OnSessionErrorEncountered != null) OnSessionErrorEncountered(this, Convert.ToContext(problem));
        }
    }
}
