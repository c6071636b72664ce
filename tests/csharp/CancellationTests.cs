using System;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;

/// <summary>A CancellationToken cancels the native operation; the task ends when native code reports it.</summary>
internal static class CancellationTests
{
    // Most rounds cancel before the request is sent; the first may be too slow, because its code runs for the first time.
    private const int Rounds = 5;

    internal static void BeforeTheStart()
    {
        using (ArrClient client = Service.NewClient())
        {
            CancellationToken cancelled = new CancellationToken(true);
            Task<AccessToken> task = client.GetTokenAsync(cancelled);
            Check.True(task.IsCanceled, "cancelled before the start, so at once");
            IsCancelledBy(cancelled, task);
            Check.ContainsNot("/token", Service.Requests(), "requests");
            Check.Equal(0, client.Pump(), "events");
        }
    }

    internal static void WhileItRuns()
    {
        using (ArrClient client = Service.NewImpatientClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Service.FaultOfList(Service.Stall, 0);
            Task list = client.ListSessionsAsync(source.Token);
            Task another = client.ListSessionsAsync();
            source.Cancel();
            Check.True(!list.IsCompleted, "the task ends on the pump's thread only");
            FrameLoop.Until(client, () => list.IsCompleted, "the end of a cancelled task");
            IsCancelledBy(source.Token, list);
            Check.True(!another.IsCompleted, "the other operation continues");
        }
    }

    internal static void ManyFromAnotherThread()
    {
        using (ArrClient client = Service.NewImpatientClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Service.FaultOfList(Service.Stall, 0);
            Task[] lists = new Task[50];
            for (int i = 0; i < lists.Length; i++)
            {
                lists[i] = client.ListSessionsAsync(source.Token);
            }
            Thread canceller = new Thread(source.Cancel);
            canceller.Start();
            foreach (Task list in lists)
            {
                Task one = list;
                FrameLoop.Until(client, () => one.IsCompleted, "the end of a cancelled task");
                IsCancelledBy(source.Token, one);
            }
            canceller.Join();
        }
    }

    internal static void DuringThePump()
    {
        using (ArrClient client = Service.NewImpatientClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Service.FaultOfList(Service.Stall, 0);
            Task list = client.ListSessionsAsync(source.Token);
            // The continuation runs inside Pump().
            Task chain = CancelAfterwards(client.GetTokenAsync(), source);
            FrameLoop.Until(client, () => list.IsCompleted && chain.IsCompleted, "the end of both");
            IsCancelledBy(source.Token, list);
        }
    }

    private static async Task CancelAfterwards(Task first, CancellationTokenSource source)
    {
        await first;
        source.Cancel();
    }

    /// <summary>Some runtimes reject such a token, others never cancel by it. Neither leaves a session behind.</summary>
    internal static void ADisposedSource()
    {
        using (ArrClient client = Service.NewClient())
        {
            CancellationTokenSource source = new CancellationTokenSource();
            CancellationToken token = source.Token;
            source.Dispose();
            Task<RenderingSession> create = null;
            try
            {
                create = client.CreateSessionAsync(Service.NewSession(), token);
            }
            catch (ObjectDisposedException)
            {
                Check.True(client.Shutdown(TimeSpan.FromSeconds(10)), "the end of the client");
                Check.Equal(0, Service.Running().Count, "sessions left behind");
            }
            if (create != null)
            {
                string id = FrameLoop.Result(client, create).Id;
                Check.Equal(id, Service.Running()[0], "the session");
            }
        }
    }

    internal static void AfterTheEnd()
    {
        using (ArrClient client = Service.NewClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task<AccessToken> task = client.GetTokenAsync(source.Token);
            FrameLoop.Result(client, task);
            source.Cancel();
            client.Pump();
            Check.Equal(TaskStatus.RanToCompletion, task.Status, "the task stays as it ended");
        }
    }

    /// <summary>The native operation has already succeeded, so the task does too.</summary>
    internal static void BetweenTheEndAndThePump()
    {
        using (ArrClient client = Service.NewClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            CreateOperation operation = new CreateOperation(client, Service.NewSession(), Native.ARR_TIMEOUT_DEFAULT);
            Task<RenderingSession> create = client.Begin(operation, source.Token);
            NativeSide.AwaitEnd(operation);
            source.Cancel();
            Check.True(!create.IsCompleted, "the task ends on the pump's thread only");
            Check.Equal(Service.Running()[0], FrameLoop.Result(client, create).Id, "the session of the task");
        }
    }

    internal static void ACancelledCreateLeavesNoSession()
    {
        using (ArrClient client = Service.NewClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Service.FaultOfCreate(Service.AnswerAfter(300));
            Task<RenderingSession> create = client.CreateSessionAsync(Service.NewSession(), source.Token);
            FrameLoop.Until(() => Service.Running().Count == 1, "a session");
            source.Cancel();
            FrameLoop.Until(client, () => create.IsCompleted, "the end of the create");
            IsCancelledBy(source.Token, create);
            FrameLoop.Until(client, () => Service.Running().Count == 0, "the end of the session");
        }
    }

    /// <summary>A stop cancelled before it is sent is not sent; the cancellation may also come too late.</summary>
    internal static void ACancelledStopContinues()
    {
        using (ArrClient client = Service.NewClient())
        {
            for (int round = 0; round < Rounds; round++)
            {
                RenderingSession one = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
                CancelAtOnce(client, one.StopAsync);
            }

            RenderingSession session = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
            Service.FaultOfStop(Service.AnswerAfter(300));
            using (CancellationTokenSource source = new CancellationTokenSource())
            {
                Task stop = session.StopAsync(source.Token);
                FrameLoop.Until(() => Service.Running().Count == 0, "the end of the session");
                source.Cancel();
                FrameLoop.Until(client, () => stop.IsCompleted, "the end of the task");
                IsCancelledBy(source.Token, stop);
            }
        }
    }

    internal static void ACancelledStopAllContinues()
    {
        using (ArrClient client = Service.NewClient())
        {
            for (int round = 0; round < Rounds; round++)
            {
                FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
                FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
                CancelAtOnce(client, (cancellation, timeout) => client.StopAllAsync(StopScope.Own, cancellation, timeout));
            }
        }
    }

    /// <summary>No second stop can take over, so the first one is not cancelled.</summary>
    internal static void ACancelledStopContinuesAfterItsSessionIsDisposed()
    {
        using (ArrClient client = Service.NewClient())
        {
            CancelWhileItIsPutOff(client, (session, source) =>
            {
                session.Dispose();
                source.Cancel();
            });
        }
    }

    internal static void ACancelledStopContinuesDuringShutdown()
    {
        using (ArrClient client = Service.NewClient())
        {
            CancelWhileItIsPutOff(client, (session, source) =>
            {
                Check.True(!client.Shutdown(TimeSpan.Zero), "the stop is left");
                source.Cancel();
                Check.True(client.Shutdown(TimeSpan.FromSeconds(10)), "the end of the client");
            });
        }
    }

    /// <summary>The service throttles the stop, so it waits to be sent again.</summary>
    private static void CancelWhileItIsPutOff(ArrClient client, Action<RenderingSession, CancellationTokenSource> cancel)
    {
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            RenderingSession session = FrameLoop.Result(client, client.CreateSessionAsync(Service.NewSession()));
            Service.FaultOfStop(Service.Status(429));
            Task stop = session.StopAsync(source.Token);
            Service.AwaitStopRequest();
            cancel(session, source);
            FrameLoop.Until(client, () => stop.IsCompleted, "the end of the task");
            Check.True(!stop.IsFaulted, "it is cancelled, or done");
        }
        FrameLoop.Until(() => Service.Running().Count == 0, "the end of the stopped sessions");
    }

    private static void CancelAtOnce(ArrClient client, Func<CancellationToken, TimeSpan?, Task> start)
    {
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Task stop = start(source.Token, null);
            source.Cancel();
            FrameLoop.Until(client, () => stop.IsCompleted, "the end of the task");
            Check.True(!stop.IsFaulted, "it is cancelled, or done");
        }
        FrameLoop.Until(() => Service.Running().Count == 0, "the end of the stopped sessions");
    }

    internal static void ATokenDoesNotHoldEndedOperations()
    {
        using (ArrClient client = Service.NewClient())
        using (CancellationTokenSource source = new CancellationTokenSource())
        {
            Abandoned tasks = Abandoned.Make(number =>
            {
                Task<AccessToken> task = client.GetTokenAsync(source.Token);
                FrameLoop.Result(client, task);
                return task;
            });
            tasks.AwaitCollection("the collection of operations whose token lives");
            GC.KeepAlive(source);
        }
    }

    private static void IsCancelledBy(CancellationToken token, Task task)
    {
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (TaskCanceledException e)
        {
            Check.True(e.CancellationToken == token, "the exception carries the token");
            return;
        }
        throw new CheckFailed("the task should be cancelled, and is " + task.Status);
    }
}
