// The component in play mode.

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;
using ArrSession.Unity;
using StandIn;
using UnityEngine;

static class PlayTests
{
    public static void AFirstSessionIsReportedOnTheMainThread()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        List<string> reported = new List<string>();
        bool elsewhere = false;
        session.OnStatusChanged.AddListener(delegate(SessionStatus status)
        {
            reported.Add(status.ToString());
            elsewhere |= !Stage.OnMainThread;
        });
        string host = null;
        session.OnReady.AddListener(delegate(string name) { host = name; });
        SessionProperties ready = Stage.Await(session.StartSessionAsync());
        Check.Equal("Starting Ready", string.Join(" ", reported.ToArray()), "the reported statuses");
        Check.That(!elsewhere, "all of it on the main thread");
        Check.That(!string.IsNullOrEmpty(host) && host == ready.Hostname, "the event has the host name");
        Check.Equal("Ready", Emulator.StatusOf(session.Session.Id), "the service's status");
        Check.That(session.Remaining > TimeSpan.FromMinutes(29), "the lease is that of the component: " + session.Remaining);
        Check.That(session.LastProblem == null, "no problem");
    }

    public static void StartAutomaticallyNeedsNoCode()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.StartAutomatically = true;
        Stage.Until(delegate { return session.Status == SessionStatus.Ready; }, "it becomes ready");
    }

    public static void TwoStartsShareOneSession()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        int before = Emulator.Running();
        Task<SessionProperties> first = session.StartSessionAsync();
        Task<SessionProperties> second = session.StartSessionAsync();
        Check.That(ReferenceEquals(first, second), "the same task");
        Check.Throws<InvalidOperationException>(delegate { session.OpenSessionAsync("another"); }, "another one meanwhile");
        Stage.Await(first);
        Check.Equal(before + 1, Emulator.Running(), "sessions at the service");
        Check.Throws<InvalidOperationException>(delegate { session.StartSessionAsync(); }, "another one beside it");
    }

    public static void ExtendingLengthensTheLease()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        Stage.Await(session.ExtendLeaseAsync(TimeSpan.FromMinutes(15)));
        Check.Equal(TimeSpan.FromMinutes(45), session.Snapshot.MaxLease, "the lease");
        session.ExtendLease(5);
        Stage.Until(delegate { return session.Snapshot.MaxLease == TimeSpan.FromMinutes(50); }, "the void variant does it too");
    }

    public static void AfterAStopAnotherSessionCanStart()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string id = session.Session.Id;
        SessionStatus ended = SessionStatus.Unknown;
        session.OnEnded.AddListener(delegate(SessionStatus how) { ended = how; });
        Stage.Await(session.StopSessionAsync());
        Check.Equal(SessionStatus.Stopped, ended, "the event");
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
        Check.That(session.Session == null, "it has no session any more");
        Stage.Ready(session);
        Check.That(session.Session.Id != id, "it is another one");
    }

    public static void AStopCancelsAStart()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        Task<SessionProperties> start = session.StartSessionAsync();
        Stage.Until(delegate { return session.Session != null; }, "it is created");
        string id = session.Session.Id;
        Stage.Await(session.StopSessionAsync());
        Stage.Until(delegate { return start.IsCompleted; }, "the start ends");
        Check.That(start.IsCanceled, "the start is cancelled");
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
        Check.That(session.LastProblem == null, "a cancelled start is not a problem: " + session.LastProblem);
    }

    public static void ACancelledStartLeavesNothingRunning()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        int before = Emulator.Running();
        // With an id that the service does not know, a session is created too.
        foreach (string preferred in new[] { "", "00000000-0000-4000-8000-000000000000" })
        {
            session.PreferredSessionId = preferred;
            CancellationTokenSource cancel = new CancellationTokenSource();
            Task<SessionProperties> start = session.StartSessionAsync(cancel.Token);
            Stage.Until(delegate { return session.Session != null; }, "it is created");
            cancel.Cancel();
            Stage.Until(delegate { return start.IsCompleted && session.Session == null; }, "the session is stopped");
            Check.That(start.IsCanceled, "the start is cancelled");
            Check.Equal(before, Emulator.Running(), "sessions at the service");
        }
    }

    public static void ACancelledStartLeavesAReusedSessionRunning()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string id = session.Session.Id;
        session.ForgetSession();
        session.PreferredSessionId = id;
        CancellationTokenSource cancel = new CancellationTokenSource();
        string reused = null;
        session.OnStatusChanged.AddListener(delegate
        {
            if (session.Session != null) reused = session.Session.Id;
            cancel.Cancel();
        });
        Task<SessionProperties> start = session.StartSessionAsync(cancel.Token);
        Stage.Until(delegate { return start.IsCompleted; }, "the start ends");
        Check.Equal(id, reused, "the session that it reused");
        Check.That(start.IsCanceled, "the start is cancelled");
        Check.That(session.Session == null, "the session is released");
        Stage.Await(session.Client.ListSessionsAsync());
        Check.Equal("Ready", Emulator.StatusOf(id), "the service's status");
    }

    public static void AForgottenSessionRunsOnAndCanBeOpened()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string id = session.Session.Id;
        session.ForgetSession();
        Check.Equal(SessionStatus.Unknown, session.Status, "the status");
        Engine.Frame();
        Check.Equal("Ready", Emulator.StatusOf(id), "the service's status");
        SessionProperties opened = Stage.Await(session.OpenSessionAsync(id));
        Check.Equal(id, opened.SessionId, "the id");
        Stage.Await(session.StopSessionAsync());
    }

    public static void TheLeaseGrowsUpToItsCap()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.Lease = TimeSpan.FromMinutes(10);
        session.KeepAlive = true;
        Task<SessionProperties> capless = session.StartSessionAsync();
        Stage.Until(delegate { return capless.IsCompleted; }, "it ends");
        Check.Contains("Lease Cap Minutes", session.LastProblem, "without a cap it is refused");

        session.LeaseCap = TimeSpan.FromMinutes(20);
        session.ExtendBy = TimeSpan.FromMinutes(15);
        float reported = 0;
        session.OnLeaseExtended.AddListener(delegate(float minutes) { reported = minutes; });
        Stage.Ready(session);
        Emulator.AdvanceMinutes(6);
        Stage.Until(delegate { return reported > 0; }, "it is extended");
        Check.Equal(20f, reported, "up to the cap, in minutes");
        Check.Equal(TimeSpan.FromMinutes(20), session.Snapshot.MaxLease, "the lease");
    }

    public static void AnEndingLeaseIsReported()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        float left = -1;
        session.OnLeaseExpiring.AddListener(delegate(float minutes) { left = minutes; });
        Emulator.AdvanceMinutes(26);
        Stage.Until(delegate { return left >= 0; }, "it is reported");
        Check.That(left > 2 && left <= 4.1f, "minutes left: " + left);
        SessionStatus ended = SessionStatus.Unknown;
        session.OnEnded.AddListener(delegate(SessionStatus how) { ended = how; });
        Emulator.AdvanceMinutes(6);
        Stage.Until(delegate { return ended == SessionStatus.Expired; }, "and its end");
        Check.That(session.Session == null, "it has no session any more");
    }

    public static void AFailingStartIsReportedByTaskAndEvent()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        SessionStatus ended = SessionStatus.Unknown;
        session.OnEnded.AddListener(delegate(SessionStatus how) { ended = how; });
        // No read succeeds before the session has failed, however busy the machine is.
        Emulator.Fault("GET", "**/sessions**", "{\"type\": \"status\"}");
        Task<SessionProperties> start = session.StartSessionAsync();
        Stage.Until(delegate { return session.Session != null; }, "it is created");
        Emulator.Force(session.Session.Id, "Error");
        Emulator.EndFaults();
        Stage.Until(delegate { return start.IsCompleted; }, "the start ends");
        Check.That(start.IsFaulted, "the start fails");
        Check.Equal(SessionStatus.Error, ended, "the event");
        Check.That(session.Session == null && session.LastProblem != null, "the problem is shown: " + session.LastProblem);
    }

    public static void AwaitResumesOnTheMainThreadAtOnce()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        for (int i = 0; i < 5; i++)
        {
            Landing landing = new Landing();
            Task<SessionProperties> read = session.Session.GetPropertiesAsync();
            // Runs where the task is completed.
            read.ContinueWith(landing.Completed, TaskContinuationOptions.ExecuteSynchronously);
            Task landed = landing.After(read);
            Stage.Await(landed);
            Check.That(landing.OnMainThread, "on the main thread");
            Check.That(landing.Resumed - landing.CompletedIn <= 1, "completed in frame " + landing.CompletedIn + ", resumed in " + landing.Resumed);
        }
    }

    sealed class Landing
    {
        public int CompletedIn;
        public int Resumed;
        public bool OnMainThread;

        public void Completed(Task task) { CompletedIn = Time.frameCount; }

        public async Task After(Task task)
        {
            await task;
            Resumed = Time.frameCount;
            OnMainThread = Stage.OnMainThread;
        }
    }

    public static void AnIdleFrameAllocatesNothing()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        const int frames = 20000;
        long bytes = -1;
        // The runtime may allocate when code runs for the first time.
        for (int round = 0; round < 3 && bytes != 0; round++) bytes = AllocatedBy(session, frames, false);
        Check.Equal(0L, bytes, "bytes in " + frames + " frames");
        // Proves the measurement: one object per frame is noticed.
        Check.That(AllocatedBy(session, frames, true) >= 16 * frames, "allocations are noticed");
    }

    static long AllocatedBy(RemoteRenderingSession session, int frames, bool wasteful)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < frames; i++)
        {
            Frame(session);
            if (wasteful) GC.KeepAlive(new object());
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    static void Frame(RemoteRenderingSession session)
    {
        Engine.Frame();
        GC.KeepAlive(session.Snapshot.Remaining > TimeSpan.Zero ? session : null);
    }

    public static void AReplacedPlayerLoopGetsThePumpBack()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        Check.Equal(1, Loop.Count(Loop.Current, "RemoteRenderingPump"), "the pump in the loop");
        UnityEngine.LowLevel.PlayerLoop.SetPlayerLoop(UnityEngine.LowLevel.PlayerLoop.GetDefaultPlayerLoop());
        Check.Equal(0, Loop.Count(Loop.Current, "RemoteRenderingPump"), "the pump in another loop");
        Stage.Await(session.Session.GetPropertiesAsync());
        Check.Equal(1, Loop.Count(Loop.Current, "RemoteRenderingPump"), "the pump in the loop again");
        Engine.Frame();
        Check.Equal(1, Loop.Count(Loop.Current, "RemoteRenderingPump"), "and only once");
    }

    public static void AThrowingListenerHarmsNothingElse()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.OnStatusChanged.AddListener(delegate { throw new Exception("the listener's own"); });
        Stage.Ready(session);
        Check.That(Stage.WasLogged("the listener's own"), "it is logged");
    }

    public static void ADestroyedComponentStopsItsSession()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string id = session.Session.Id;
        DateTime before = DateTime.UtcNow;
        UnityEngine.Object.Destroy(session.gameObject);
        Engine.Frame();
        TimeSpan took = DateTime.UtcNow - before;
        Check.That(took < TimeSpan.FromMilliseconds(500), "it took " + took);
        Check.Equal(0, SessionPump.Count, "clients that are pumped");
        DateTime limit = DateTime.UtcNow.AddSeconds(10);
        while (Emulator.StatusOf(id) != "Stopped") Check.That(DateTime.UtcNow < limit, "it is stopped");
    }

    public static void ATokenProviderIsAskedAgainAfterARefusal()
    {
        string token = GoodToken();
        RemoteRenderingSession session = SessionWithProvider();
        Task<SessionProperties> without = session.StartSessionAsync();
        Stage.Until(delegate { return without.IsCompleted; }, "it ends");
        Check.Contains("TokenProviderBehaviour", session.LastProblem, "without a provider it is refused");

        Provider provider = session.gameObject.AddComponent<Provider>();
        provider.Good = token;
        Stage.Ready(session);
        Check.That(provider.Asked >= 2, "asked " + provider.Asked + " times: the first token was refused");
        Check.That(provider.OnMainThread, "on the main thread");
    }

    public static void AFailingTokenProviderIsRetried()
    {
        RemoteRenderingSession session = SessionWithProvider();
        Provider provider = session.gameObject.AddComponent<Provider>();
        provider.Good = GoodToken();
        provider.Fails = 2;
        // The provider is retried after a second, to spare a server in trouble.
        Stage.Ready(session);
        Check.Equal(3, provider.Asked, "questions");
        Check.Equal("no token today", session.LastProblem, "the last problem");
    }

    static RemoteRenderingSession SessionWithProvider()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.Settings.Credential = CredentialSource.TokenProvider;
        session.Settings.AccountId = DevelopmentAccount.AccountId;
        session.Settings.AccountDomain = Emulator.Url;
        return session;
    }

    static string GoodToken()
    {
        using (ArrClient client = new ArrClient(Stage.Settings().ToOptions()))
        {
            Task<AccessToken> asked = client.GetTokenAsync();
            while (!asked.IsCompleted) client.Pump();
            return asked.Result.Value;
        }
    }

    public static void ATokenIsRenewedWithoutASession()
    {
        string token = GoodToken();
        RemoteRenderingSession session = SessionWithProvider();
        Provider provider = session.gameObject.AddComponent<Provider>();
        provider.Good = token;
        // The service refuses the first token when it is first used; by then the start is cancelled, and the client
        // remains.
        Task<SessionProperties> start = session.StartSessionAsync();
        Stage.Until(delegate { return session.Client != null; }, "there is a client");
        session.ForgetSession();
        Stage.Until(delegate { return start.IsCompleted; }, "the start ends");
        Stage.Await(session.Client.ListSessionsAsync());
        Check.That(provider.Asked >= 2, "asked " + provider.Asked + " times");
    }

    // On a script reload, the Editor restores every field that is not NonSerialized, even private ones.
    public static void RuntimeStateIsNotSerialized()
    {
        int state = 0;
        foreach (Type type in new[] { typeof(RemoteRenderingSession), typeof(ArrSession.Compatibility.ARRServiceUnity) })
        {
            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                bool simple = field.FieldType.IsPrimitive || field.FieldType.IsEnum || field.FieldType == typeof(string);
                // Set by the application, so it may survive.
                if (!simple || field.IsDefined(typeof(SerializeField), false) || field.Name.Contains("CertificateAuthorities")) continue;
                Check.That(field.IsNotSerialized, type.Name + "." + field.Name + " is NonSerialized");
                state++;
            }
        }
        Check.That(state >= 5, "fields that were looked at: " + state);
    }

    // Its first token is invalid, and it takes time on another thread.
    public sealed class Provider : TokenProviderBehaviour
    {
        public string Good;
        public int Asked;
        public bool OnMainThread = true;

        // The number of the request that fails.
        public int Fails;

        public override async Task<string> GetTokenAsync(CancellationToken cancellation)
        {
            OnMainThread &= Stage.OnMainThread;
            cancellation.ThrowIfCancellationRequested();
            int asked = ++Asked;
            if (asked == Fails) throw new InvalidOperationException("no token today");
            await Task.Run(delegate { Thread.Sleep(5); }); // A server's answer.
            OnMainThread &= Stage.OnMainThread;
            string[] parts = Good.Split('.');
            return asked == 1 ? parts[0] + "." + parts[1] + "." + "AAAA" : Good;
        }
    }

    public static void ASessionOfAnEarlierRunIsReused()
    {
        RemoteRenderingSettings settings = Stage.Settings();
        settings.Journal = true;
        string journal = System.IO.Path.Combine(Application.persistentDataPath, RemoteRenderingSettings.JournalFolder);
        if (System.IO.Directory.Exists(journal)) System.IO.Directory.Delete(journal, true);
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.Settings = settings;
        session.ReuseEarlier = true;
        session.StopOnQuit = false;
        Stage.Ready(session);
        string id = session.Session.Id;
        PlayMode.Exit();
        Check.Equal("Ready", Emulator.StatusOf(id), "it keeps running");

        PlayMode.Enter();
        RemoteRenderingSession next = Stage.Session();
        next.Settings = settings;
        next.ReuseEarlier = true;
        Stage.Ready(next);
        Check.Equal(id, next.Session.Id, "the session's id");
        Stage.Await(next.StopSessionAsync());
    }

    public static void TheFirstSampleRuns()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        FirstSession sample = session.gameObject.AddComponent<FirstSession>();
        Stage.Until(delegate { return sample.Line.StartsWith("render on "); }, "it says where to render: " + sample.Line);
    }
}
