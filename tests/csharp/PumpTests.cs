using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>Which thread runs handlers and continuations, and what a frame costs.</summary>
internal static class PumpTests
{
    /// <summary>Without the wake, nothing would end the wait.</summary>
    internal static void AWakeEndsAWait()
    {
        using (ArrClient client = Service.NewClient())
        {
            client.Wake();
            Check.Equal(Native.ARR_ERROR_TIMEOUT, NativeSide.NextEvent(client), "a wait after a wake");
        }
        ArrClient gone = Service.NewClient();
        gone.Dispose();
        Check.Throws<ObjectDisposedException>(gone.Wake, "a wake of a disposed client");
    }

    private const int Frames = 100000;

    internal static void AwaitResumesOnThePumpThread()
    {
        using (ArrClient client = Service.NewClient())
        {
            int here = Thread.CurrentThread.ManagedThreadId;
            Task<List<int>> threads = ThreadsOf(client);
            List<int> found = FrameLoop.Result(client, threads);
            foreach (int thread in found)
            {
                Check.Equal(here, thread, "the thread after an await");
            }
            Check.Equal(3, found.Count, "awaits");
        }
    }

    /// <summary>As on an engine's main thread: the code after an await runs in the frame that delivers the result.</summary>
    internal static void AwaitResumesInTheFrameUnderAContext()
    {
        SynchronizationContext before = SynchronizationContext.Current;
        Context context = new Context();
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            using (ArrClient client = Service.NewClient())
            {
                int here = Thread.CurrentThread.ManagedThreadId;
                foreach (int thread in FrameLoop.Result(client, ThreadsOf(client)))
                {
                    Check.Equal(here, thread, "the thread after an await");
                }
                Check.Equal(0, context.Posted, "continuations postponed to a later frame");
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>A context that never runs what is posted to it.</summary>
    private sealed class Context : SynchronizationContext
    {
        internal volatile int Posted;

        public override void Post(SendOrPostCallback callback, object state)
        {
            Posted++;
        }
    }

    private static async Task<List<int>> ThreadsOf(ArrClient client)
    {
        List<int> threads = new List<int>();
        await client.GetTokenAsync();
        threads.Add(Thread.CurrentThread.ManagedThreadId);
        await client.ListSessionsAsync();
        threads.Add(Thread.CurrentThread.ManagedThreadId);
        try
        {
            await client.OpenSessionAsync("no-such-session");
        }
        catch (ArrException)
        {
            threads.Add(Thread.CurrentThread.ManagedThreadId);
        }
        return threads;
    }

    internal static void OnePumpAtATime()
    {
        using (ArrClient client = Service.NewClient())
        {
            int nested = -1;
            int beside = -1;
            Task<AccessToken> token = client.GetTokenAsync();
            Task look = token.ContinueWith(
                ended =>
                {
                    nested = client.Pump();
                    Thread another = new Thread(() => beside = client.Pump());
                    another.Start();
                    another.Join();
                },
                TaskContinuationOptions.ExecuteSynchronously);
            FrameLoop.Run(client, look);
            Check.Equal(0, nested, "events of a pump inside of a pump");
            Check.Equal(0, beside, "events of a pump beside a pump");
            Check.Throws<InvalidOperationException>(() => client.GetToken(), "this is still the pump's thread");
        }
    }

    /// <summary>
    /// Each operation ends before the continuation that started it returns. They must not all run in one frame.
    /// </summary>
    internal static void NewOperationsWaitForTheNextPump()
    {
        const int All = 50;
        using (ArrClient client = Service.NewClient())
        {
            int begun = 0;
            Action<Task> next = null;
            next = ended =>
            {
                if (begun == All)
                {
                    return;
                }
                begun++;
                TokenOperation operation = new TokenOperation(client, Native.ARR_TIMEOUT_DEFAULT);
                client.Begin(operation, CancellationToken.None).ContinueWith(next, TaskContinuationOptions.ExecuteSynchronously);
                NativeSide.AwaitEnd(operation);
            };
            next(null);
            int delivered = 0;
            while (delivered < All)
            {
                int count = client.Pump();
                Check.True(count == 1 || count == 2, "one event, or the first of the next frame's too, and not " + count);
                delivered += count;
            }
            Check.Equal(0, client.Pump(), "events that are left");
        }
    }

    /// <summary>
    /// Thread ids are reused after collection. A new thread with the pump thread's id may block. Also passes if no thread
    /// gets the id.
    /// </summary>
    internal static void AReusedThreadIdIsNotThePumpThread()
    {
        using (ArrClient client = Service.NewClient())
        {
            client.GetToken();
            int number = OnAThread(() =>
            {
                client.Pump();
                return Thread.CurrentThread.ManagedThreadId;
            });
            for (int i = 0; i < 200; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Exception thrown = null;
                bool same = OnAThread(() =>
                {
                    if (Thread.CurrentThread.ManagedThreadId != number)
                    {
                        return false;
                    }
                    try
                    {
                        client.GetToken();
                    }
                    catch (Exception e)
                    {
                        thrown = e;
                    }
                    return true;
                });
                if (same)
                {
                    Check.True(thrown == null, "a blocking call on another thread: " + thrown);
                    return;
                }
            }
        }
    }

    private static T OnAThread<T>(Func<T> work)
    {
        T result = default(T);
        Thread thread = new Thread(() => result = work());
        thread.Start();
        thread.Join();
        return result;
    }

    internal static void OperationsStartedByOtherThreads()
    {
        using (ArrClient client = Service.NewClient())
        {
            List<Task> tasks = new List<Task>();
            Thread[] starters = new Thread[4];
            for (int i = 0; i < starters.Length; i++)
            {
                starters[i] = new Thread(() =>
                {
                    for (int j = 0; j < 100; j++)
                    {
                        Task task = client.GetTokenAsync();
                        lock (tasks)
                        {
                            tasks.Add(task);
                        }
                    }
                });
                starters[i].Start();
            }
            FrameLoop.Until(
                client,
                () =>
                {
                    lock (tasks)
                    {
                        return tasks.Count == 400 && tasks.TrueForAll(task => task.IsCompleted);
                    }
                },
                "the end of the other threads' operations");
            foreach (Task task in tasks)
            {
                task.GetAwaiter().GetResult();
            }
        }
    }

    internal static void BlockingCallsThrowOnThePumpThread()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.ReadySession(client);
            Service.ForgetRequests();
            Refused("GetTokenAsync", () => client.GetToken());
            Refused("CreateSessionAsync", () => client.CreateSession(Service.NewSession()));
            Refused("OpenSessionAsync", () => client.OpenSession(session.Id));
            Refused("ReuseOrCreateSessionAsync", () => client.ReuseOrCreateSession(Service.NewSession()));
            Refused("ListSessionsAsync", () => client.ListSessions());
            Refused("RecoverSessionsAsync", () => client.RecoverSessions());
            Refused("StopAllAsync", () => client.StopAll());
            Refused("GetPropertiesAsync", () => session.GetProperties());
            Refused("GetPropertiesAsync", () => session.GetProperties(ReadMode.Cached));
            Refused("WaitUntilReadyAsync", () => session.WaitUntilReady());
            Refused("UpdateLeaseAsync", () => session.UpdateLease(TimeSpan.FromHours(1)));
            Refused("StopAsync", () => session.Stop());
            Check.ContainsNot("\"path\"", Service.Requests(), "requests of the refused calls");
            Check.Equal(SessionStatus.Ready, session.GetProperties(ReadMode.Known).Status, "cached properties can be read");

            // Other threads may call them while this one pumps.
            SessionProperties read = null;
            Thread another = new Thread(() => read = session.GetProperties());
            another.Start();
            FrameLoop.Until(client, () => !another.IsAlive, "the end of a call of another thread");
            Check.Equal(SessionStatus.Ready, read.Status, "the status that another thread read");
        }
    }

    private static void Refused(string asyncMethod, Action call)
    {
        InvalidOperationException e = Check.Throws<InvalidOperationException>(call, "the blocking variant of " + asyncMethod);
        Check.Contains(asyncMethod, e.Message, "its message");
    }

    internal static void ThrowingHandlers()
    {
        using (ArrClient client = WithLog())
        {
            int heard = 0;
            client.LogReceived += line => { throw new FormatException("of the first"); };
            client.LogReceived += line => heard++;
            Task token = client.GetTokenAsync();
            Exception thrown = PumpUntilItThrows(client);
            Check.True(thrown is FormatException || thrown is AggregateException, "the exception: " + thrown);
            FrameLoop.Until(() => PumpQuietly(client) && token.IsCompleted, "the end of the token anyway");
            Check.True(heard > 0, "the other handler is called anyway");

            List<Exception> reported = new List<Exception>();
            client.UnhandledException += reported.Add;
            FrameLoop.Result(client, client.ListSessionsAsync());
            FrameLoop.Until(client, () => reported.Count > 0, "a handler's exception");
            Check.True(reported[0] is FormatException, "the reported exception: " + reported[0]);
        }
    }

    internal static void AThrowingContinuationHarmsOnlyItsTask()
    {
        using (ArrClient client = Service.NewClient())
        {
            Task bad = client.GetTokenAsync().ContinueWith(
                ended => { throw new FormatException(); }, TaskContinuationOptions.ExecuteSynchronously);
            FrameLoop.Result(client, client.GetTokenAsync());
            FrameLoop.Until(client, () => bad.IsCompleted, "its end");
            Check.True(bad.IsFaulted && bad.Exception.InnerException is FormatException, "the task of the continuation");
        }
    }

    private static ArrClient WithLog()
    {
        ArrClientOptions options = Service.Options();
        options.LogLevel = ArrLogLevel.Debug;
        return new ArrClient(options);
    }

    private static Exception PumpUntilItThrows(ArrClient client)
    {
        Exception thrown = null;
        FrameLoop.Until(
            () =>
            {
                try
                {
                    client.Pump();
                }
                catch (Exception e)
                {
                    thrown = e;
                }
                return thrown != null;
            },
            "a handler's exception");
        return thrown;
    }

    private static bool PumpQuietly(ArrClient client)
    {
        try
        {
            client.Pump();
        }
        catch (FormatException)
        {
        }
        catch (AggregateException)
        {
        }
        return true;
    }

    internal static void TheLogIsForwarded()
    {
        using (ArrClient client = WithLog())
        {
            // There is no handler yet: the lines are kept.
            FrameLoop.Result(client, client.GetTokenAsync());
            List<ArrLogEntry> lines = new List<ArrLogEntry>();
            client.LogReceived += lines.Add;
            Check.True(client.Pump() > 0 && lines.Count > 0, "lines of the log");
            DateTime now = DateTime.UtcNow;
            foreach (ArrLogEntry line in lines)
            {
                Check.True(line.Message.Length > 0 && line.Level >= ArrLogLevel.Error, "a line: " + line);
                Check.True(line.Time.Kind == DateTimeKind.Utc && Math.Abs((now - line.Time).TotalMinutes) < 1, "its time");
                Check.ContainsNot(Service.Variable("ARR_ACCOUNT_KEY"), line.Message, "no key in the log");
            }
            lines.Clear();
            Service.FaultOfList(Service.Status(400, "", "\"MS-CV\": \"abc.1\""));
            Check.Throws<ArrException>(() => FrameLoop.Result(client, client.ListSessionsAsync()), "a bad request");
            client.Pump();
            Check.True(lines.Exists(line => line.CorrelationVector == "abc.1"), "a line with the reply's MS-CV");
        }
    }

    internal static void AnIdleFrameAllocatesNothing()
    {
        using (ArrClient client = WithLog())
        {
            RenderingSession session = FrameLoop.ReadySession(client);
            client.LogReceived += line => { };
            client.EventReceived += e => { };
            FrameLoop.Until(client, () => client.Pump() == 0, "silence");
            long before = 0;
            long sum = 0;
            // The runtime may allocate when code runs for the first time.
            for (int round = 0; round < 3; round++)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < Frames; i++)
                {
                    client.Pump();
                    sum += session.GetSnapshot().HandshakePort;
                }
                if (GC.GetAllocatedBytesForCurrentThread() == before)
                {
                    break;
                }
            }
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            Check.True(sum > 0, "the snapshots are real");
            Check.Equal(0L, bytes, "bytes allocated in " + Frames + " idle frames");
            FrameLoop.Run(client, session.StopAsync());
        }
    }

    internal static void TheMeasurementSeesAllocations()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        object[] kept = new object[Frames];
        for (int i = 0; i < Frames; i++)
        {
            kept[i] = new object();
        }
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        GC.KeepAlive(kept);
        Check.True(bytes >= Frames * 8, "it sees " + bytes + " bytes of " + Frames + " objects");
    }
}
