using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>An exception for each kind of failure, with its details.</summary>
internal static class ErrorTests
{
    internal static void Usage()
    {
        ArrClientOptions options = Service.Options();
        options.AccountId = "no GUID";
        ArrException e = Check.Throws<ArrException>(() => new ArrClient(options), "an invalid account id");
        Expect(e, ArrStatus.InvalidArgument, ArrCategory.Usage, 0);
        Check.Equal(0, e.Message.IndexOf("ArrClient: ", StringComparison.Ordinal), "the called method: " + e.Message);
        Check.ContainsNot(Service.Variable("ARR_ACCOUNT_KEY"), e.ToString(), "no key in an exception");

        options = Service.Options();
        options.ApiVersion = (ApiVersion)77;
        Check.Throws<ArrException>(() => new ArrClient(options), "an unknown API version");

        using (ArrClient client = Service.NewClient())
        {
            // An invalid argument is found before anything is sent. The task reports it.
            Task<RenderingSession> create = client.CreateSessionAsync(new CreateSessionOptions());
            Check.True(create.IsFaulted, "a create without a lease has failed already");
            e = (ArrException)create.Exception.InnerException;
            Expect(e, ArrStatus.InvalidArgument, ArrCategory.Usage, 0);
            e = Check.Throws<ArrException>(() => client.CreateSession(new CreateSessionOptions()), "the blocking variant");
            Expect(e, ArrStatus.InvalidArgument, ArrCategory.Usage, 0);
            e = Check.Throws<ArrException>(() => client.RecoverSessions(), "a recovery without a journal");
            Expect(e, ArrStatus.InvalidArgument, ArrCategory.Usage, 0);
        }
    }

    internal static void Ended()
    {
        using (ArrClient client = Service.NewImpatientClient())
        {
            Service.FaultOfList(Service.Stall, 0);
            TimeSpan soon = TimeSpan.FromMilliseconds(100);
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.ListSessionsAsync(timeout: soon)), "a list whose time runs out");
            Expect(e, ArrStatus.Timeout, ArrCategory.Ended, 0);
            Check.True(e.IsRetryable, "it may be called again");
            Check.Equal("ARR_ERROR_TIMEOUT", e.StatusName, "the name of its status");
        }
        using (ArrClient client = Service.NewImpatientClient())
        {
            ArrException e = Check.Throws<ArrException>(
                () => client.ListSessions(TimeSpan.FromMilliseconds(100)), "the blocking variant");
            Expect(e, ArrStatus.Timeout, ArrCategory.Ended, 0);
        }
    }

    internal static void Authentication()
    {
        ArrClientOptions options = Service.Options();
        options.AccountKey = "d3Jvbmc=";
        using (ArrClient client = new ArrClient(options))
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.GetTokenAsync()), "a wrong key");
            Expect(e, ArrStatus.Unauthorized, ArrCategory.Authentication, 401);
            Check.True(!e.IsRetryable, "trying again does not help");
            Check.True(e.CorrelationVector.Length > 0, "the reply's MS-CV");
            Check.Contains("HTTP 401, MS-CV " + e.CorrelationVector, e.ToString(), "the text for a log");
            Check.Contains("ARR_ERROR_UNAUTHORIZED", e.ToString(), "the text for a log");
        }
    }

    internal static void Network()
    {
        ArrClientOptions options = Service.Options();
        // Nothing listens on port 1.
        options.ServiceEndpoint = options.AccountDomain = "http://127.0.0.1:1";
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.GetTokenAsync()), "a port that nothing listens on");
            Expect(e, ArrStatus.Network, ArrCategory.Network, 0);
            Check.True(e.IsRetryable, "trying again may help");
        }
    }

    internal static void TheService()
    {
        using (ArrClient client = Service.NewClient())
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.OpenSessionAsync("no-such-session")), "an unknown session");
            Expect(e, ArrStatus.NotFound, ArrCategory.Service, 404);
        }
        ArrClientOptions options = Service.Options();
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            Service.FaultOfList(Service.Status(429, "", "\"Retry-After\": \"7\""));
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.ListSessionsAsync()), "too many requests");
            Expect(e, ArrStatus.Throttled, ArrCategory.Service, 429);
            Check.Equal(TimeSpan.FromSeconds(7), e.RetryAfter, "how long to wait");
        }
        using (ArrClient client = new ArrClient(options))
        {
            Service.FaultOfList(Service.Status(
                400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"No.\"}}", "\"Content-Type\": \"application/json\""));
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.ListSessionsAsync()), "a bad request");
            Expect(e, ArrStatus.BadRequest, ArrCategory.Service, 400);
            Check.Equal("BadRequest", e.ServiceCode, "the service's code");
            Check.Equal(null, e.RetryAfter, "no delay");
        }
    }

    internal static void TheSession()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
            Service.Force(session.Id, "Error", "The server caught fire.");
            ArrSessionEndedException e = Check.Throws<ArrSessionEndedException>(
                () => FrameLoop.Result(client, session.WaitUntilReadyAsync()), "a session that fails");
            Expect(e, ArrStatus.SessionFailed, ArrCategory.Session, 0);
            Check.Contains("caught fire", e.Message, "the service's message");
            Check.Equal(session.Id, e.Properties.SessionId, "id in its properties");
            Check.Equal(SessionStatus.Error, e.Properties.Status, "status in its properties");
        }
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = client.CreateSession(Service.NewSession());
            Service.Force(session.Id, "Stopped");
            ArrSessionEndedException e = Check.Throws<ArrSessionEndedException>(
                () => session.WaitUntilReady(), "the blocking variant, with a stopped session");
            Expect(e, ArrStatus.SessionEnded, ArrCategory.Session, 0);
            Check.Equal(SessionStatus.Stopped, e.Properties.Status, "status in its properties");
        }
    }

    internal static void Storage()
    {
        ArrClientOptions options = Service.Options();
        options.JournalFolder = Service.Scratch("becomes-a-file");
        using (ArrClient client = new ArrClient(options))
        {
            Directory.Delete(options.JournalFolder);
            File.WriteAllText(options.JournalFolder, "");
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession())), "a journal folder that is a file");
            Expect(e, ArrStatus.Storage, ArrCategory.Storage, 0);
            Check.Equal(0, Service.Running().Count, "a create that could not be recorded was not sent");
        }
        ArrException known = Check.Throws<ArrException>(() => new ArrClient(options), "a client whose journal folder is a file");
        Expect(known, ArrStatus.Storage, ArrCategory.Storage, 0);
        File.Delete(options.JournalFolder);
    }

    /// <summary>
    /// No program can provoke a bug in the library, so its statuses are mapped here, as are those of newer libraries.
    /// </summary>
    internal static unsafe void TheLibrary()
    {
        arr_error_info error = Blank.Error;
        error.status = Native.ARR_ERROR_INTERNAL;
        error.category = Native.arr_status_category(error.status);
        Expect((ArrException)ArrException.From(&error, "ArrClient"), ArrStatus.Internal, ArrCategory.Internal, 0);

        error.status = -599;
        error.category = Native.arr_status_category(error.status);
        error.http_status = 507;
        ArrException unknown = (ArrException)ArrException.From(&error, "ArrClient");
        Expect(unknown, (ArrStatus)(-599), ArrCategory.Service, 507);
        Check.Equal("ARR_ERROR_UNKNOWN", unknown.StatusName, "the name of an unknown status");

        error.status = Native.ARR_ERROR_INVALID_HANDLE;
        Check.True(ArrException.From(&error, "ArrClient") is ObjectDisposedException, "an unknown native handle");
    }

    internal static void Tls()
    {
        ArrClientOptions options = Service.Options();
        options.AccountDomain = options.ServiceEndpoint = Service.Variable("ARR_TLS_URL");
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.GetTokenAsync()), "an untrusted authority");
            Expect(e, ArrStatus.Tls, ArrCategory.Network, 0);
        }
    }

    /// <summary>Arguments that cannot be passed to native code throw at once.</summary>
    internal static void Arguments()
    {
        using (ArrClient client = Service.NewClient())
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            TimeSpan negative = TimeSpan.FromSeconds(-2);
            Check.Throws<ArgumentNullException>(() => new ArrClient(null), "no options");
            Check.Throws<ArgumentNullException>(() => client.CreateSessionAsync(null), "no options");
            Check.Throws<ArgumentNullException>(() => client.ReuseOrCreateSessionAsync(null), "no options");
            Check.Throws<ArgumentNullException>(() => client.OpenSessionAsync(null), "no id");
            Check.Throws<ArgumentNullException>(() => client.SetToken(null), "no token");
            Check.Throws<ArgumentNullException>(() => session.KeepAlive(null), "no options");
            Check.Throws<ArgumentException>(() => client.OpenSessionAsync("a\0b"), "a NUL in a text");
            Check.Throws<ArgumentException>(() => client.OpenSessionAsync("a\uD83D"), "half a surrogate pair");
            Check.Throws<ArgumentOutOfRangeException>(() => client.ListSessionsAsync(timeout: TimeSpan.Zero), "no time");
            Check.Throws<ArgumentOutOfRangeException>(() => session.WaitUntilReadyAsync(timeout: TimeSpan.Zero), "no time");
            Expect(Check.Throws<ArrException>(() => client.ListSessions(TimeSpan.Zero), "no time"),
                ArrStatus.Timeout, ArrCategory.Ended, 0);
            Check.Throws<ArgumentOutOfRangeException>(() => client.ListSessionsAsync(timeout: negative), "negative time");
            Check.Throws<ArgumentOutOfRangeException>(() => session.WaitUntilReadyAsync(timeout: negative), "negative time");
            Check.Throws<ArgumentOutOfRangeException>(() => session.UpdateLeaseAsync(negative), "a negative lease");
            Check.Throws<ArgumentOutOfRangeException>(() => session.UpdateLeaseAsync(TimeSpan.MaxValue), "an endless lease");
            Check.Throws<ArgumentOutOfRangeException>(() => client.Shutdown(negative), "negative time");
            Check.Throws<ArgumentOutOfRangeException>(
                () => session.Watch(new WatchOptions { WarnBefore = negative }), "negative time");
            Check.Throws<ArgumentOutOfRangeException>(
                () => client.CreateSession(new CreateSessionOptions { MaxLease = negative }), "a negative lease");
            ArrClientOptions options = Service.Options();
            options.MaxRetries = -1;
            Check.Throws<ArgumentOutOfRangeException>(() => new ArrClient(options), "negative retries");
            options = Service.Options();
            options.PollInterval = TimeSpan.Zero;
            Check.Throws<ArgumentOutOfRangeException>(() => new ArrClient(options), "a zero interval");
            Check.True(FrameLoop.Result(client, client.ListSessionsAsync(timeout: Timeout.InfiniteTimeSpan)).Count == 1, "no limit");
        }
    }

    /// <summary>A message names the called method, and the options by their C# names.</summary>
    internal static void Names()
    {
        ArrClientOptions options = Service.Options();
        options.CallTimeout = TimeSpan.FromDays(2);
        ExpectNames("ArrClient: ", "`CallTimeout`", () => new ArrClient(options));
        options = Service.Options();
        options.AccountDomain = "westus9";
        ExpectNames("ArrClient: ", "`AccountDomain`", () => new ArrClient(options));
        options = Service.Options();
        options.LogLevel = ArrLogLevel.Warning;
        CreateSessionOptions none = new CreateSessionOptions();
        TimeSpan shorter = TimeSpan.FromSeconds(20);
        // Blocking calls throw on a thread that pumps, so this client is not pumped.
        using (ArrClient client = new ArrClient(options))
        {
            ExpectNames("ArrClient.CreateSession: ", "`MaxLease`", () => client.CreateSession(none));
            ExpectNames("ArrClient.OpenSession: ", "`SessionId`", () => client.OpenSession("ä"));
            using (RenderingSession session = client.CreateSession(Service.NewSession()))
            {
                ExpectNames("RenderingSession.UpdateLease: ", "`MaxLease`", () => session.UpdateLease(shorter));
                Service.FaultOfList(Service.Status(403));
                ExpectNames("ArrClient.ListSessions: ", "403", () => client.ListSessions());
                session.Stop();
            }
        }
        using (ArrClient client = new ArrClient(options))
        {
            ExpectNames("ArrClient.CreateSessionAsync: ", "`MaxLease`", () => Result(client, client.CreateSessionAsync(none)));
            ExpectNames("ArrClient.RecoverSessionsAsync: ", "`JournalFolder`", () => Result(client, client.RecoverSessionsAsync()));
            // An operation that native code starts, and whose failure it reports later.
            Service.FaultOfList(Service.Status(403), 0);
            ExpectNames("ArrClient.ListSessionsAsync: ", "403", () => Result(client, client.ListSessionsAsync()));
            Service.NoFaults();
            Service.FaultOfStop(Service.Status(403), 0);
            List<string> lines = new List<string>();
            client.LogReceived += entry => lines.Add(entry.Message);
            CreateSessionOptions brief = new CreateSessionOptions { MaxLease = TimeSpan.FromSeconds(30) };
            Result(client, client.CreateSessionAsync(brief)).Dispose();
            // REST 2021-01-01 rounds leases up to whole minutes.
            Check.Equal(Service.Version == ApiVersion.V1,
                lines.Exists(line => line.Contains("`MaxLease`")), "a log line");
            using (RenderingSession session = Result(client, client.CreateSessionAsync(Service.NewSession())))
            {
                ExpectNames("RenderingSession.UpdateLeaseAsync: ", "`MaxLease`", () => Result(client, session.UpdateLeaseAsync(shorter)));
                ExpectNames("RenderingSession.StopAsync: ", "403", () => Result(client, session.StopAsync()));
                session.Watch();
                KeepAliveOptions keep = new KeepAliveOptions { Cap = TimeSpan.FromDays(400) };
                ExpectNames("RenderingSession.KeepAlive: ", "`Cap`", () => session.KeepAlive(keep));
                Service.NoFaults();
                Result(client, session.StopAsync());
                ArrSessionEndedException ended = Check.Throws<ArrSessionEndedException>(
                    () => Result(client, session.WaitUntilReadyAsync()), "a wait for one that is stopped");
                Check.Equal(0, ended.Message.IndexOf("RenderingSession.WaitUntilReadyAsync: ", StringComparison.Ordinal),
                    "the called method: " + ended.Message);
            }
        }
        Check.Equal("`CaFile` `x-y` and `MaxLease` of ` ca_file", Messages.WithNames(
            "`ca_file` `x-y` and `max_lease_seconds` of ` ca_file"), "names and other texts in backticks");
    }

    private static T Result<T>(ArrClient client, Task<T> task)
    {
        return FrameLoop.Result(client, task);
    }

    private static void ExpectNames(string called, string fact, Action action)
    {
        ArrException e = Check.Throws<ArrException>(action, called);
        Check.Equal(0, e.Message.IndexOf(called, StringComparison.Ordinal), "the called method: " + e.Message);
        Check.Contains(fact, e.Message, called);
        Check.ContainsNot("arr_", e.Message, called);
        Check.ContainsNot("_ms", e.Message, called);
        Check.ContainsNot("_seconds", e.Message, called);
    }

    private static void Expect(ArrException e, ArrStatus status, ArrCategory category, int httpStatus)
    {
        Check.Equal(status, e.Status, "status of: " + e.Message);
        Check.Equal(category, e.Category, "category of: " + e.Message);
        Check.Equal(httpStatus, e.HttpStatus, "HTTP status of: " + e.Message);
    }
}
