// Runs the Unity package against an emulator, without Unity. Exit code 0: all is well. An argument chooses tests by a part
// of their names.

using System;
using System.Collections.Generic;
using System.Diagnostics;

static class Program
{
    static readonly Action[] tests =
    {
        PackageTests.ThePackagesOwnEditorTestsPass,
        PackageTests.ThePackagesOwnPlayModeTestsPass,
        PlayTests.AFirstSessionIsToldOnTheMainThread,
        PlayTests.OneThatStartsByItselfNeedsNoCode,
        PlayTests.TwoStartsAreForOneSession,
        PlayTests.ExtendingMakesTheLeaseLonger,
        PlayTests.StoppingStopsAndAnotherOneCanBeStarted,
        PlayTests.StoppingOneThatStartsGivesItUp,
        PlayTests.ACancelledStartLeavesNothingRunning,
        PlayTests.ForgettingLeavesItRunningAndOpeningFindsIt,
        PlayTests.TheLeaseGrowsUpToItsCap,
        PlayTests.AnEndingLeaseIsTold,
        PlayTests.ASessionThatFailsWhileItStartsIsToldByTaskAndEvent,
        PlayTests.AwaitingResumesOnTheMainThreadAtOnce,
        PlayTests.AnIdleFrameAllocatesNothing,
        PlayTests.AnotherPlayerLoopIsPutRight,
        PlayTests.AListenerThatThrowsHurtsNobody,
        PlayTests.ADestroyedOneStopsInTheBackground,
        PlayTests.ATokenProviderIsAskedAndAskedAgain,
        PlayTests.AProviderThatFailsIsAskedOnceMore,
        PlayTests.ATokenIsRenewedAlsoWithoutASession,
        PlayTests.WhatIsOfThisRunIsNotSerialized,
        PlayTests.AnEarlierRunsSessionIsGoneOnWith,
        PlayTests.TheFirstSampleRuns,
        EndTests.LeavingPlayModeStopsAndTheNextPlayModeIsFresh,
        EndTests.LeavingPlayModeLeavesWhatIsToBeLeft,
        EndTests.LeavingPlayModeIsBounded,
        EndTests.AStopThatFailsIsSaid,
        EndTests.EditModeSessionsEndWhenPlayModeBegins,
        EndTests.WhatEndsByResetIsLeftInNoStatic,
        EndTests.QuittingAPlayerStops,
        EndTests.QuittingRightAfterDestroyingStopsToo,
        EndTests.QuittingTheEditorStops,
        EndTests.TakingTheHeadsetOffSuspendsAndPuttingItOnResumes,
        EndTests.ASuspendCanStop,
        EndTests.ADesktopIsNotSuspendedByItsFocus,
        EditorTests.TheInspectorShowsAndSteersASessionInEditMode,
        EditorTests.TheInspectorSaysWhatIsWrong,
        EditorTests.WhatIsDestroyedInEditModeIsNotPumpedForEver,
        EditorTests.APausedEditorPumpsAllTheSame,
        EditorTests.AnEditorInTheBackgroundPumpsAllTheSame,
        EditorTests.WithoutCredentialsNothingStartsAndNoBuildIsMade,
        EditorTests.AForeignKeyIsInNoBuild,
        EditorTests.AForeignKeyThatGotIntoABuildIsNotUsed,
        DropInTests.ASessionIsStartedFoundAndStopped,
        DropInTests.OneThatWasForgottenIsOpenedAgain,
        DropInTests.WhatIsGivenUpWhileItBeginsIsNotThereLater,
        DropInTests.ADestroyedOneStopsInTheBackground,
        DropInTests.ALeaseAboveTheCapIsKeptAsItIs,
        DropInTests.WhatFailsIsToldAndNotThrown,
        DropInTests.TheLeaseIsRenewedUpToTheCap,
        DropInTests.AutoStopSessionStopsAtTheEndOfPlayMode,
        DropInTests.AKeyIsNotTakenInABuild,
        ReloadTests.AReloadEndsWhatTheOldDomainHad,
        ReloadTests.ADomainThatIsUnloadedInTheMidstHurtsNobody,
    };

    // What runs fully ahead of time is a player, which is never reloaded.
    static bool HasDomains { get { return Environment.GetEnvironmentVariable("ARR_RUNTIME") != "mono-full-aot"; } }

    static int Main(string[] arguments)
    {
        Stage.Open();
        int ran = 0;
        int skipped = 0;
        List<string> failed = new List<string>();
        Stopwatch all = Stopwatch.StartNew();
        foreach (Action test in tests)
        {
            string name = test.Method.DeclaringType.Name + "." + test.Method.Name;
            if (arguments.Length > 0 && name.IndexOf(arguments[0], StringComparison.OrdinalIgnoreCase) < 0) continue;
            if (test.Method.DeclaringType == typeof(ReloadTests) && !HasDomains)
            {
                skipped++;
                continue;
            }
            ran++;
            Stopwatch clock = Stopwatch.StartNew();
            string outcome = "ok";
            try
            {
                Stage.Clear();
                test();
            }
            catch (Exception thrown)
            {
                outcome = "FAILED: " + thrown;
                failed.Add(name);
            }
            Console.WriteLine("{0,5} ms  {1}: {2}", clock.ElapsedMilliseconds, name, outcome);
        }
        Stage.Clear();
        string left = skipped == 0 ? "" : ", " + skipped + " skipped: fully ahead of time, Mono makes no second domain";
        Console.WriteLine("{0} tests in {1:0.0} s, {2} failed{3}", ran, all.Elapsed.TotalSeconds, failed.Count, left);
        return failed.Count == 0 && ran > 0 ? 0 : 1;
    }
}
