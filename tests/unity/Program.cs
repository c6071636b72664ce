// Runs the Unity package against an emulator, without Unity. Exit code 0 means success. An argument selects tests by a part
// of their names.

using System;
using System.Collections.Generic;
using System.Diagnostics;

static class Program
{
    static readonly Action[] tests =
    {
        PackageTests.ThePackagesEditorTestsPass,
        PackageTests.ThePackagesPlayModeTestsPass,
        PlayTests.AFirstSessionIsReportedOnTheMainThread,
        PlayTests.StartAutomaticallyNeedsNoCode,
        PlayTests.TwoStartsShareOneSession,
        PlayTests.ExtendingLengthensTheLease,
        PlayTests.AfterAStopAnotherSessionCanStart,
        PlayTests.AStopCancelsAStart,
        PlayTests.ACancelledStartLeavesNothingRunning,
        PlayTests.ACancelledStartLeavesAReusedSessionRunning,
        PlayTests.AForgottenSessionRunsOnAndCanBeOpened,
        PlayTests.TheLeaseGrowsUpToItsCap,
        PlayTests.AnEndingLeaseIsReported,
        PlayTests.AFailingStartIsReportedByTaskAndEvent,
        PlayTests.AwaitResumesOnTheMainThreadAtOnce,
        PlayTests.AnIdleFrameAllocatesNothing,
        PlayTests.AReplacedPlayerLoopGetsThePumpBack,
        PlayTests.AThrowingListenerHarmsNothingElse,
        PlayTests.ADestroyedComponentStopsItsSession,
        PlayTests.ATokenProviderIsAskedAgainAfterARefusal,
        PlayTests.AFailingTokenProviderIsRetried,
        PlayTests.ATokenIsRenewedWithoutASession,
        PlayTests.RuntimeStateIsNotSerialized,
        PlayTests.ASessionOfAnEarlierRunIsReused,
        PlayTests.TheFirstSampleRuns,
        EndTests.LeavingPlayModeStopsAndTheNextStartsFresh,
        EndTests.LeavingPlayModeKeepsASessionWithoutStopOnQuit,
        EndTests.LeavingPlayModeHasALimit,
        EndTests.AFailedStopIsLogged,
        EndTests.EditModeSessionsEndWhenPlayModeBegins,
        EndTests.AResetLeavesNothingInStatics,
        EndTests.QuittingAPlayerStops,
        EndTests.QuittingRightAfterDestroyingStopsToo,
        EndTests.QuittingTheEditorStops,
        EndTests.TakingTheHeadsetOffSuspendsAndPuttingItOnResumes,
        EndTests.ASuspendCanStop,
        EndTests.LosingFocusDoesNotSuspendADesktop,
        EditorTests.TheInspectorShowsAndControlsASessionInEditMode,
        EditorTests.TheInspectorShowsProblems,
        EditorTests.ADestroyedComponentIsNotPumpedInEditMode,
        EditorTests.APausedEditorPumps,
        EditorTests.ABackgroundEditorPumps,
        EditorTests.WithoutACredentialStartAndBuildFail,
        EditorTests.ABuildWithAForeignKeyFails,
        EditorTests.AForeignKeyInABuildIsNotUsed,
        EditorTests.SettingsBecomeClientOptions,
        DropInTests.ASessionIsStartedFoundAndStopped,
        DropInTests.AForgottenSessionCanBeOpened,
        DropInTests.AnAbandonedStartDoesNotComeBack,
        DropInTests.ADestroyedComponentStopsItsSession,
        DropInTests.ALeaseAboveTheCapIsKept,
        DropInTests.FailuresAreReportedAndNotThrown,
        DropInTests.TheLeaseIsRenewedUpToTheCap,
        DropInTests.AutoStopSessionStopsAtTheEndOfPlayMode,
        DropInTests.AKeyIsRefusedInABuild,
        ReloadTests.AReloadEndsTheOldDomainsClients,
        ReloadTests.AnUnloadDuringOperationsHarmsNothing,
    };

    // Full AOT stands for a player, which never reloads.
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
        string left = skipped == 0 ? "" : ", " + skipped + " skipped: with full AOT, Mono has no second domain";
        Console.WriteLine("{0} tests in {1:0.0} s, {2} failed{3}", ran, all.Elapsed.TotalSeconds, failed.Count, left);
        return failed.Count == 0 && ran > 0 ? 0 : 1;
    }
}
