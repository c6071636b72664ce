using System;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>An application domain that is unloaded in the middle of everything, as Unity's is when scripts are compiled.</summary>
internal static class DomainTests
{
    internal static void UnloadedWithOperationsInFlight()
    {
        Unload(new CrossAppDomainDelegate(LeaveOperations), "leave operations");
    }

    internal static void UnloadedWithABackgroundPump()
    {
        Unload(new CrossAppDomainDelegate(LeaveABackgroundPump), "leave a background pump");
    }

    private static void Unload(CrossAppDomainDelegate leave, string name)
    {
        Service.FaultOfList(Service.Stall, 0);
        for (int round = 0; round < 3; round++)
        {
            AppDomain domain;
            try
            {
                domain = AppDomain.CreateDomain(name);
            }
            catch (PlatformNotSupportedException e)
            {
                throw new Skipped(e.Message);
            }
            domain.DoCallBack(leave);
            AppDomain.Unload(domain);
        }
        // The library has gone on: this domain's clients work, and what was left has ended with its clients.
        Service.NoFaults();
        using (ArrClient client = Service.NewClient())
        {
            Check.True(FrameLoop.Result(client, client.GetTokenAsync()).Value.Length > 0, "a client of the first domain");
        }
        FrameLoop.Until(() => Service.Running().Count == 0, "the stops that were promised");
        Check.True(ArrClient.ShutdownAll(TimeSpan.FromSeconds(20)), "the end of all that was left");
    }

    private static void LeaveOperations()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        session.Watch(new WatchOptions { StopOnShutdown = true });
        for (int i = 0; i < 50; i++)
        {
            Ignore(client.ListSessionsAsync());
            Ignore(session.WaitUntilReadyAsync());
        }
        client.Pump();
        AppDomain.CurrentDomain.SetData("kept", client);
    }

    private static void LeaveABackgroundPump()
    {
        ArrClientOptions options = Service.Options();
        options.PumpMode = PumpMode.Background;
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
            // The domain ends; nobody is told.
        }
    }
}
