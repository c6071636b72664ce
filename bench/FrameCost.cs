// The frame calls through C#, in nanoseconds, and the garbage that they make.
using System;
using System.Diagnostics;
using ArrSession;

internal static class FrameCost
{
    private const int Calls = 1000000;

    private static int Main()
    {
        ArrClientOptions options = new ArrClientOptions
        {
            AccountId = Environment.GetEnvironmentVariable("ARR_ACCOUNT_ID"),
            AccountKey = Environment.GetEnvironmentVariable("ARR_ACCOUNT_KEY"),
            AccountDomain = Environment.GetEnvironmentVariable("ARR_ACCOUNT_DOMAIN"),
            ServiceEndpoint = Environment.GetEnvironmentVariable("ARR_SERVICE_ENDPOINT"),
            CaFile = Environment.GetEnvironmentVariable("ARR_CA_FILE"),
        };
        using (ArrClient client = new ArrClient(options))
        {
            RenderingSession session = client.OpenSession("00000000-0000-4000-8000-000000000000");
            Measure("pump", () => client.Pump());
            Measure("snapshot", () => session.GetSnapshot());
        }
        return 0;
    }

    private static void Measure(string name, Action call)
    {
        for (int i = 0; i < 1000; i++)
        {
            call();
        }
        int collections = GC.CollectionCount(0);
        long before = GC.GetTotalMemory(false);
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < Calls; i++)
        {
            call();
        }
        double nanoseconds = watch.Elapsed.TotalMilliseconds * 1e6 / Calls;
        // A single byte of garbage in each call would fill the nursery and cause a collection.
        Console.WriteLine("{0}_ns {1:F3}", name, nanoseconds);
        Console.WriteLine("{0}_garbage {1}", name, GC.GetTotalMemory(false) - before);
        Console.WriteLine("{0}_collections {1}", name, GC.CollectionCount(0) - collections);
    }
}
