using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>The end of clients and sessions, in every order and on every thread.</summary>
internal static class DisposeTests
{
    internal static void PendingTasksAreCancelled()
    {
        ArrClient client = Service.NewImpatientClient();
        Service.FaultOfList(Service.Stall, 0);
        Task[] tasks = new Task[20];
        for (int i = 0; i < tasks.Length; i++)
        {
            tasks[i] = client.ListSessionsAsync();
        }
        int resumed = 0;
        foreach (Task task in tasks)
        {
            task.ContinueWith(ended => resumed++, TaskContinuationOptions.ExecuteSynchronously);
        }
        Stopwatch watch = Stopwatch.StartNew();
        client.Dispose();
        Check.True(watch.Elapsed < TimeSpan.FromSeconds(5), "it does not wait for the network");
        foreach (Task task in tasks)
        {
            Check.Equal(TaskStatus.Canceled, task.Status, "a pending task");
        }
        Check.Equal(tasks.Length, resumed, "continuations run");
    }

    internal static void Twice()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        session.Dispose();
        session.Dispose();
        client.Dispose();
        client.Dispose();
        session.Dispose();
        Check.True(client.IsDisposed && session.IsDisposed, "both report it");
    }

    internal static void ByManyThreadsAtOnce()
    {
        for (int round = 0; round < 20; round++)
        {
            ArrClient client = Service.NewClient();
            Task task = client.GetTokenAsync();
            Thread[] threads = new Thread[4];
            for (int i = 0; i < threads.Length; i++)
            {
                threads[i] = new Thread(client.Dispose);
                threads[i].Start();
            }
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
            Check.True(task.IsCanceled, "the pending task");
        }
    }

    internal static void CallsOnDisposedObjectsThrow()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        RenderingSession another = client.OpenSession(session.Id);
        session.Dispose();
        SessionCallsThrow(session);
        Check.Equal(session.Id.Length > 0, true, "its id is still known");

        client.Dispose();
        SessionCallsThrow(another);
        Gone("Pump", () => client.Pump());
        Gone("GetTokenAsync", () => client.GetTokenAsync());
        Gone("GetTokenAsync, cancelled", () => client.GetTokenAsync(new CancellationToken(true)));
        Gone("GetToken", () => client.GetToken());
        Gone("SetToken", () => client.SetToken("a.b.c"));
        Gone("CreateSessionAsync", () => client.CreateSessionAsync(Service.NewSession()));
        Gone("CreateSession", () => client.CreateSession(Service.NewSession()));
        Gone("OpenSessionAsync", () => client.OpenSessionAsync("an-id"));
        Gone("OpenSession", () => client.OpenSession("an-id"));
        Gone("ReuseOrCreateSessionAsync", () => client.ReuseOrCreateSessionAsync(Service.NewSession()));
        Gone("ReuseOrCreateSession", () => client.ReuseOrCreateSession(Service.NewSession()));
        Gone("ListSessionsAsync", () => client.ListSessionsAsync());
        Gone("ListSessions", () => client.ListSessions());
        Gone("RecoverSessionsAsync", () => client.RecoverSessionsAsync());
        Gone("RecoverSessions", () => client.RecoverSessions());
        Gone("StopAllAsync", () => client.StopAllAsync());
        Gone("StopAll", () => client.StopAll());
        Gone("Suspend", () => client.Suspend(TimeSpan.Zero));
        Gone("Resume", client.Resume);
        Gone("Shutdown", () => client.Shutdown(TimeSpan.Zero));
    }

    private static void SessionCallsThrow(RenderingSession session)
    {
        Gone("GetPropertiesAsync", () => session.GetPropertiesAsync());
        Gone("GetProperties", () => session.GetProperties());
        Gone("GetProperties, known", () => session.GetProperties(ReadMode.Known));
        Gone("WaitUntilReadyAsync", () => session.WaitUntilReadyAsync());
        Gone("WaitUntilReady", () => session.WaitUntilReady());
        Gone("UpdateLeaseAsync", () => session.UpdateLeaseAsync(TimeSpan.FromHours(1)));
        Gone("UpdateLease", () => session.UpdateLease(TimeSpan.FromHours(1)));
        Gone("StopAsync", () => session.StopAsync());
        Gone("Stop", () => session.Stop());
        Gone("Watch", () => session.Watch());
        Gone("Unwatch", session.Unwatch);
        Gone("KeepAlive", () => session.KeepAlive(new KeepAliveOptions { Cap = TimeSpan.FromHours(1) }));
        Gone("EndKeepAlive", session.EndKeepAlive);
        Gone("Touch", session.Touch);
        Gone("GetSnapshot", () => session.GetSnapshot());
        Gone("GetMessage", () => session.GetMessage());
        Gone("GetReply", () => session.GetReply());
    }

    private static void Gone(string method, Action call)
    {
        Check.Throws<ObjectDisposedException>(call, method + " after Dispose");
    }

    internal static void InsideAnAwait()
    {
        ArrClient client = Service.NewImpatientClient();
        Service.FaultOfList(Service.Stall, 0);
        Task list = client.ListSessionsAsync();
        Task chain = DisposeAfter(client.GetTokenAsync(), client);
        Task another = DisposeAfter(client.GetTokenAsync(), client);
        FrameLoop.Until(() => client.IsDisposed || client.Pump() >= 0 && client.IsDisposed, "the end of the client");
        Check.True(chain.IsCompleted && !chain.IsFaulted, "the code that disposed it continues");
        Check.True(list.IsCanceled, "the pending task is cancelled");
        Check.True(another.IsCompleted, "the concurrent task has ended");
    }

    private static async Task DisposeAfter(Task first, ArrClient client)
    {
        await first;
        client.Dispose();
        client.Dispose();
    }

    internal static void FromAHandler()
    {
        ArrClientOptions options = Service.Options();
        options.LogLevel = ArrLogLevel.Debug;
        ArrClient client = new ArrClient(options);
        int lines = 0;
        client.LogReceived += line =>
        {
            lines++;
            client.Dispose();
        };
        Task token = client.GetTokenAsync();
        FrameLoop.Until(() => client.IsDisposed || client.Pump() >= 0 && client.IsDisposed, "the end of the client");
        Check.Equal(1, lines, "lines after the end");
        Check.True(token.IsCompleted, "the pending task");
    }

    internal static void WhileAnotherThreadBlocks()
    {
        ArrClient client = Service.NewImpatientClient();
        Service.FaultOfList(Service.Stall, 0);
        Exception thrown = null;
        Thread blocked = new Thread(() =>
        {
            try
            {
                client.ListSessions();
            }
            catch (Exception e)
            {
                thrown = e;
            }
        });
        blocked.Start();
        FrameLoop.Until(() => Service.Requests().Contains("/sessions"), "the request");
        client.Dispose();
        // A request on the wire cannot be aborted: it ends after AttemptTimeout.
        Check.True(blocked.Join(TimeSpan.FromSeconds(10)), "the call that blocked has ended");
        ArrException ended = thrown as ArrException;
        Check.True(ended != null && ended.Status == ArrStatus.ShutDown, "it says why: " + thrown);
    }

    internal static void WhileAnotherThreadPumps()
    {
        for (int round = 0; round < 30; round++)
        {
            ArrClient client = Service.NewClient();
            Task[] tasks = { client.GetTokenAsync(), client.ListSessionsAsync(), client.GetTokenAsync() };
            Thread pump = new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        client.Pump();
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
            pump.Start();
            if (round % 2 == 1)
            {
                tasks[0].Wait();
            }
            client.Dispose();
            foreach (Task task in tasks)
            {
                Check.True(task.IsCompleted && !task.IsFaulted, "a task has ended when Dispose returns");
            }
            pump.Join();
        }
    }

    /// <summary>
    /// Native code has created the session, but no pump has delivered it. It must not keep running unnoticed.
    /// </summary>
    internal static void AnUndeliveredSessionIsStopped()
    {
        ArrClient client = Service.NewClient();
        CreateOperation operation = new CreateOperation(client, Service.NewSession(), Native.ARR_TIMEOUT_DEFAULT);
        Task<RenderingSession> create = client.Begin(operation, CancellationToken.None);
        NativeSide.AwaitEnd(operation);
        Check.Equal(1, Service.Running().Count, "sessions before the end");
        client.Dispose();
        Check.True(create.IsCanceled, "the task");
        FrameLoop.Until(() => Service.Running().Count == 0, "the end of the session");
    }

    internal static void ASessionBeingCreatedIsStopped()
    {
        ArrClient client = Service.NewClient();
        Service.FaultOfCreate(Service.AnswerAfter(300));
        Task<RenderingSession> create = client.CreateSessionAsync(Service.NewSession());
        FrameLoop.Until(() => Service.Running().Count == 1, "a session");
        client.Dispose();
        Check.True(create.IsCanceled, "the task");
        FrameLoop.Until(() => Service.Running().Count == 0, "the end of the session");
    }

    internal static void ASessionOutlivesItsObjects()
    {
        string id;
        using (ArrClient client = Service.NewClient())
        using (RenderingSession session = client.CreateSession(Service.NewSession()))
        {
            id = session.Id;
        }
        Check.Equal("Starting", Service.StatusOf(id), "status");
    }

    internal static void AStartedStopContinues()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        Task stop = session.StopAsync();
        client.Dispose();
        session.Dispose();
        Check.True(stop.IsCanceled, "its task");
        FrameLoop.Until(() => Service.StatusOf(session.Id) == "Stopped", "the stop that was started");
    }

    internal static void StopOnShutdownStops()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        session.Watch(new WatchOptions { StopOnShutdown = true });
        client.Dispose();
        session.Dispose();
        FrameLoop.Until(() => Service.StatusOf(session.Id) == "Stopped", "the stop on shutdown");
    }

    /// <summary>A second object of the session took over the watch, with its own StopOnShutdown.</summary>
    internal static void TheLastWatchDecides()
    {
        ArrClient client = Service.NewClient();
        RenderingSession session = client.CreateSession(Service.NewSession());
        session.Watch(new WatchOptions { StopOnShutdown = true });
        RenderingSession another = client.OpenSession(session.Id);
        another.Watch(new WatchOptions { StopOnShutdown = false });
        client.Dispose();
        Check.True(ArrClient.ShutdownAll(TimeSpan.FromSeconds(10)), "the end of the client");
        Check.Equal(1, Service.Running().Count, "sessions that keep running");
    }

    internal static void ByTheFinalizer()
    {
        string[] ids = new string[8];
        Abandoned clients = Abandoned.Make(number =>
        {
            ArrClient client = Service.NewClient();
            RenderingSession session = client.CreateSession(Service.NewSession());
            client.OpenSession(session.Id);
            client.ListSessionsAsync();
            session.Watch(new WatchOptions { StopOnShutdown = true });
            ids[number] = session.Id;
            return client;
        });
        clients.AwaitCollection("the collection of clients");
        for (int i = 0; ids[i] != null; i++)
        {
            int number = i;
            FrameLoop.Until(
                () => !clients.IsGone(number) || Service.StatusOf(ids[number]) == "Stopped", "a stop on shutdown");
        }
    }

    /// <summary>An application's finalizer may dispose objects that were finalized before it, or will be after it.</summary>
    internal static void InAFinalizer()
    {
        int before = Owner.Finalized;
        Abandoned owners = Abandoned.Make(number =>
        {
            ArrClient client = Service.NewClient();
            RenderingSession session = client.CreateSession(Service.NewSession());
            client.ListSessionsAsync();
            return new Owner(client, session);
        });
        owners.AwaitCollection("the collection of objects with finalizers");
        FrameLoop.Until(() => Owner.Finalized > before, "a finalizer");
        Check.True(Owner.Failure == null, "a finalizer's exception: " + Owner.Failure);
    }

    private sealed class Owner
    {
        internal static volatile int Finalized;
        internal static volatile Exception Failure;

        private readonly ArrClient client;
        private readonly RenderingSession session;

        internal Owner(ArrClient client, RenderingSession session)
        {
            this.client = client;
            this.session = session;
        }

        ~Owner()
        {
            try
            {
                session.Dispose();
                client.Dispose();
            }
            catch (Exception e)
            {
                Failure = e;
            }
            Finalized++;
        }
    }

    internal static void ShutdownEndsInOrder()
    {
        string id;
        using (ArrClient creator = Service.NewClient())
        using (RenderingSession created = creator.CreateSession(Service.NewSession()))
        {
            id = created.Id;
        }
        ArrClient client = Service.NewImpatientClient();
        RenderingSession session = client.OpenSession(id);
        Service.FaultOfList(Service.Stall, 0);
        Task<StopResult> stop = session.StopAsync();
        Task wait = session.WaitUntilReadyAsync();
        Task list = client.ListSessionsAsync();
        client.Pump();
        Check.True(client.Shutdown(TimeSpan.FromSeconds(10)), "it has ended, with the stalled request too");
        Check.Equal(TaskStatus.RanToCompletion, stop.Status, "the stop that was started");
        Check.True(wait.IsCompleted && list.IsCanceled, "everything else has ended");
        Check.Equal("Stopped", Service.StatusOf(session.Id), "status");
        Check.Equal(0, client.Pump(), "events");
        ArrException e = Check.Throws<ArrException>(
            () => client.GetTokenAsync().GetAwaiter().GetResult(), "a call after the end");
        Check.Equal(ArrStatus.ShutDown, e.Status, "status of a call after the end");
        client.Dispose();
    }

    /// <summary>
    /// Native code has created the session, but no pump has delivered it. The awaiting code gets it while it can still be
    /// watched.
    /// </summary>
    internal static void ShutdownDeliversANewSessionFirst()
    {
        DeliversANewSession(client => client.Shutdown(TimeSpan.FromSeconds(10)));
    }

    internal static void ShutdownAllDeliversANewSessionFirst()
    {
        DeliversANewSession(client => ArrClient.ShutdownAll(TimeSpan.FromSeconds(10)));
    }

    private static void DeliversANewSession(Func<ArrClient, bool> shutdown)
    {
        ArrClient client = Service.NewClient();
        CreateOperation operation = new CreateOperation(client, Service.NewSession(), Native.ARR_TIMEOUT_DEFAULT);
        Task watched = WatchAndStopOnShutdown(client.Begin(operation, CancellationToken.None));
        NativeSide.AwaitEnd(operation);
        Check.True(shutdown(client), "the end of the client");
        Check.Equal(TaskStatus.RanToCompletion, watched.Status, "the code awaiting the session");
        Check.Equal(0, Service.Running().Count, "sessions that should have been stopped");
        client.Dispose();
    }

    private static async Task WatchAndStopOnShutdown(Task<RenderingSession> create)
    {
        (await create).Watch(new WatchOptions { StopOnShutdown = true });
    }

    internal static void ShutdownStopsASessionBeingCreated()
    {
        ArrClient client = Service.NewClient();
        Service.FaultOfCreate(Service.AnswerAfter(300));
        Task<RenderingSession> create = client.CreateSessionAsync(Service.NewSession());
        FrameLoop.Until(() => Service.Running().Count == 1, "a session");
        Check.True(client.Shutdown(TimeSpan.FromSeconds(10)), "the end of the client");
        Check.True(create.IsCanceled, "the task");
        Check.Equal(0, Service.Running().Count, "undelivered sessions");
        client.Dispose();
    }

    internal static void ShutdownReportsUnfinishedWork()
    {
        ArrClient client = Service.NewImpatientClient();
        Service.FaultOfList(Service.Stall, 0);
        Task list = client.ListSessionsAsync();
        FrameLoop.Until(() => Service.Requests().Contains("/sessions"), "the request");
        Check.True(!client.Shutdown(TimeSpan.Zero), "a request is left on the wire");
        client.Dispose();
        Check.True(list.IsCompleted, "the pending task");
    }

    internal static void ShutdownReportsAFailedStop()
    {
        ArrClientOptions options = Service.Options();
        options.MaxRetries = 0;
        ArrClient client = new ArrClient(options);
        RenderingSession session = client.CreateSession(Service.NewSession());
        session.Watch(new WatchOptions { StopOnShutdown = true });
        Service.FaultOfStop(Service.Status(500), 0);
        Task wait = session.WaitUntilReadyAsync();
        ArrException e = Check.Throws<ArrException>(() => client.Shutdown(TimeSpan.FromSeconds(10)), "a failing stop");
        Check.Equal(ArrStatus.ServiceFailure, e.Status, "status");
        Check.True(wait.IsCompleted, "pending tasks have ended anyway");
        client.Dispose();
        session.Dispose();
        Service.NoFaults();
        try
        {
            ArrClient.ShutdownAll(TimeSpan.FromSeconds(10));
        }
        catch (ArrException all)
        {
            // The same failure, if the client had not ended yet.
            Check.Equal(ArrStatus.ServiceFailure, all.Status, "status of the end of all");
        }
    }

    internal static void ShutdownAll()
    {
        ArrClient one = Service.NewClient();
        ArrClient two = Service.NewClient();
        RenderingSession session = two.CreateSession(Service.NewSession());
        Task wait = session.WaitUntilReadyAsync();
        Check.True(ArrClient.ShutdownAll(TimeSpan.FromSeconds(10)), "all clients have ended");
        FrameLoop.Until(two, () => wait.IsCompleted, "the end of the pending task");
        Check.True(wait.IsCanceled, "it is cancelled");
        Check.Throws<ArrException>(() => one.GetToken(), "a call after the end");
        one.Dispose();
        two.Dispose();
        using (ArrClient another = Service.NewClient())
        {
            Check.True(another.GetToken().Value.Length > 0, "a new client works");
        }
    }
}
