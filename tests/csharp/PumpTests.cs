using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>Who is called, on which thread, and what a frame costs.</summary>
internal static class PumpTests
{
    private const int Frames = 100000;

    internal static void AwaitResumesOnThePumpsThread()
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

    /// <summary>As on an engine's main thread: what was awaited there goes on in the frame that brings it, not in the next.</summary>
    internal static void AwaitResumesInTheFrameAlsoUnderAContext()
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
                Check.Equal(0, context.Posted, "what was put off to a later frame");
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>One that never gets to what is posted to it.</summary>
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
            await client.OpenSessionAsync("nobody-knows-it");
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

    /// <summary>Each of these is over before the continuation that begins it: that must not make one long frame of them.</summary>
    internal static void WhatAPumpBeginsIsForTheNext()
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
                TokenOperation operation = new TokenOperation(client, 0);
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
    /// The system gives a thread's number to another one, once it is collected: that one may block. If nobody gets it all is well
    /// too.
    /// </summary>
    internal static void AThreadWithThePumpsNumberIsNotThePumps()
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
                    Check.True(thrown == null, "a call that blocks where nobody pumps: " + thrown);
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
                "the end of what other threads have started");
            foreach (Task task in tasks)
            {
                task.GetAwaiter().GetResult();
            }
        }
    }

    internal static void TwinsAreRefusedOnThePumpsThread()
    {
        using (ArrClient client = Service.NewClient())
        {
            RenderingSession session = FrameLoop.ReadySession(client);
            Service.ForgetRequests();
            Refused("GetTokenAsync", () => client.GetToken());
            Refused("CreateSessionAsync", () => client.CreateSession(Service.NewSession()));
            Refused("OpenSessionAsync", () => client.OpenSession(session.Id));
            Refused("ResumeOrCreateSessionAsync", () => client.ResumeOrCreateSession(Service.NewSession()));
            Refused("ListSessionsAsync", () => client.ListSessions());
            Refused("RecoverSessionsAsync", () => client.RecoverSessions());
            Refused("StopAllAsync", () => client.StopAll());
            Refused("GetPropertiesAsync", () => session.GetProperties());
            Refused("GetPropertiesAsync", () => session.GetProperties(ReadMode.Cached));
            Refused("WaitUntilReadyAsync", () => session.WaitUntilReady());
            Refused("UpdateLeaseAsync", () => session.UpdateLease(TimeSpan.FromHours(1)));
            Refused("StopAsync", () => session.Stop());
            Check.ContainsNot("\"path\"", Service.Requests(), "requests of what was refused");
            Check.Equal(SessionStatus.Ready, session.GetProperties(ReadMode.Known).Status, "what is known can be read");

            // From any other thread they are fine, while this one pumps.
            SessionProperties read = null;
            Thread another = new Thread(() => read = session.GetProperties());
            another.Start();
            FrameLoop.Until(client, () => !another.IsAlive, "the end of a call of another thread");
            Check.Equal(SessionStatus.Ready, read.Status, "what another thread has read");
        }
    }

    private static void Refused(string twin, Action call)
    {
        InvalidOperationException e = Check.Throws<InvalidOperationException>(call, "the twin of " + twin);
        Check.Contains(twin, e.Message, "its message");
    }

    internal static void HandlersThatThrow()
    {
        using (ArrClient client = WithLog())
        {
            int heard = 0;
            client.LogReceived += line => { throw new FormatException("of the first"); };
            client.LogReceived += line => heard++;
            Task token = client.GetTokenAsync();
            Exception thrown = PumpUntilItThrows(client);
            Check.True(thrown is FormatException || thrown is AggregateException, "what was thrown: " + thrown);
            FrameLoop.Until(() => PumpQuietly(client) && token.IsCompleted, "the end of the token, all the same");
            Check.True(heard > 0, "the other handler is called all the same");

            List<Exception> told = new List<Exception>();
            client.UnhandledException += told.Add;
            FrameLoop.Result(client, client.ListSessionsAsync());
            FrameLoop.Until(client, () => told.Count > 0, "what a handler has thrown");
            Check.True(told[0] is FormatException, "what is told: " + told[0]);
        }
    }

    internal static void AContinuationThatThrowsHarmsItsOwnTaskOnly()
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
            "what a handler has thrown");
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
            // Nobody listens yet: the lines are kept.
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
            // The first rounds are for what a runtime makes when it runs something for the first time.
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

    internal static void TheMeasureOfAllocationsSeesOne()
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
