// The ends: play mode, pause, quit.

using System;
using System.Threading.Tasks;
using ArrSession;
using ArrSession.Unity;
using StandIn;
using UnityEngine;

static class EndTests
{
    public static void LeavingPlayModeStopsAndTheNextStartsFresh()
    {
        // Without a domain reload, statics survive.
        for (int round = 0; round < 3; round++)
        {
            RemoteRenderingSession session = Stage.ReadySession();
            string id = session.Session.Id;
            Task<SessionProperties> pending = session.Session.GetPropertiesAsync();
            PlayMode.Exit();
            Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
            Check.That(pending.IsCompleted, "the pending task has ended");
            Check.Equal(0, SessionPump.Count, "clients that are left");
        }
    }

    public static void LeavingPlayModeKeepsASessionWithoutStopOnQuit()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string id = session.Session.Id;
        session.StopOnQuit = false;
        PlayMode.Exit();
        Check.Equal("Ready", Emulator.StatusOf(id), "the service's status");
    }

    public static void LeavingPlayModeHasALimit()
    {
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.Settings.ShutdownLimit = TimeSpan.FromMilliseconds(400);
        Stage.Ready(session);
        string verb = session.Settings.ApiVersion == ApiVersion.V1 ? "DELETE" : "POST";
        Emulator.Fault(verb, "**", "{\"type\": \"delay\", \"ms\": 2000}");
        DateTime before = DateTime.UtcNow;
        PlayMode.Exit();
        TimeSpan took = DateTime.UtcNow - before;
        Check.That(took > TimeSpan.FromMilliseconds(300) && took < TimeSpan.FromMilliseconds(1500), "it took " + took);
        Check.That(Stage.WasLogged("longer than its limit of 0.4 s"), "the log says so");
        // The shutdown has continued meanwhile.
        Check.That(ArrClient.ShutdownAll(TimeSpan.FromSeconds(5)), "it ends anyway");
    }

    public static void AFailedStopIsLogged()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string verb = session.Settings.ApiVersion == ApiVersion.V1 ? "DELETE" : "POST";
        Emulator.Fault(verb, "**", "{\"type\": \"status\", \"status\": 403}");
        string id = session.Session.Id;
        PlayMode.Exit();
        Check.That(Stage.WasLogged("session " + id + " may still be running"), "the log says so");
    }

    public static void EditModeSessionsEndWhenPlayModeBegins()
    {
        RemoteRenderingSession session = Stage.Session();
        Task start = session.StartSessionAsync();
        Stage.EditorUntil(delegate { return start.IsCompleted; }, "it is started in edit mode");
        string id = session.Session.Id;
        PlayMode.LeaveEditMode();
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
        PlayMode.Enter();
        Check.Equal(0, SessionPump.Count, "clients that are left");
        Check.Equal(SessionStatus.Unknown, session.Status, "the component's status");
    }

    public static void AResetLeavesNothingInStatics()
    {
        // An edit-mode tool left a client, and the Editor raised no event.
        ArrClient left = new ArrClient(Stage.Settings().ToOptions());
        SessionPump.Add(left);
        PlayMode.Enter();
        Check.That(left.IsDisposed, "it is disposed of");
        Check.Equal(0, SessionPump.Count, "clients that are left");
        Stage.Ready(Stage.Session());
    }

    public static void QuittingAPlayerStops()
    {
        Engine.IsEditor = false;
        Engine.Platform = RuntimePlatform.LinuxPlayer;
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Ready(Stage.Session());
        string id = session.Session.Id;
        Engine.Quit();
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
    }

    public static void QuittingRightAfterDestroyingStopsToo()
    {
        Engine.IsEditor = false;
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Ready(Stage.Session());
        string id = session.Session.Id;
        UnityEngine.Object.DestroyImmediate(session.gameObject);
        Engine.Quit();
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
    }

    public static void QuittingTheEditorStops()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        string id = session.Session.Id;
        PlayMode.QuitEditor();
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
    }

    public static void TakingTheHeadsetOffSuspendsAndPuttingItOnResumes()
    {
        Engine.Platform = RuntimePlatform.WSAPlayerARM;
        RemoteRenderingSession session = Stage.ReadySession();
        session.OnSuspend = SuspendAction.Extend;
        bool resumed = false;
        session.EventReceived += delegate(ArrEvent received) { resumed |= received.Type == ArrEventType.Resumed; };
        Emulator.AdvanceMinutes(25);
        Stage.Until(delegate { return session.Remaining < TimeSpan.FromMinutes(6); }, "it is read");
        Engine.Focus(false);
        Check.That(!session.IsSuspended, "losing the focus is no suspend");
        Engine.Pause(true);
        Check.That(session.IsSuspended, "being paused is");
        Engine.Pause(false);
        Check.That(!session.IsSuspended, "it is back");
        Stage.Until(delegate { return resumed; }, "the session is polled");
        Check.That(session.Snapshot.MaxLease > TimeSpan.FromMinutes(30), "the lease was extended: " + session.Snapshot.MaxLease);
        Stage.Await(session.StopSessionAsync());
    }

    public static void ASuspendCanStop()
    {
        Engine.Platform = RuntimePlatform.Android;
        RemoteRenderingSession session = Stage.ReadySession();
        session.OnSuspend = SuspendAction.Stop;
        string id = session.Session.Id;
        Engine.Pause(true);
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
        SessionStatus ended = SessionStatus.Unknown;
        session.OnEnded.AddListener(delegate(SessionStatus how) { ended = how; });
        Engine.Focus(true);
        Stage.Until(delegate { return ended == SessionStatus.Stopped; }, "it is reported after the return");
    }

    public static void LosingFocusDoesNotSuspendADesktop()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        session.OnSuspend = SuspendAction.Stop;
        string id = session.Session.Id;
        Engine.Focus(false);
        Engine.Pause(true);
        Check.That(!session.IsSuspended, "not suspended");
        Check.Equal("Ready", Emulator.StatusOf(id), "the service's status");
        session.Settings.SuspendOn = SuspendTrigger.PauseOrFocusLoss;
        Engine.Focus(false);
        Check.That(session.IsSuspended, "unless enabled");
        Engine.Focus(true);
        Check.That(!session.IsSuspended, "and back");
        session.Settings.SuspendOn = SuspendTrigger.Never;
        Engine.Platform = RuntimePlatform.Android;
        Engine.Pause(true);
        Check.That(!session.IsSuspended, "and never is never");
        session.Suspend();
        Engine.Pause(false);
        Check.That(session.IsSuspended, "only the application ends its own suspend");
        session.Resume();
        Check.That(!session.IsSuspended, "as here");
    }
}
