using System;
using System.Collections.Generic;
using System.Diagnostics;

/// <summary>
/// Runs the tests one after the other, or those with one of its arguments in their names. They are listed by hand: nothing here needs
/// reflection, so it runs also where everything was compiled ahead of time.
/// </summary>
internal static class Program
{
    private static readonly Test[] Tests =
    {
        new Test("library: the version", LibraryTests.TheVersion),
        new Test("declarations: structs lie as in C", DeclarationTests.StructsLieAsInC),
        new Test("declarations: enumerations have all constants", DeclarationTests.EnumerationsHaveAllConstants),
        new Test("story: awaited", OperationTests.AStoryAwaited),
        new Test("story: by the twins that block", OperationTests.AStoryByTheTwinsThatBlock),
        new Test("operations: reads can be spared", OperationTests.ReadsCanBeSpared),
        new Test("operations: a wait in slices", OperationTests.AWaitInSlices),
        new Test("operations: tokens", OperationTests.Tokens),
        new Test("operations: a long token", OperationTests.ALongToken),
        new Test("operations: stop all", OperationTests.StopAll),
        new Test("operations: some that cannot be stopped", OperationTests.SomeThatCannotBeStopped),
        new Test("operations: recover and resume", OperationTests.RecoverAndResume),
        new Test("operations: what a session shall be", OperationTests.WhatASessionShallBe),
        new Test("operations: a thousand at once", OperationTests.AThousandAtOnce),
        new Test("cancel: before the start", CancellationTests.BeforeTheStart),
        new Test("cancel: while it runs", CancellationTests.WhileItRuns),
        new Test("cancel: many, on another thread", CancellationTests.ByATimerOnAnotherThread),
        new Test("cancel: during the pump", CancellationTests.DuringThePump),
        new Test("cancel: between the end and the pump", CancellationTests.BetweenTheEndAndThePump),
        new Test("cancel: by a source that is disposed", CancellationTests.ByASourceThatIsDisposed),
        new Test("cancel: after the end", CancellationTests.AfterTheEnd),
        new Test("cancel: a create leaves no session", CancellationTests.ACancelledCreateLeavesNoSession),
        new Test("cancel: a stop stops", CancellationTests.ACancelledStopStops),
        new Test("cancel: a stop of all stops", CancellationTests.ACancelledStopOfAllStops),
        new Test("cancel: a stop whose session is disposed stops", CancellationTests.ACancelledStopStopsWhoseSessionIsDisposed),
        new Test("cancel: a stop whose client is shut down stops", CancellationTests.ACancelledStopStopsWhoseClientIsShutDown),
        new Test("cancel: a token holds nothing that has ended", CancellationTests.ATokenThatOutlivesManyOperationsHoldsNone),
        new Test("dispose: pending tasks are cancelled", DisposeTests.PendingTasksAreCancelledBeforeItReturns),
        new Test("dispose: twice", DisposeTests.Twice),
        new Test("dispose: by many threads at once", DisposeTests.ByManyThreadsAtOnce),
        new Test("dispose: what is disposed says so", DisposeTests.WhatIsDisposedSaysSo),
        new Test("dispose: from inside of an await", DisposeTests.FromInsideOfAnAwait),
        new Test("dispose: from a handler", DisposeTests.FromAHandler),
        new Test("dispose: while another thread blocks", DisposeTests.WhileAnotherThreadBlocks),
        new Test("dispose: while another thread pumps", DisposeTests.WhileAnotherThreadPumps),
        new Test("dispose: a session that nobody heard of", DisposeTests.ASessionThatNobodyHeardOfIsStopped),
        new Test("dispose: a session that is being created", DisposeTests.ASessionThatIsBeingCreatedIsStopped),
        new Test("dispose: a session outlives its objects", DisposeTests.ASessionOutlivesItsObjects),
        new Test("dispose: a stop that was started is made", DisposeTests.AStopThatWasStartedIsMade),
        new Test("dispose: a promised stop is made", DisposeTests.APromisedStopIsMadeWithTheClient),
        new Test("dispose: a promise that was taken over", DisposeTests.APromiseThatWasTakenOverIsNotKept),
        new Test("dispose: by the finalizer", DisposeTests.ByTheFinalizer),
        new Test("dispose: in a finalizer", DisposeTests.InAFinalizer),
        new Test("shutdown: in good order", DisposeTests.ShutdownEndsInGoodOrder),
        new Test("shutdown: a session that is created", DisposeTests.ShutdownFirstTellsOfASessionThatIsCreated),
        new Test("shutdown: a session that is being created", DisposeTests.ShutdownStopsASessionThatIsBeingCreated),
        new Test("shutdown: what is left", DisposeTests.ShutdownSaysWhatIsLeft),
        new Test("shutdown: a stop that failed", DisposeTests.ShutdownTellsOfAStopThatFailed),
        new Test("shutdown: of all", DisposeTests.ShutdownOfAll),
        new Test(
            "shutdown: of all, and a session that is created", DisposeTests.ShutdownOfAllFirstTellsOfASessionThatIsCreated),
        new Test("pump: await resumes on its thread", PumpTests.AwaitResumesOnThePumpsThread),
        new Test("pump: await resumes in the frame", PumpTests.AwaitResumesInTheFrameAlsoUnderAContext),
        new Test("pump: one at a time", PumpTests.OnePumpAtATime),
        new Test("pump: what it begins is for the next", PumpTests.WhatAPumpBeginsIsForTheNext),
        new Test("pump: a thread with its thread's number", PumpTests.AThreadWithThePumpsNumberIsNotThePumps),
        new Test("pump: operations started by other threads", PumpTests.OperationsStartedByOtherThreads),
        new Test("pump: twins are refused on its thread", PumpTests.TwinsAreRefusedOnThePumpsThread),
        new Test("pump: handlers that throw", PumpTests.HandlersThatThrow),
        new Test("pump: a continuation that throws", PumpTests.AContinuationThatThrowsHarmsItsOwnTaskOnly),
        new Test("pump: the log is forwarded", PumpTests.TheLogIsForwarded),
        new Test("pump: the measure of allocations", PumpTests.TheMeasureOfAllocationsSeesOne),
        new Test("pump: an idle frame allocates nothing", PumpTests.AnIdleFrameAllocatesNothing),
        new Test("background: await resumes on its thread", BackgroundPumpTests.AwaitResumesOnItsThread),
        new Test("background: twins are refused on its thread", BackgroundPumpTests.TwinsAreRefusedOnItsThread),
        new Test("background: dispose ends it", BackgroundPumpTests.DisposeEndsIt),
        new Test("background: dispose awaits a handler", BackgroundPumpTests.DisposeAwaitsAHandlerThatIsRunning),
        new Test("background: dispose on its own thread", BackgroundPumpTests.DisposeOnItsOwnThread),
        new Test("background: shutdown ends it", BackgroundPumpTests.ShutdownEndsIt),
        new Test("background: an abandoned client is collected", BackgroundPumpTests.AnAbandonedClientIsCollected),
        new Test("background: what is awaited is not collected", BackgroundPumpTests.WhatIsAwaitedIsNotCollected),
        new Test("background: the log and events", BackgroundPumpTests.ItForwardsTheLogAndEvents),
        new Test("background: a handler that throws", BackgroundPumpTests.AHandlerThatThrowsIsTold),
        new Test("events: a watched session tells its status", EventTests.AWatchedSessionTellsItsStatus),
        new Test("events: a lease that runs out", EventTests.ALeaseThatRunsOut),
        new Test("events: a session that is kept alive", EventTests.ASessionThatIsKeptAlive),
        new Test("events: suspend and resume", EventTests.SuspendAndResume),
        new Test("events: a lost create", EventTests.ALostCreate),
        new Test("events: a token on request", EventTests.ATokenOnRequest),
        new Test("events: what is watched is held", EventTests.WhatIsWatchedIsHeld),
        new Test("errors: usage", ErrorTests.Usage),
        new Test("errors: ended", ErrorTests.Ended),
        new Test("errors: authentication", ErrorTests.Authentication),
        new Test("errors: network", ErrorTests.Network),
        new Test("errors: TLS", ErrorTests.Tls),
        new Test("errors: the service", ErrorTests.ServiceItself),
        new Test("errors: the session", ErrorTests.TheSessionItself),
        new Test("errors: storage", ErrorTests.Storage),
        new Test("errors: the library itself", ErrorTests.TheLibraryItself),
        new Test("errors: arguments", ErrorTests.Arguments),
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
