using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>Watched sessions, keep-alive, and their events.</summary>
internal static class EventTests
{
    internal static void AWatchedSessionReportsItsStatus()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
            RenderingSession other = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
            List<ArrEvent> all = new List<ArrEvent>();
            List<ArrEvent> own = new List<ArrEvent>();
            session.Tag = "mine";
            client.EventReceived += all.Add;
            session.EventReceived += own.Add;
            session.Watch();
            other.Watch();
            FrameLoop.Until(client, () => Has(all, ArrEventType.SessionStatusChanged, session, SessionStatus.Ready)
                && Has(all, ArrEventType.SessionStatusChanged, other, SessionStatus.Ready), "both are ready");
            ArrEvent ready = own.Find(e => e.SessionStatus == SessionStatus.Ready);
            Check.True(ready.Session == session && ready.SessionId == session.Id, "the event has the object itself");
            Check.Equal("mine", ready.Session.Tag, "the application's own mark");
            Check.Equal(Service.Lease, ready.MaxLease, "lease");
            Check.True(ready.Remaining > TimeSpan.Zero && ready.Remaining <= Service.Lease, "the remaining lease");
            Check.True(own.TrueForAll(e => e.Session == session), "a session's own event is about nothing else");

            Check.Contains("\"Ready\"", session.GetReply(), "the service's own words");
            SessionSnapshot snapshot = session.GetSnapshot();
            Check.Equal(SessionStatus.Ready, snapshot.Status, "status in the snapshot");
            Check.Equal(SessionSize.Standard, snapshot.Size, "size in the snapshot");
            Check.Equal(Service.Lease, snapshot.MaxLease, "lease in the snapshot");
            Check.True(snapshot.Remaining > TimeSpan.Zero && snapshot.Elapsed < Service.Lease, "times in the snapshot");
            Check.Equal(session.GetProperties(ReadMode.Known).HandshakePort, snapshot.HandshakePort, "handshake port");
            Check.Equal(session.GetProperties(ReadMode.Known).ArrInspectorPort, snapshot.ArrInspectorPort, "inspector port");

            session.Unwatch();
            own.Clear();
            Service.Force(session.Id, "Stopped");
            Service.Force(other.Id, "Error", "The server caught fire.");
            FrameLoop.Until(client, () => Has(all, ArrEventType.SessionStatusChanged, other, SessionStatus.Error), "the failure");
            Check.Equal(0, own.Count, "events of a session that is not watched any more");
            if (Service.Version == ApiVersion.V1)
            {
                Check.Contains("caught fire", other.GetMessage(), "why it failed");
            }
            Check.True(other.GetSnapshot().Revision != snapshot.Revision, "the revision changes");
        }
    }

    private static bool Has(List<ArrEvent> events, ArrEventType type, RenderingSession session, SessionStatus status)
    {
        return events.Exists(e => e.Type == type && e.Session == session && e.SessionStatus == status);
    }

    internal static void AnEndingLease()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.ReadySession(client);
            List<ArrEvent> events = new List<ArrEvent>();
            session.EventReceived += events.Add;
            session.Watch(new WatchOptions { WarnBefore = TimeSpan.FromMinutes(2) });
            Service.MoveClock(TimeSpan.FromMinutes(9));
            FrameLoop.Until(client, () => events.Exists(e => e.Type == ArrEventType.LeaseExpiring), "the warning");
            ArrEvent warning = events.Find(e => e.Type == ArrEventType.LeaseExpiring);
            Check.True(warning.Remaining <= TimeSpan.FromMinutes(2), "the remaining lease: " + warning.Remaining);
            Service.MoveClock(TimeSpan.FromMinutes(2));
            FrameLoop.Until(client, () => session.GetSnapshot().Status == SessionStatus.Expired, "the end of the lease");
        }
    }

    internal static void KeepAlive()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.ReadySession(client);
            KeepAliveOptions options = new KeepAliveOptions
            {
                Threshold = TimeSpan.FromMinutes(5),
                Amount = TimeSpan.FromMinutes(10),
                Cap = TimeSpan.FromMinutes(20),
            };
            ArrException e = Check.Throws<ArrException>(() => session.KeepAlive(options), "an unwatched session");
            Check.Equal(ArrStatus.InvalidArgument, e.Status, "status");

            List<ArrEvent> events = new List<ArrEvent>();
            session.EventReceived += events.Add;
            session.Watch();
            session.KeepAlive(options);
            session.Touch();
            Service.MoveClock(TimeSpan.FromMinutes(6));
            FrameLoop.Until(client, () => events.Exists(one => one.Type == ArrEventType.LeaseExtended), "the extension");
            Check.Equal(TimeSpan.FromMinutes(20), events.Find(one => one.Type == ArrEventType.LeaseExtended).MaxLease, "lease");
            FrameLoop.Until(client, () => session.GetSnapshot().MaxLease == TimeSpan.FromMinutes(20), "the lease in numbers");
            Service.MoveClock(TimeSpan.FromMinutes(10));
            FrameLoop.Until(client, () => events.Exists(one => one.Type == ArrEventType.LeaseCapReached), "the cap");
            session.EndKeepAlive();
        }
    }

    internal static void SuspendAndResume()
    {
        using (ArrClient client = Service.NewClient())
        {
            List<ArrEvent> events = new List<ArrEvent>();
            client.EventReceived += events.Add;
            RenderingSession session = FrameLoop.ReadySession(client);
            session.Watch(new WatchOptions { OnSuspend = SuspendAction.Extend, SuspendLease = TimeSpan.FromMinutes(30) });
            // Allowed on the pump's thread, because it is bounded.
            Check.True(client.Suspend(TimeSpan.FromSeconds(10)), "all was done in time");
            Check.True(session.GetProperties(ReadMode.Known).MaxLease >= TimeSpan.FromMinutes(30), "the lease was extended");
            client.Resume();
            FrameLoop.Until(client, () => events.Exists(e => e.Type == ArrEventType.Resumed), "the resume");

            session.Watch(new WatchOptions { OnSuspend = SuspendAction.Stop });
            Check.True(client.Suspend(TimeSpan.FromSeconds(10)), "all was done in time");
            Check.Equal("Stopped", Service.StatusOf(session.Id), "status after a suspend that stops");
            client.Resume();

            RenderingSession another = FrameLoop.ReadySession(client);
            another.Watch(new WatchOptions { OnSuspend = SuspendAction.Stop });
            Service.FaultOfStop(Service.AnswerAfter(500));
            Check.True(!client.Suspend(TimeSpan.Zero), "no time, so not all was done");
            FrameLoop.Until(() => Service.StatusOf(another.Id) == "Stopped", "the stop, which continues");
        }
    }

    internal static void ALostCreate()
    {
        if (Service.Version != ApiVersion.V1)
        {
            // The client chose the id and retries the create, so nothing is lost.
            Service.FaultOfCreate("{\"type\": \"close\", \"execute\": true}");
            using (ArrClient client = Service.NewClient())
            {
                Check.True(FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession())).Id.Length > 0, "a session");
                Check.Equal(1, Service.Running().Count, "sessions");
            }
            return;
        }
        using (ArrClient client = Service.NewClient())
        {
            List<ArrEvent> events = new List<ArrEvent>();
            client.EventReceived += events.Add;
            Service.FaultOfCreate("{\"type\": \"close\", \"execute\": true}");
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession())), "a create whose reply is lost");
            Check.Equal(ArrStatus.OutcomeUnknown, e.Status, "status");
            Check.True(e.OutcomeUnknown && e.HttpStatus == 0, "the outcome is unknown");
            FrameLoop.Until(client, () => events.Exists(one => one.Type == ArrEventType.CreateLost), "the candidates");
            ArrEvent lost = events.Find(one => one.Type == ArrEventType.CreateLost);
            Check.True(lost.Session == null && lost.Count == 1 && lost.Index == 0, "one candidate, without an object");
            Check.Equal(Service.Running()[0], lost.SessionId, "its id");
        }
    }

    internal static void ATokenOnRequest()
    {
        ArrClientOptions options = Service.Options();
        using (ArrClient keyed = Service.NewClient())
        {
            string good = keyed.GetToken().Value;
            Check.Throws<ArrException>(() => keyed.SetToken(good), "a token for a client that has a key");
            options.AccountKey = null;
            options.AccessToken = good.Substring(0, good.LastIndexOf('.')) + ".AAAA";
            options.TokenOnRequest = true;
            using (ArrClient client = new ArrClient(options))
            {
                int asked = 0;
                client.EventReceived += e =>
                {
                    if (e.Type == ArrEventType.TokenNeeded)
                    {
                        asked++;
                        client.SetToken(good);
                    }
                };
                Task<IReadOnlyList<SessionProperties>> list = client.ListSessionsAsync();
                Check.Equal(0, FrameLoop.Result(client, list).Count, "sessions");
                Check.True(asked > 0, "a token was requested");
            }
        }
    }

    internal static void AWatchedSessionIsHeld()
    {
        using (ArrClient client = Service.NewClient())
        {
            int events = 0;
            Thread thread = new Thread(() =>
            {
                RenderingSession session = client.CreateSession(Service.NewSession());
                session.EventReceived += e => Interlocked.Increment(ref events);
                session.Watch();
            });
            thread.Start();
            thread.Join();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            FrameLoop.Until(client, () => events > 0, "events of a session that only its client holds");
        }
    }
}
