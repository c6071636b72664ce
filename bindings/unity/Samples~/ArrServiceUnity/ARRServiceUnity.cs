using System;
using System.Threading;
using System.Threading.Tasks;
using ArrSession.Unity;
using UnityEngine;

namespace ArrSession.Compatibility
{
    /// <summary>
    /// For code that was written against the component of this name: replace the using lines for
    /// <c>Microsoft.Azure.RemoteRendering</c> and <c>Microsoft.Azure.RemoteRendering.Unity</c> by
    /// <c>ArrSession.Compatibility</c>. It is about sessions only: what renders is not in here.
    /// One difference costs money if it is missed, so it is a setting: the lease grows up to a cap, and not for ever.
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
        [Tooltip("The longest that the whole lease may become by itself, in minutes.")]
        [Min(1)]
        [SerializeField] int autoRenewLeaseCapMinutes = 8 * 60;
        [Tooltip("Stop the session when this component is destroyed, play mode ends, or the application quits.")]
        [SerializeField] bool autoStopSession = true;

        ArrClient client;
        RenderingSession active;
        // When scripts are compiled, the Editor would carry it over, and the session does not live on.
        [NonSerialized] RenderingSessionStatus told;
        Task<RenderingSessionProperties> beginning;
        CancellationTokenSource wanted;

        /// <summary>The session has another status; its session is null once it has ended.</summary>
        public event SessionEvent OnSessionStatusChanged;

        /// <summary>A request has failed.</summary>
        public event SessionError OnSessionErrorEncountered;

        /// <summary>Where tokens come from and which sessions there are; null before <see cref="Initialize"/>.</summary>
        public RemoteRenderingClient Client { get; private set; }

        /// <summary>The session, or null.</summary>
        public RenderingSession CurrentActiveSession
        {
            get { return client != null && !client.IsDisposed ? active : null; }
        }

        /// <summary>What was heard of the session last; also after its end.</summary>
        public RenderingSessionProperties LastProperties { get; private set; }

        /// <summary>When the lease ends, in UTC; the earliest of all times without a session.</summary>
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

        /// <summary>The longest that the whole lease may become by itself.</summary>
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

        /// <summary>Makes the client. Call it once, before everything else.</summary>
        public void Initialize(SessionConfiguration configuration)
        {
            string key = configuration.AccountKey;
            if (!Application.isEditor && !string.IsNullOrEmpty(key) && key.Trim() != DevelopmentAccount.AccountKey)
            {
                throw new InvalidOperationException("An account key must not be in a build: whoever has the build would have the whole account."
                    + " Give AuthenticationToken or AccessToken instead.");
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

        /// <summary>The path of a PEM file with further certificate authorities, for the emulator; null for none.</summary>
        public string CertificateAuthorities { get; set; }

        /// <summary>How often the session is read; null is as the service asks for.</summary>
        public TimeSpan? PollInterval { get; set; }

        /// <summary>
        /// Creates a session. The task ends when it is ready or has failed, and never throws for what the service says: the
        /// status tells. While one is starting, or active, it is that one.
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

        /// <summary>Goes on with a session, as <see cref="StartSession"/> does with a new one.</summary>
        public Task<RenderingSessionProperties> OpenSession(string sessionId)
        {
            return Begin(false, delegate(CancellationToken cancellation) { return client.OpenSessionAsync(sessionId, cancellation); });
        }

        /// <summary>
        /// Stops the session; one that is being created is given up, and stopped. The task ends when another one can be started.
        /// </summary>
        public async Task<RenderingSessionProperties> StopSession()
        {
            RenderingSession stopping = CurrentActiveSession;
            if (stopping != null) await StopAsync(stopping);
            else GiveUp();
            return LastProperties;
        }

        /// <summary>Lets the session go without stopping it; one that is being created is given up, and stopped.</summary>
        public void ForgetSession()
        {
            RenderingSession forgotten = active;
            active = null;
            GiveUp();
            if (forgotten == null) return;
            forgotten.Inner.Dispose();
            Tell(RenderingSessionStatus.Unknown);
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
                TellError(problem);
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
            // With AutoStopSession the library goes on to stop the session.
            ending.Dispose();
            if (last != null) last.Inner.Dispose();
        }

        static void Observe(Task task)
        {
            task.ContinueWith(delegate(Task failed) { GC.KeepAlive(failed.Exception); }, TaskContinuationOptions.OnlyOnFaulted);
        }

        // Nobody waits for what is beginning any longer.
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
                    // Given up just now: too late for the library to know.
                    if (isNew && !asked.IsDisposed) Observe(made.StopAsync());
                    made.Dispose();
                    return LastProperties;
                }
                begun = new RenderingSession(this, made);
                active = begun;
                ApplyCare();
                Hear(begun.Inner.GetProperties(ReadMode.Known));
                Hear(await begun.Inner.WaitUntilReadyAsync(givenUp));
            }
            catch (ArrSessionEndedException ended)
            {
                LastProperties = Convert.ToProperties(ended.Properties);
                End(begun, LastProperties.Status);
            }
            catch (OperationCanceledException)
            {
                // Closed, stopped or forgotten meanwhile.
            }
            catch (Exception problem)
            {
                if (begun == null)
                {
                    LastProperties = new RenderingSessionProperties { Status = RenderingSessionStatus.Error, Message = problem.Message };
                }
                TellError(problem);
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
                Hear(known);
            }
            else if (received.Type == ArrEventType.SessionStatusChanged)
            {
                // The code in front knows no session that is being stopped: it hears of the end.
                if (known.Status == SessionStatus.Stopping) return;
                bool over = known.Status == SessionStatus.Stopped || known.Status == SessionStatus.Expired || known.Status == SessionStatus.Error;
                LastProperties = Convert.ToProperties(known);
                if (over) End(now, LastProperties.Status);
                else Tell(LastProperties.Status);
            }
            else if (received.Type == ArrEventType.LeaseNotExtended && OnSessionErrorEncountered != null)
            {
                OnSessionErrorEncountered(this, new SessionGeneralContext
                {
                    Result = Result.Fail,
                    ErrorMessage = "The lease could not be extended (" + received.Status + ").",
                });
            }
        }

        void Hear(SessionProperties known)
        {
            LastProperties = Convert.ToProperties(known);
            Tell(LastProperties.Status);
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
            Tell(how);
        }

        void Tell(RenderingSessionStatus status)
        {
            if (status == told) return;
            told = status;
            if (OnSessionStatusChanged != null) OnSessionStatusChanged(this, CurrentActiveSession);
        }

        void TellError(Exception problem)
        {
            Debug.LogWarning("Remote Rendering: " + problem.Message, this);
            if (OnSessionErrorEncountered != null) OnSessionErrorEncountered(this, Convert.ToContext(problem));
        }
    }
}
