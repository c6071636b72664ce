using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using ArrSession;

/// <summary>All operations of a client and a session, in both variants.</summary>
internal static class OperationTests
{
    internal static void AnAsyncStory()
    {
        using (ArrClient client = Service.NewClient())
        {
            FrameLoop.Run(client, Story(client));
        }
    }

    private static async Task Story(ArrClient client)
    {
        using (RenderingSession session = await client.CreateSessionAsync(Service.NewSession()))
        {
            Check.True(session.Id.Length > 0 && session.Client == client, "a session knows its id and its client");
            SessionProperties ready = await session.WaitUntilReadyAsync();
            Check.Equal(SessionStatus.Ready, ready.Status, "status after the wait");
            Check.Equal(session.Id, ready.SessionId, "id in the properties");
            Check.True(ready.Hostname.Length > 0 && ready.HandshakePort > 0 && ready.ArrInspectorPort > 0, "host and ports");
            Check.Equal(Service.Lease, ready.MaxLease, "lease");
            Check.Equal(SessionSize.Standard, ready.Size, "size");
            Check.True(ready.KnownToClient && ready.Claim == SessionClaim.None, "it is known, and nothing is claimed");

            SessionProperties longer = await session.UpdateLeaseAsync(TimeSpan.FromMinutes(20));
            Check.Equal(TimeSpan.FromMinutes(20), longer.MaxLease, "lease after the update");
            SessionProperties read = await session.GetPropertiesAsync();
            Check.Equal(TimeSpan.FromMinutes(20), read.MaxLease, "lease read again");
            Check.Equal(Service.Version == ApiVersion.V1, read.CreationTime == null, "only 2021-01-01 reports the creation time");

            IReadOnlyList<SessionProperties> all = await client.ListSessionsAsync();
            Check.Equal(1, all.Count, "sessions in the list");
            Check.Equal(session.Id, all[0].SessionId, "id in the list");

            using (RenderingSession same = await client.OpenSessionAsync(session.Id))
            {
                Check.Equal(session.Id, same.Id, "id of the opened session");
            }

            Check.True(!(await session.StopAsync()).AlreadyGone, "the stop was the first");
            Service.FaultOfStop(Service.Status(404), 2);
            Check.True((await session.StopAsync()).AlreadyGone, "the second stop comes too late");
            Check.Equal(SessionStatus.Stopped, (await session.GetPropertiesAsync()).Status, "status at the end");
        }
    }

    internal static void ABlockingStory()
    {
        using (ArrClient client = Service.NewClient())
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            Check.Equal(SessionStatus.Ready, session.WaitUntilReady().Status, "status after the wait");
            Check.Equal(TimeSpan.FromMinutes(20), session.UpdateLease(TimeSpan.FromMinutes(20)).MaxLease, "lease");
            Check.Equal(TimeSpan.FromMinutes(20), session.GetProperties().MaxLease, "lease read again");
            Check.Equal(1, client.ListSessions().Count, "sessions in the list");
            using (RenderingSession same = client.OpenSession(session.Id))
            {
                Check.Equal(session.Id, same.Id, "id of the opened session");
            }
            Check.True(!session.Stop().AlreadyGone, "the stop was the first");
            Service.FaultOfStop(Service.Status(404), 2);
            Check.True(session.Stop().AlreadyGone, "the second stop comes too late");
            Check.Equal(SessionStatus.Stopped, session.GetProperties().Status, "status at the end");
        }
    }

    internal static void CachedReadsSendNothing()
    {
        using (ArrClient client = Service.NewClient())
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            session.WaitUntilReady();
            Service.ForgetRequests();
            Check.Equal(SessionStatus.Ready, session.GetProperties(ReadMode.Known).Status, "known status");
            Check.ContainsNot("\"GET\"", Service.Requests(), "requests of a read of cached properties");
            session.GetProperties(ReadMode.Fresh);
            Check.Contains("\"GET\"", Service.Requests(), "requests of a fresh read");
        }
        ArrClientOptions patient = Service.Options();
        patient.ReadyPollInterval = TimeSpan.FromHours(1);
        using (ArrClient client = new ArrClient(patient))
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            session.WaitUntilReady();
            session.GetProperties(ReadMode.Fresh);
            Service.ForgetRequests();
            session.GetProperties(ReadMode.Cached);
            Check.ContainsNot("\"GET\"", Service.Requests(), "requests within ReadyPollInterval");
        }
    }

    internal static void AWaitInSlices()
    {
        using (ArrClient client = Service.NewClient())
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            ArrException e = Check.Throws<ArrException>(() => session.WaitUntilReady(TimeSpan.Zero), "a zero wait");
            Check.Equal(ArrStatus.Timeout, e.Status, "status of a wait that ran out");
            Check.Equal(SessionStatus.Ready, session.WaitUntilReady(System.Threading.Timeout.InfiniteTimeSpan).Status, "status");
        }
    }

    internal static void Tokens()
    {
        using (ArrClient client = Service.NewClient())
        {
            AccessToken token = FrameLoop.Result(client, client.GetTokenAsync());
            Check.True(token.Value.Split('.').Length == 3, "a token has three parts");
            Check.True(token.Remaining > TimeSpan.FromHours(1), "a token is good for a while");
            Check.ContainsNot(token.Value, token.ToString(), "the token's text");
            Check.ContainsNot(token.Value.Split('.')[2], token.ToString(), "the token's text");
        }
        using (ArrClient client = Service.NewClient())
        {
            Check.True(client.GetToken().Value.Length > 0, "a token from the blocking variant");
        }
        foreach (bool expires in new[] { true, false })
        {
            ArrClientOptions options = Service.Options();
            options.AccountKey = null;
            options.AccessToken = expires ? "h.eyJleHAiOjF9.s" : "h.e30.s";
            using (ArrClient client = new ArrClient(options))
            {
                TimeSpan? expected = expires ? TimeSpan.Zero : (TimeSpan?)null;
                Check.Equal(expected, client.GetToken().Remaining, "remaining time, expired or without expiry");
            }
        }
    }

    /// <summary>A token longer than the first buffer.</summary>
    internal static void ALongToken()
    {
        ArrClientOptions options = Service.Options();
        options.AccountKey = null;
        options.AccessToken = "e30.e30." + new string('a', 6000);
        using (ArrClient client = new ArrClient(options))
        {
            Check.Equal(options.AccessToken, FrameLoop.Result(client, client.GetTokenAsync()).Value, "a long token");
        }
        using (ArrClient client = new ArrClient(options))
        {
            Check.Equal(options.AccessToken, client.GetToken().Value, "a long token, blocking");
        }
    }

    internal static void StopAll()
    {
        using (ArrClient client = Service.NewClient())
        {
            client.CreateSession(Service.NewSession()).Dispose();
            client.CreateSession(Service.NewSession()).Dispose();
            StopAllResult result = client.StopAll();
            Check.Equal(2, result.Stopped, "stopped, blocking");
            Check.Equal(0, result.Failed + result.AlreadyGone, "others");

            FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession())).Dispose();
            Check.Equal(1, FrameLoop.Result(client, client.StopAllAsync()).Stopped, "stopped");

            FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession())).Dispose();
            using (ArrClient other = Service.NewClient())
            {
                Check.Equal(0, other.StopAll(StopScope.Own).Stopped, "stopped by a client that has created none");
                Check.Equal(1, other.StopAll(StopScope.Account).Stopped, "stopped in the account");
            }
            Check.Equal(0, Service.Running().Count, "sessions left");
        }
    }

    internal static void StopAllCountsFailures()
    {
        ArrClientOptions options = Service.Options();
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            client.CreateSession(Service.NewSession()).Dispose();
            client.CreateSession(Service.NewSession()).Dispose();
            Service.FaultOfStop(Service.Status(500));
            ArrStopAllException e = Check.Throws<ArrStopAllException>(
                () => FrameLoop.Result(client, client.StopAllAsync()), "a stop of two sessions, one of which fails");
            Check.Equal(1, e.Result.Failed, "failed");
            Check.Equal(1, e.Result.Stopped, "stopped");
            Check.Equal(ArrStatus.ServiceFailure, e.Status, "status");
        }
        using (ArrClient client = new ArrClient(options))
        {
            client.CreateSession(Service.NewSession()).Dispose();
            Service.FaultOfStop(Service.Status(500));
            ArrStopAllException e = Check.Throws<ArrStopAllException>(() => client.StopAll(), "the blocking variant");
            Check.Equal(1, e.Result.Failed, "failed");
        }
    }

    internal static void RecoverAndReuse()
    {
        ArrClientOptions options = Service.Options();
        options.JournalFolder = Service.Scratch("recover-journal");
        string left = Leave(options);
        using (ArrClient client = new ArrClient(options))
        {
            IReadOnlyList<RecoveredSession> found = FrameLoop.Result(client, client.RecoverSessionsAsync());
            Check.Equal(1, found.Count, "recovered sessions");
            Check.Equal(left, found[0].Session.Id, "id of the recovered session");
            Check.Equal(SessionClaim.Ours, found[0].Properties.Claim, "claim");
            Check.Equal(left, found[0].Properties.SessionId, "id in its properties");
            End(client);
        }
        using (ArrClient client = new ArrClient(options))
        {
            IReadOnlyList<RecoveredSession> found = client.RecoverSessions();
            Check.Equal(1, found.Count, "recovered, blocking");
            FrameLoop.Result(client, found[0].Session.StopAsync());
            End(client);
        }

        left = Leave(options);
        ReuseOptions few = new ReuseOptions { MinRemaining = TimeSpan.FromMinutes(1) };
        using (ArrClient client = new ArrClient(options))
        {
            ReuseResult reused = FrameLoop.Result(client, client.ReuseOrCreateSessionAsync(Service.NewSession(), few));
            Check.True(reused.Reused && reused.Session.Id == left, "the earlier session is reused");
            End(client);
        }
        using (ArrClient client = new ArrClient(options))
        {
            ReuseResult reused = client.ReuseOrCreateSession(Service.NewSession(), few);
            Check.True(reused.Reused && reused.Session.Id == left, "reused, blocking");
            reused.Session.Stop();
            ReuseResult created = client.ReuseOrCreateSession(Service.NewSession(), few);
            Check.True(!created.Reused && created.Session.Id != left, "a new one where there is none");
            ReuseOptions named = new ReuseOptions { MinRemaining = TimeSpan.FromMinutes(1), SessionId = created.Session.Id };
            Check.True(client.ReuseOrCreateSession(Service.NewSession(), named).Reused, "the one that is named");
            ReuseOptions much = new ReuseOptions { MinRemaining = TimeSpan.FromHours(1) };
            Check.True(!client.ReuseOrCreateSession(Service.NewSession(), much).Reused, "none that has so much left");
            client.StopAll();
        }
    }

    /// <summary>A session that its client did not stop.</summary>
    private static string Leave(ArrClientOptions options)
    {
        using (ArrClient earlier = new ArrClient(options))
        using (RenderingSession session = earlier.CreateSession(Service.NewSession()))
        {
            End(earlier);
            return session.Id;
        }
    }

    /// <summary>Sessions become recoverable when their owner has ended, which Dispose does not wait for.</summary>
    private static void End(ArrClient client)
    {
        Check.True(client.Shutdown(TimeSpan.FromSeconds(10)), "the end of a client");
    }

    internal static void CreateOptions()
    {
        using (ArrClient client = Service.NewClient())
        {
            CreateSessionOptions options = new CreateSessionOptions
            {
                Size = SessionSize.Premium,
                MaxLease = TimeSpan.FromSeconds(59.5),
                ExtraJson = "{\"note\": \"grüße\"}",
            };
            if (Service.Version == ApiVersion.V1)
            {
                options.Models = new[] { "https://example.org/one.arrAsset", "https://example.org/two.arrAsset" };
            }
            else
            {
                options.SessionId = "chosen-" + Guid.NewGuid().ToString("N");
            }
            using (RenderingSession session = client.CreateSession(options))
            {
                SessionProperties properties = session.GetProperties();
                Check.Equal(SessionSize.Premium, properties.Size, "size");
                Check.Equal(TimeSpan.FromSeconds(60), properties.MaxLease, "lease, rounded up");
                Check.True(options.SessionId == null || options.SessionId == session.Id, "the id that was chosen");
                session.Stop();
            }
        }
    }

    internal static void AThousandAtOnce()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.ReadySession(client);
            Task[] tasks = new Task[1000];
            for (int i = 0; i < tasks.Length; i++)
            {
                tasks[i] = StartOne(client, session, i);
            }
            Task all = Task.WhenAll(tasks);
            FrameLoop.Until(client, () => all.IsCompleted, "the end of a thousand operations");
            all.GetAwaiter().GetResult();
            FrameLoop.Run(client, session.StopAsync());
            Check.Equal(0, client.Pump(), "events left");
        }
    }

    private static Task StartOne(ArrClient client, RenderingSession session, int number)
    {
        switch (number % 4)
        {
            case 0: return session.GetPropertiesAsync();
            case 1: return client.ListSessionsAsync();
            case 2: return client.GetTokenAsync();
            default: return session.WaitUntilReadyAsync();
        }
    }
}
