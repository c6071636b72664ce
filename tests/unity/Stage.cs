// The setting for a test: the engine's stand-in, settings for the emulator, and a scene with a session.

using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using ArrSession;
using ArrSession.Unity;
using StandIn;
using UnityEngine;

static class Stage
{
    static int mainThread;

    // As if the Editor was started and the project opened.
    public static void Open()
    {
        mainThread = Thread.CurrentThread.ManagedThreadId;
        Engine.DataPath = Environment.GetEnvironmentVariable("ARR_DATA_PATH");
        Engine.LoadDomain(
            typeof(RemoteRenderingSession).Assembly,
            System.Reflection.Assembly.Load("ArrSession.Editor"));
    }

    // Returns to an Editor in edit mode with an empty scene and a service without faults.
    public static void Clear()
    {
        if (Engine.IsPlaying) PlayMode.Exit();
        Engine.DestroyAll();
        PlayMode.EditorTick();
        Project.Clear();
        Engine.IsEditor = true;
        Engine.Platform = RuntimePlatform.LinuxEditor;
        Engine.Log.Clear();
        Engine.ClearLabels();
        Emulator.EndFaults();
    }

    public static bool OnMainThread { get { return Thread.CurrentThread.ManagedThreadId == mainThread; } }

    public static RemoteRenderingSettings Settings()
    {
        RemoteRenderingSettings settings = ScriptableObject.CreateInstance<RemoteRenderingSettings>();
        settings.ServiceEndpoint = Emulator.Url;
        string ca = Environment.GetEnvironmentVariable("ARR_CA_FILE");
        if (!string.IsNullOrEmpty(ca)) settings.CertificateAuthorities = File.ReadAllText(ca);
        settings.ApiVersion = Environment.GetEnvironmentVariable("ARR_API_VERSION") == "v1" ? ApiVersion.V1 : ApiVersion.V2021_01_01;
        settings.PollInterval = PollInterval;
        settings.ReadyPollInterval = PollInterval;
        settings.Journal = false;
        return settings;
    }

    public static TimeSpan PollInterval
    {
        get { return TimeSpan.FromMilliseconds(int.Parse(Environment.GetEnvironmentVariable("ARR_POLL_INTERVAL_MS"))); }
    }

    // A scene object with a session for the emulator.
    public static RemoteRenderingSession Session()
    {
        RemoteRenderingSession session = new GameObject("Remote Rendering").AddComponent<RemoteRenderingSession>();
        session.Settings = Settings();
        return session;
    }

    // Play mode with a ready session.
    public static RemoteRenderingSession ReadySession()
    {
        PlayMode.LeaveEditMode();
        PlayMode.Enter();
        return Ready(Session());
    }

    public static RemoteRenderingSession Ready(RemoteRenderingSession session)
    {
        Await(session.StartSessionAsync());
        Check.Equal(SessionStatus.Ready, session.Status, "the status");
        return session;
    }

    // Runs frames until the task has ended, and throws what it threw.
    public static T Await<T>(Task<T> task)
    {
        Await((Task)task);
        return task.Result;
    }

    public static void Await(Task task)
    {
        Check.That(Engine.FramesUntil(delegate { return task.IsCompleted; }), "the task ends");
        if (task.IsFaulted) throw task.Exception.InnerException;
        Check.That(!task.IsCanceled, "the task is not cancelled");
    }

    public static void Until(Func<bool> condition, string what)
    {
        Check.That(Engine.FramesUntil(condition), what);
    }

    // Waits in edit mode, where there are no frames.
    public static void EditorUntil(Func<bool> condition, string what)
    {
        DateTime limit = DateTime.UtcNow.AddSeconds(20);
        while (!condition())
        {
            Check.That(DateTime.UtcNow < limit, what);
            PlayMode.EditorTick();
            Thread.Sleep(2); // About as often as the Editor updates.
        }
    }

    public static bool WasLogged(string part)
    {
        foreach (string line in Engine.Log)
        {
            if (line.Contains(part)) return true;
        }
        return false;
    }
}
