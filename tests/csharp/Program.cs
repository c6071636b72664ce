using System;
using System.Collections.Generic;
using System.Diagnostics;

/// <summary>
/// Runs the tests in order; arguments select those whose names contain one of them. The list is explicit, because
/// reflection is not available when everything is compiled ahead of time.
/// </summary>
internal static class Program
{
    private static readonly Test[] Tests =
    {
        new Test("library: the version", LibraryTests.TheVersion),
        new Test("declarations: struct layouts match C", DeclarationTests.StructLayoutsMatchC),
        new Test("declarations: enums have all constants", DeclarationTests.EnumsHaveAllConstants),
        new Test("story: async", OperationTests.AnAsyncStory),
        new Test("story: blocking", OperationTests.ABlockingStory),
        new Test("operations: cached reads", OperationTests.CachedReadsSendNothing),
        new Test("operations: a wait in slices", OperationTests.AWaitInSlices),
        new Test("operations: tokens", OperationTests.Tokens),
        new Test("operations: a long token", OperationTests.ALongToken),
        new Test("operations: stop all", OperationTests.StopAll),
        new Test("operations: stop all, with failures", OperationTests.StopAllCountsFailures),
        new Test("operations: recover and reuse", OperationTests.RecoverAndReuse),
        new Test("operations: create options", OperationTests.CreateOptions),
        new Test("operations: a thousand at once", OperationTests.AThousandAtOnce),
        new Test("cancel: before the start", CancellationTests.BeforeTheStart),
        new Test("cancel: while it runs", CancellationTests.WhileItRuns),
        new Test("cancel: many, from another thread", CancellationTests.ManyFromAnotherThread),
        new Test("cancel: during the pump", CancellationTests.DuringThePump),
        new Test("cancel: between the end and the pump", CancellationTests.BetweenTheEndAndThePump),
        new Test("cancel: a disposed source", CancellationTests.ADisposedSource),
        new Test("cancel: after the end", CancellationTests.AfterTheEnd),
        new Test("cancel: a create leaves no session", CancellationTests.ACancelledCreateLeavesNoSession),
        new Test("cancel: a stop continues", CancellationTests.ACancelledStopContinues),
        new Test("cancel: stop all continues", CancellationTests.ACancelledStopAllContinues),
        new Test(
            "cancel: a stop continues, its session disposed", CancellationTests.ACancelledStopContinuesAfterItsSessionIsDisposed),
        new Test("cancel: a stop continues during shutdown", CancellationTests.ACancelledStopContinuesDuringShutdown),
        new Test("cancel: a token does not hold ended operations", CancellationTests.ATokenDoesNotHoldEndedOperations),
        new Test("dispose: pending tasks are cancelled", DisposeTests.PendingTasksAreCancelled),
        new Test("dispose: twice", DisposeTests.Twice),
        new Test("dispose: by many threads at once", DisposeTests.ByManyThreadsAtOnce),
        new Test("dispose: calls on disposed objects throw", DisposeTests.CallsOnDisposedObjectsThrow),
        new Test("dispose: inside an await", DisposeTests.InsideAnAwait),
        new Test("dispose: from a handler", DisposeTests.FromAHandler),
        new Test("dispose: while another thread blocks", DisposeTests.WhileAnotherThreadBlocks),
        new Test("dispose: while another thread pumps", DisposeTests.WhileAnotherThreadPumps),
        new Test("dispose: an undelivered session", DisposeTests.AnUndeliveredSessionIsStopped),
        new Test("dispose: a session being created", DisposeTests.ASessionBeingCreatedIsStopped),
        new Test("dispose: a session outlives its objects", DisposeTests.ASessionOutlivesItsObjects),
        new Test("dispose: a started stop continues", DisposeTests.AStartedStopContinues),
        new Test("dispose: stop on shutdown", DisposeTests.StopOnShutdownStops),
        new Test("dispose: the last watch decides", DisposeTests.TheLastWatchDecides),
        new Test("dispose: by the finalizer", DisposeTests.ByTheFinalizer),
        new Test("dispose: in a finalizer", DisposeTests.InAFinalizer),
        new Test("shutdown: in order", DisposeTests.ShutdownEndsInOrder),
        new Test("shutdown: delivers a new session first", DisposeTests.ShutdownDeliversANewSessionFirst),
        new Test("shutdown: a session being created", DisposeTests.ShutdownStopsASessionBeingCreated),
        new Test("shutdown: unfinished work", DisposeTests.ShutdownReportsUnfinishedWork),
        new Test("shutdown: a failed stop", DisposeTests.ShutdownReportsAFailedStop),
        new Test("shutdown: all", DisposeTests.ShutdownAll),
        new Test("shutdown: all, delivers a new session first", DisposeTests.ShutdownAllDeliversANewSessionFirst),
        new Test("pump: await resumes on its thread", PumpTests.AwaitResumesOnThePumpThread),
        new Test("pump: await resumes in the frame", PumpTests.AwaitResumesInTheFrameUnderAContext),
        new Test("pump: one at a time", PumpTests.OnePumpAtATime),
        new Test("pump: new operations wait for the next", PumpTests.NewOperationsWaitForTheNextPump),
        new Test("pump: a reused thread id", PumpTests.AReusedThreadIdIsNotThePumpThread),
        new Test("pump: operations started by other threads", PumpTests.OperationsStartedByOtherThreads),
        new Test("pump: blocking calls throw on its thread", PumpTests.BlockingCallsThrowOnThePumpThread),
        new Test("pump: throwing handlers", PumpTests.ThrowingHandlers),
        new Test("pump: a throwing continuation", PumpTests.AThrowingContinuationHarmsOnlyItsTask),
        new Test("pump: the log is forwarded", PumpTests.TheLogIsForwarded),
        new Test("pump: allocations are measured", PumpTests.TheMeasurementSeesAllocations),
        new Test("pump: an idle frame allocates nothing", PumpTests.AnIdleFrameAllocatesNothing),
        new Test("pump: a wake ends a wait", PumpTests.AWakeEndsAWait),
        new Test("background: await resumes on its thread", BackgroundPumpTests.AwaitResumesOnItsThread),
        new Test("background: blocking calls throw on its thread", BackgroundPumpTests.BlockingCallsThrowOnItsThread),
        new Test("background: dispose ends it", BackgroundPumpTests.DisposeEndsIt),
        new Test("background: dispose waits for a handler", BackgroundPumpTests.DisposeWaitsForARunningHandler),
        new Test("background: dispose on its own thread", BackgroundPumpTests.DisposeOnItsOwnThread),
        new Test("background: shutdown ends it", BackgroundPumpTests.ShutdownEndsIt),
        new Test("background: an abandoned client is collected", BackgroundPumpTests.AnAbandonedClientIsCollected),
        new Test("background: an awaited client is not collected", BackgroundPumpTests.AnAwaitedClientIsNotCollected),
        new Test("background: the log and events", BackgroundPumpTests.ItForwardsTheLogAndEvents),
        new Test("background: a throwing handler", BackgroundPumpTests.AThrowingHandlerIsReported),
        new Test("events: a watched session reports its status", EventTests.AWatchedSessionReportsItsStatus),
        new Test("events: an ending lease", EventTests.AnEndingLease),
        new Test("events: keep-alive", EventTests.KeepAlive),
        new Test("events: suspend and resume", EventTests.SuspendAndResume),
        new Test("events: a lost create", EventTests.ALostCreate),
        new Test("events: a token on request", EventTests.ATokenOnRequest),
        new Test("events: a watched session is held", EventTests.AWatchedSessionIsHeld),
        new Test("errors: usage", ErrorTests.Usage),
        new Test("errors: ended", ErrorTests.Ended),
        new Test("errors: authentication", ErrorTests.Authentication),
        new Test("errors: network", ErrorTests.Network),
        new Test("errors: TLS", ErrorTests.Tls),
        new Test("errors: the service", ErrorTests.TheService),
        new Test("errors: the session", ErrorTests.TheSession),
        new Test("errors: storage", ErrorTests.Storage),
        new Test("errors: the library", ErrorTests.TheLibrary),
        new Test("errors: arguments", ErrorTests.Arguments),
        new Test("errors: names of methods and options", ErrorTests.Names),
        new Test("texts: in and out", TextTests.InAndOut),
        new Test("texts: a message", TextTests.AMessage),
        new Test("texts: a long message", TextTests.ALongMessage),
        new Test("texts: a journal", TextTests.AJournal),
        new Test("texts: a CA file", TextTests.ACaFile),
        new Test("texts: a user agent", TextTests.AUserAgent),
        new Test("texts: a session id", TextTests.ASessionId),
        new Test("domain: unloaded with operations in flight", DomainTests.UnloadedWithOperationsInFlight),
        new Test("domain: unloaded with a background pump", DomainTests.UnloadedWithABackgroundPump),
    };

    private static int Main(string[] arguments)
    {
        string expected = Environment.GetEnvironmentVariable("ARR_EXPECT");
        if (!string.IsNullOrEmpty(expected))
        {
            return RunExpectation(expected);
        }
        int run = 0;
        int failed = 0;
        List<string> skipped = new List<string>();
        foreach (Test test in Tests)
        {
            if (arguments.Length > 0 && !Array.Exists(arguments, word => test.Name.Contains(word)))
            {
                continue;
            }
            run++;
            Stopwatch watch = Stopwatch.StartNew();
            string outcome = "ok";
            try
            {
                Service.CleanUp();
                test.Body();
            }
            catch (Skipped e)
            {
                run--;
                skipped.Add(test.Name + " (" + e.Message + ")");
                outcome = "skipped: " + e.Message;
            }
            catch (Exception e)
            {
                failed++;
                outcome = "FAILED\n" + e;
            }
            Console.WriteLine("{0,-50} {1,5} ms  {2}", test.Name, watch.ElapsedMilliseconds, outcome);
        }
        if (failed > 0 || run == 0)
        {
            Console.WriteLine(run == 0 ? "there is no such test" : failed + " of " + run + " tests failed");
            return 1;
        }
        Console.WriteLine(
            run + " tests" + (skipped.Count == 0 ? "" : ", " + skipped.Count + " skipped: " + string.Join("; ", skipped)));
        return 0;
    }

    private static int RunExpectation(string expected)
    {
        try
        {
            Console.WriteLine(expected + ": " + LibraryTests.Expect(expected));
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine("FAILED " + expected + "\n" + e);
            return 1;
        }
    }
}
