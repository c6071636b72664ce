using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>An application domain unloaded during operations, as in Unity when scripts are compiled.</summary>
internal static class DomainTests
{
    internal static void UnloadedWithOperationsInFlight()
    {
        SkipWithoutDomains();
        Unload(false);
    }

    internal static void UnloadedWithABackgroundPump()
    {
        SkipWithoutDomains();
        Unload(true);
    }

    private static void SkipWithoutDomains()
    {
        string runtime = Environment.GetEnvironmentVariable("ARR_RUNTIME");
        if (runtime != "mono-jit" && runtime != "mono-boehm")
        {
            throw new Skipped("this runtime has one domain only");
        }
    }

    /// <summary>A separate method, because not every runtime has its types.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Unload(bool background)
    {
        CrossAppDomainDelegate leave = background
            ? new CrossAppDomainDelegate(LeaveABackgroundPump)
            : new CrossAppDomainDelegate(LeaveOperations);
        Service.FaultOfList(Service.Stall, 0);
        for (int round = 0; round < 3; round++)
        {
            AppDomain domain = AppDomain.CreateDomain("abandoned");
            domain.DoCallBack(leave);
            AppDomain.Unload(domain);
        }
        // The library continues: this domain's clients work, and the others ended with their domains.
        Service.NoFaults();
        using (ArrClient client = Service.NewClient())
        {
            Check.True(FrameLoop.Result(client, client.GetTokenAsync()).Value.Length > 0, "a client of the first domain");
        }
        FrameLoop.Until(() => Service.Running().Count == 0, "the stops on shutdown");
        Check.True(ArrClient.ShutdownAll(TimeSpan.FromSeconds(20)), "the end of all other clients");
    }

    private static void LeaveOperations()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        session.Watch(new WatchOptions { StopOnShutdown = true });
        ArrClient another = Service.NewImpatientClient();
        for (int i = 0; i < 50; i++)
        {
            Ignore(another.ListSessionsAsync());
            Ignore(session.WaitUntilReadyAsync());
        }
        client.Pump();
        another.Pump();
        AppDomain.CurrentDomain.SetData("kept", new[] { client, another });
    }

    private static void LeaveABackgroundPump()
    {
        ArrClientOptions options = Service.Options();
        options.PumpMode = PumpMode.Background;
        options.AttemptTimeout = TimeSpan.FromMilliseconds(500);
        ArrClient client = new ArrClient(options);
        Ignore(client.ListSessionsAsync());
        client.GetTokenAsync().Wait();
        AppDomain.CurrentDomain.SetData("kept", client);
    }

    private static async void Ignore(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception)
        {
            // The domain is ending.
        }
    }
}
