/*
 * A rendering session from beginning to end: create it, watch it start, extend its lease, find it among the account's
 * sessions, stop it.
 *
 * It reads these variables, and works against the emulator (cargo run -p arr-service) as against any other service:
 *
 *   ARR_ACCOUNT_ID         the account's id, a GUID
 *   ARR_ACCOUNT_KEY        the account's primary or secondary key
 *   ARR_ACCOUNT_DOMAIN     where the account was made: a region, the account domain, or the URL of the token service
 *   ARR_SERVICE_ENDPOINT   where the session shall run: a region, or the URL of the session service
 *   ARR_CA_FILE            a PEM file with the authority of a private certificate; not set: the platform's authorities
 *   ARR_API_VERSION        "v1", which is also the default, or "2021-01-01"
 *   ARR_POLL_INTERVAL_MS   how often a starting session is read; not set: as the service asks
 *
 * It has no loop to keep going, so it uses the methods that block. In one that has, use their twins that end in Async, and
 * call client.Pump() once a frame.
 *
 * By hand:  mcs -unsafe -langversion:7.2 -out:quickstart.exe bindings/csharp/*.cs examples/csharp/Quickstart.cs
 *           LD_LIBRARY_PATH=target/release mono quickstart.exe
 */
using System;
using ArrSession;

internal static class Quickstart
{
    private static readonly TimeSpan HalfAnHour = TimeSpan.FromMinutes(30); // what a forgotten session can cost at most
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
                Console.Error.WriteLine("error: ARR_ACCOUNT_ID is not set; set what this file's head lists");
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
            // Of any other the library tells which there are.
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
            // Whatever fails, the session is stopped afterwards: it costs money.
            try
            {
                Console.WriteLine("  id         {0}", session.Id);
                bool good = Try(() => Use(session)) && Try(() => List(client));
                return Try(() => Stop(session)) && good;
            }
            catch
            {
                // Not the library: the output cannot be written any more, say.
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

    /// <summary>
    /// Waits in short slices, so that the person sees that something happens: a dot a second. A slice costs no request.
    /// </summary>
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

    /// <summary>What is running in the account, and costs: other people's sessions are among them.</summary>
    private static void List(ArrClient client)
    {
        Console.WriteLine("Listing the account's sessions");
        foreach (SessionProperties entry in client.ListSessions())
        {
            Console.WriteLine("  {0}   {1}, {2}", entry.SessionId, Word(entry.Status),
                entry.KnownToClient ? "ours" : "somebody else's");
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
