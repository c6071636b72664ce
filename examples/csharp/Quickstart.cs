/*
 * A rendering session from beginning to end: creates it, waits until it is ready, extends its lease, lists the account's
 * sessions, stops it.
 *
 * It works with the emulator (cargo run -p arr-service) and with any other service. Set these variables:
 *
 *   ARR_ACCOUNT_ID         GUID of the account
 *   ARR_ACCOUNT_KEY        primary or secondary key of the account
 *   ARR_ACCOUNT_DOMAIN     where the account was created: a region, the account domain, or the URL of the token service
 *   ARR_SERVICE_ENDPOINT   where the session runs: a region, or the URL of the session service
 *   ARR_CA_FILE            PEM file with the authority of a private certificate; default: the platform's authorities
 *   ARR_API_VERSION        "v1" (default) or "2021-01-01"
 *   ARR_POLL_INTERVAL_MS   how often a starting session is polled; default: the library's
 *
 * This program has no frame loop, so it uses the blocking methods. In a frame loop, use the methods that end in Async, and call
 * client.Pump() once a frame.
 *
 * Compile and run it with:
 *
 *   mcs -unsafe -langversion:7.2 -out:quickstart.exe bindings/csharp/*.cs examples/csharp/Quickstart.cs
 *   LD_LIBRARY_PATH=target/release mono quickstart.exe
 */
using System;
using ArrSession;

internal static class Quickstart
{
    private static readonly TimeSpan HalfAnHour = TimeSpan.FromMinutes(30); // bounds what a forgotten session costs
    private static readonly TimeSpan AnHour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(250);

    private static int Main()
    {
        try
        {
            Console.WriteLine("arr_session {0}", ArrClient.LibraryVersion);
            if (Environment.GetEnvironmentVariable("ARR_ACCOUNT_ID") == null)
            {
                Console.Error.WriteLine("error: ARR_ACCOUNT_ID is not set; set the variables listed in this file");
                return 1;
            }
            using (ArrClient client = new ArrClient(OptionsFromEnvironment()))
            {
                return Run(client) ? 0 : 1;
            }
        }
        catch (ArrException e)
        {
            Print(e);
        }
        catch (ArrLibraryException e)
        {
            Console.Error.WriteLine("error: {0}", e.Message);
        }
        return 1;
    }

    private static ArrClientOptions OptionsFromEnvironment()
    {
        ArrClientOptions options = new ArrClientOptions
        {
            AccountId = Environment.GetEnvironmentVariable("ARR_ACCOUNT_ID"),
            AccountKey = Environment.GetEnvironmentVariable("ARR_ACCOUNT_KEY"),
            AccountDomain = Environment.GetEnvironmentVariable("ARR_ACCOUNT_DOMAIN"),
            ServiceEndpoint = Environment.GetEnvironmentVariable("ARR_SERVICE_ENDPOINT"),
            CaFile = Environment.GetEnvironmentVariable("ARR_CA_FILE"),
        };
        string version = Environment.GetEnvironmentVariable("ARR_API_VERSION");
        if (version != null && version != "v1")
        {
            // For any other, the library's error lists the versions.
            options.ApiVersion = version == "2021-01-01" ? ApiVersion.V2021_01_01 : (ApiVersion)(-1);
        }
        int milliseconds;
        if (int.TryParse(Environment.GetEnvironmentVariable("ARR_POLL_INTERVAL_MS"), out milliseconds) && milliseconds > 0)
        {
            options.PollInterval = TimeSpan.FromMilliseconds(milliseconds);
        }
        return options;
    }

    private static bool Run(ArrClient client)
    {
        Console.WriteLine("Creating a rendering session");
        CreateSessionOptions options = new CreateSessionOptions { Size = SessionSize.Standard, MaxLease = HalfAnHour };
        using (RenderingSession session = client.CreateSession(options))
        {
            // If anything fails, the session is still stopped, because it costs money.
            try
            {
                Console.WriteLine("  id         {0}", session.Id);
                bool good = Try(() => Use(session)) && Try(() => List(client));
                return Try(() => Stop(session)) && good;
            }
            catch
            {
                // Not an error of the library: for example, the output is closed.
                session.Stop();
                throw;
            }
        }
    }

    /// <summary>Everything between create and stop.</summary>
    private static void Use(RenderingSession session)
    {
        Console.WriteLine("Waiting until it is ready");
        Print(WaitUntilReady(session));

        Console.WriteLine("Extending its lease to an hour in all");
        session.UpdateLease(AnHour);

        Console.WriteLine("Reading its properties");
        Print(session.GetProperties());
    }

    /// <summary>Waits in short slices to show progress: a dot a second. Slices send no extra requests.</summary>
    private static SessionProperties WaitUntilReady(RenderingSession session)
    {
        TimeSpan waited = TimeSpan.Zero;
        Console.Write("  starting ");
        try
        {
            while (true)
            {
                if (waited.Milliseconds == 0)
                {
                    Console.Write(".");
                }
                waited += Slice;
                try
                {
                    return session.WaitUntilReady(Slice);
                }
                catch (ArrException e) when (e.Status == ArrStatus.Timeout && waited < Patience)
                {
                }
            }
        }
        finally
        {
            Console.WriteLine(" {0} after about {1} s", Word(session.GetSnapshot().Status), (int)waited.TotalSeconds);
        }
    }

    /// <summary>Lists all sessions that the account pays for, including those of other clients.</summary>
    private static void List(ArrClient client)
    {
        Console.WriteLine("Listing the account's sessions");
        foreach (SessionProperties entry in client.ListSessions())
        {
            Console.WriteLine("  {0}   {1}, {2}", entry.SessionId, Word(entry.Status),
                entry.KnownToClient ? "ours" : "another client's");
        }
    }

    private static void Stop(RenderingSession session)
    {
        Console.WriteLine("Stopping it");
        session.Stop();
        Console.WriteLine("  status     {0}", Word(session.GetProperties().Status));
    }

    private static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (ArrException e)
        {
            Print(e);
            return false;
        }
    }

    private static void Print(SessionProperties properties)
    {
        Console.WriteLine("  status     {0}", Word(properties.Status));
        Console.WriteLine("  hostname   {0}", properties.Hostname);
        Console.WriteLine("  ports      {0} handshake, {1} inspector", properties.HandshakePort, properties.ArrInspectorPort);
        Console.WriteLine("  lease      {0} s, of which {1} s are left", (long)properties.MaxLease.TotalSeconds,
            (long)properties.Remaining.TotalSeconds);
    }

    private static void Print(ArrException e)
    {
        Console.Error.Write("\nerror: {0}\n       {1}", e.Message, e.StatusName);
        if (e.HttpStatus != 0)
        {
            Console.Error.Write(", HTTP {0}", e.HttpStatus);
        }
        if (e.CorrelationVector.Length != 0)
        {
            Console.Error.Write(", MS-CV {0}", e.CorrelationVector);
        }
        Console.Error.WriteLine();
    }

    private static string Word(SessionStatus status)
    {
        switch (status)
        {
            case SessionStatus.Starting: return "starting";
            case SessionStatus.Ready: return "ready";
            case SessionStatus.Stopping: return "stopping";
            case SessionStatus.Stopped: return "stopped";
            case SessionStatus.Expired: return "expired";
            case SessionStatus.Error: return "error";
            default: return "unknown";
        }
    }
}
