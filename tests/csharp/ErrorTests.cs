using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>An exception for each kind of failure, with what there is to know about it.</summary>
internal static class ErrorTests
{
    internal static void Usage()
    {
        ArrClientOptions options = Service.Options();
        options.AccountId = "no GUID";
        ArrException e = Check.Throws<ArrException>(() => new ArrClient(options), "an account id that is none");
        Expect(e, ArrStatus.InvalidArgument, ArrCategory.Usage, 0);
        Check.Contains("arr_client_new", e.Message, "its message");
        Check.ContainsNot(Service.Variable("ARR_ACCOUNT_KEY"), e.ToString(), "no key in an exception");

        options = Service.Options();
        options.ApiVersion = (ApiVersion)77;
        Check.Throws<ArrException>(() => new ArrClient(options), "an API version that there is not");

        using (ArrClient client = Service.NewClient())
        {
            // A wrong argument is found before anything is sent, and is told by the task.
            Task<RenderingSession> create = client.CreateSessionAsync(new CreateSessionOptions());
            Check.True(create.IsFaulted, "a create without a lease has failed already");
            e = (ArrException)create.Exception.InnerException;
            Expect(e, ArrStatus.InvalidArgument, ArrCategory.Usage, 0);
            e = Check.Throws<ArrException>(() => client.CreateSession(new CreateSessionOptions()), "the twin");
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
                () => client.ListSessions(TimeSpan.FromMilliseconds(100)), "the twin");
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
            Check.Contains("HTTP 401, MS-CV " + e.CorrelationVector, e.ToString(), "what it says for a log");
            Check.Contains("ARR_ERROR_UNAUTHORIZED", e.ToString(), "what it says for a log");
        }
    }

    internal static void Network()
    {
        ArrClientOptions options = Service.Options();
        // Nobody listens at port 1.
        options.ServiceEndpoint = options.AccountDomain = "http://127.0.0.1:1";
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.GetTokenAsync()), "a port at which nobody listens");
            Expect(e, ArrStatus.Network, ArrCategory.Network, 0);
            Check.True(e.IsRetryable, "trying again may help");
        }
    }

    internal static void ServiceItself()
    {
        using (ArrClient client = Service.NewClient())
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.OpenSessionAsync("nobody-knows-it")), "a session that there is not");
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
            Check.Equal(null, e.RetryAfter, "how long to wait, if nobody said so");
        }
    }

    internal static void TheSessionItself()
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
                () => session.WaitUntilReady(), "the twin, with a session that was stopped");
            Expect(e, ArrStatus.SessionEnded, ArrCategory.Session, 0);
            Check.Equal(SessionStatus.Stopped, e.Properties.Status, "status in its properties");
        }
    }

    internal static void Storage()
    {
        ArrClientOptions options = Service.Options();
        options.JournalPath = Service.Scratch("becomes-a-folder");
        using (ArrClient client = new ArrClient(options))
        {
            File.Delete(options.JournalPath);
            Directory.CreateDirectory(options.JournalPath);
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession())), "a journal that is a folder");
            Expect(e, ArrStatus.Storage, ArrCategory.Storage, 0);
            Check.Equal(0, Service.Running().Count, "a create that could not be noted was not sent");
        }
        ArrException known = Check.Throws<ArrException>(() => new ArrClient(options), "a client whose journal is a folder");
        Expect(known, ArrStatus.Storage, ArrCategory.Storage, 0);
        Directory.Delete(options.JournalPath);
    }

    /// <summary>
    /// Nothing that a program can do brings a defect of the library about, so its numbers are mapped here, and those that only a
    /// newer library may have.
    /// </summary>
    internal static unsafe void TheLibraryItself()
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
        Check.Equal("ARR_ERROR_UNKNOWN", unknown.StatusName, "the name of a status that nobody knows");

        error.status = Native.ARR_ERROR_INVALID_HANDLE;
        Check.True(ArrException.From(&error, "ArrClient") is ObjectDisposedException, "a handle that native does not know");
    }

    internal static void Tls()
    {
        ArrClientOptions options = Service.Options();
        options.AccountDomain = options.ServiceEndpoint = Service.Variable("ARR_TLS_URL");
        options.MaxRetries = 0;
        using (ArrClient client = new ArrClient(options))
        {
            ArrException e = Check.Throws<ArrException>(
                () => FrameLoop.Result(client, client.GetTokenAsync()), "an authority that nobody trusts");
            Expect(e, ArrStatus.Tls, ArrCategory.Network, 0);
        }
    }

    /// <summary>What cannot be passed on at all is refused at once.</summary>
    internal static void Arguments()
    {
        using (ArrClient client = Service.NewClient())
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            TimeSpan negative = TimeSpan.FromSeconds(-2);
            Check.Throws<ArgumentNullException>(() => new ArrClient(null), "no options");
            Check.Throws<ArgumentNullException>(() => client.CreateSessionAsync(null), "no options");
            Check.Throws<ArgumentNullException>(() => client.ResumeOrCreateSessionAsync(null), "no options");
            Check.Throws<ArgumentNullException>(() => client.OpenSessionAsync(null), "no id");
            Check.Throws<ArgumentNullException>(() => client.SetToken(null), "no token");
            Check.Throws<ArgumentNullException>(() => session.KeepAlive(null), "no options");
            Check.Throws<ArgumentException>(() => client.OpenSessionAsync("a\0b"), "a NUL in a text");
            Check.Throws<ArgumentException>(() => client.OpenSessionAsync("a\uD83D"), "half a surrogate pair");
            Check.Throws<ArgumentOutOfRangeException>(() => client.ListSessionsAsync(timeout: TimeSpan.Zero), "no time");
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
            Check.Throws<ArgumentOutOfRangeException>(() => new ArrClient(options), "negative repetitions");
            options = Service.Options();
            options.PollInterval = TimeSpan.Zero;
            Check.Throws<ArgumentOutOfRangeException>(() => new ArrClient(options), "an interval of no length");
            Check.True(FrameLoop.Result(client, client.ListSessionsAsync(timeout: Timeout.InfiniteTimeSpan)).Count == 1, "for ever");
        }
    }

    private static void Expect(ArrException e, ArrStatus status, ArrCategory category, int httpStatus)
    {
        Check.Equal(status, e.Status, "status of: " + e.Message);
        Check.Equal(category, e.Category, "category of: " + e.Message);
        Check.Equal(httpStatus, e.HttpStatus, "HTTP status of: " + e.Message);
    }
}
