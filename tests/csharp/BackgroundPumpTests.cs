using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>The pump's thread for programs without a loop.</summary>
internal static class BackgroundPumpTests
{
    internal static void AwaitResumesOnItsThread()
    {
        using (ArrClient client = NewClient())
        {
            Check.Equal("arr-pump", ThreadAfter(SlowToken(client)).Result, "the thread after an await");
            Check.Equal(0, client.Pump(), "a pump beside it");
            RenderingSession session = client.CreateSessionAsync(Service.NewSession()).Result;
            Check.Equal(SessionStatus.Ready, session.WaitUntilReadyAsync().Result.Status, "status");
            // Allowed: this is not the pump's thread.
            session.Stop();
        }
    }

    private static async Task<string> ThreadAfter(Task task)
    {
        await task;
        return Thread.CurrentThread.Name;
    }

    internal static void BlockingCallsThrowOnItsThread()
    {
        using (ArrClient client = NewClient())
        {
            InvalidOperationException e = Check.Throws<InvalidOperationException>(
                () => BlockAfter(client).GetAwaiter().GetResult(), "a call that blocks the pump");
            Check.Contains("ListSessionsAsync", e.Message, "its message");
        }
    }

    private static async Task BlockAfter(ArrClient client)
    {
        await SlowToken(client);
        client.ListSessions();
    }

    internal static void DisposeEndsIt()
    {
        ArrClientOptions impatient = Service.Options();
        impatient.PumpMode = PumpMode.Background;
        impatient.AttemptTimeout = TimeSpan.FromMilliseconds(500);
        ArrClient client = new ArrClient(impatient);
        Thread pump = PumpOf(client);
        Service.FaultOfList(Service.Stall, 0);
        Task list = client.ListSessionsAsync();
        Stopwatch watch = Stopwatch.StartNew();
        client.Dispose();
        Check.True(list.IsCanceled, "the pending task");
        Check.True(!pump.IsAlive, "the thread is gone when Dispose returns");
        Check.True(watch.Elapsed < TimeSpan.FromSeconds(5), "it does not wait for the network");
    }

    internal static void DisposeWaitsForARunningHandler()
    {
        ArrClient client = NewClient();
        using (ManualResetEvent inside = new ManualResetEvent(false))
        {
            Thread pump = null;
            bool over = false;
            SlowToken(client).ContinueWith(
                ended =>
                {
                    pump = Thread.CurrentThread;
                    inside.Set();
                    Thread.Sleep(50);
                    over = true;
                },
                TaskContinuationOptions.ExecuteSynchronously);
            Check.True(inside.WaitOne(TimeSpan.FromSeconds(10)), "it runs");
            client.Dispose();
            Check.True(over && !pump.IsAlive, "it is over when Dispose returns");
        }
    }

    internal static void DisposeOnItsOwnThread()
    {
        ArrClient client = NewClient();
        Thread pump = PumpOf(client);
        Service.FaultOfList(Service.AnswerAfter(150));
        Check.True(DisposeAfter(client).Wait(TimeSpan.FromSeconds(10)), "the code that disposes it continues");
        Check.True(pump.Join(TimeSpan.FromSeconds(10)), "the thread ends");
    }

    private static async Task DisposeAfter(ArrClient client)
    {
        await client.ListSessionsAsync();
        Check.Equal("arr-pump", Thread.CurrentThread.Name, "the thread on which it is disposed");
        client.Dispose();
    }

    internal static void ShutdownEndsIt()
    {
        using (ArrClient client = NewClient())
        {
            Thread pump = PumpOf(client);
            Check.True(client.Shutdown(TimeSpan.FromSeconds(10)), "it has ended");
            Check.True(pump.Join(TimeSpan.FromSeconds(10)), "the thread ends");
        }
    }

    internal static void AnAbandonedClientIsCollected()
    {
        Thread[] pumps = new Thread[8];
        Abandoned clients = Abandoned.Make(number =>
        {
            ArrClient client = NewClient();
            pumps[number] = PumpOf(client);
            return client;
        });
        clients.AwaitCollection("the collection of clients");
        Check.True(pumps[clients.AnyThatIsGone()].Join(TimeSpan.FromSeconds(10)), "its thread ends");
    }

    /// <summary>Only the awaiting method references the client.</summary>
    internal static void AnAwaitedClientIsNotCollected()
    {
        Service.FaultOfList(Service.AnswerAfter(250));
        Task<int> task = null;
        Thread thread = new Thread(() => task = CountOf(NewClient()));
        thread.Start();
        thread.Join();
        Stopwatch watch = Stopwatch.StartNew();
        while (!task.IsCompleted && watch.Elapsed < TimeSpan.FromSeconds(10))
        {
            Collect();
        }
        Check.Equal(TaskStatus.RanToCompletion, task.Status, "the awaiting task");
    }

    private static async Task<int> CountOf(ArrClient client)
    {
        using (client)
        {
            return (await client.ListSessionsAsync()).Count;
        }
    }

    internal static void ItForwardsTheLogAndEvents()
    {
        ArrClientOptions options = Service.Options();
        options.PumpMode = PumpMode.Background;
        options.LogLevel = ArrLogLevel.Debug;
        using (ArrClient client = new ArrClient(options))
        {
            int lines = 0;
            int events = 0;
            client.LogReceived += line => Interlocked.Increment(ref lines);
            client.EventReceived += e => Interlocked.Increment(ref events);
            RenderingSession session = client.CreateSession(Service.NewSession());
            session.Watch();
            FrameLoop.Until(() => Volatile.Read(ref lines) > 0 && Volatile.Read(ref events) > 0, "lines and events");
            session.Stop();
        }
    }

    internal static void AThrowingHandlerIsReported()
    {
        using (ArrClient client = NewClient())
        {
            Exception reported = null;
            client.UnhandledException += e => reported = e;
            client.EventReceived += e => { throw new FormatException(); };
            RenderingSession session = client.CreateSession(Service.NewSession());
            session.Watch();
            FrameLoop.Until(() => reported != null, "a handler's exception");
            Check.True(reported is FormatException, "the reported exception: " + reported);
        }
    }

    private static ArrClient NewClient()
    {
        ArrClientOptions options = Service.Options();
        options.PumpMode = PumpMode.Background;
        return new ArrClient(options);
    }

    /// <summary>
    /// The client's first token, delayed until it is awaited: a task that has already ended would continue on the awaiting
    /// thread.
    /// </summary>
    private static Task<AccessToken> SlowToken(ArrClient client)
    {
        Service.FaultOfToken(Service.AnswerAfter(150));
        return client.GetTokenAsync();
    }

    /// <summary>The thread that completes the client's tasks.</summary>
    private static Thread PumpOf(ArrClient client)
    {
        return SlowToken(client).ContinueWith(
            ended => Thread.CurrentThread, TaskContinuationOptions.ExecuteSynchronously).Result;
    }

    private static bool Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return true;
    }
}
