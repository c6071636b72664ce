// The Editor part: inspector, edit mode, builds.

using System;
using System.Collections.Generic;
using System.Reflection;
using ArrSession;
using ArrSession.Unity;
using StandIn;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;
using UnityEngine.SceneManagement;

static class EditorTests
{
    public static void TheInspectorShowsAndControlsASessionInEditMode()
    {
        RemoteRenderingSession session = Stage.Session();
        UnityEditor.Editor inspector = InspectorOf(session);
        Check.Contains("Status: Unknown", Draw(inspector), "before");
        Check.Contains("[Stop] (disabled)", Draw(inspector), "before");
        Check.That(!inspector.RequiresConstantRepaint(), "nothing moves");

        Engine.Click("Start");
        Draw(inspector);
        Check.That(inspector.RequiresConstantRepaint(), "it moves");
        Stage.EditorUntil(delegate { return session.Status == SessionStatus.Ready; }, "it is pumped in edit mode");
        string drawn = Draw(inspector);
        Check.Contains("Status: Ready", drawn, "ready");
        Check.Contains("Session: " + session.Session.Id, drawn, "ready");
        Check.Contains("Remaining lease: 0:29:5", drawn, "ready");
        Check.Contains("[Start] (disabled)", drawn, "ready");

        Engine.Click("Extend by 15 min");
        Draw(inspector);
        Stage.EditorUntil(delegate { return session.Snapshot.MaxLease == TimeSpan.FromMinutes(45); }, "it is extended");
        string id = session.Session.Id;
        Engine.Click("Stop");
        Draw(inspector);
        Stage.EditorUntil(delegate { return session.Session == null; }, "it is stopped");
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
        Check.Contains("Status: Stopped", Draw(inspector), "after");
    }

    public static void TheInspectorShowsProblems()
    {
        RemoteRenderingSession session = Stage.Session();
        session.Settings = null;
        Check.Contains("Warning: Assign Settings", Draw(InspectorOf(session)), "without settings");
        session.Settings = Stage.Settings();
        session.Settings.AccountKey = "c2VjcmV0";
        Check.Contains("Info: A build will fail", Draw(InspectorOf(session)), "with a key");
        session.Settings.Credential = CredentialSource.None;
        Check.Contains("Warning: There is no credential", Draw(InspectorOf(session)), "without credential");
    }

    public static void ADestroyedComponentIsNotPumpedInEditMode()
    {
        RemoteRenderingSession session = Stage.Session();
        System.Threading.Tasks.Task start = session.StartSessionAsync();
        Stage.EditorUntil(delegate { return start.IsCompleted; }, "it is started");
        string id = session.Session.Id;
        // In edit mode there is no OnDestroy message.
        UnityEngine.Object.DestroyImmediate(session.gameObject);
        PlayMode.EditorTick();
        PlayMode.EditorTick();
        Check.Equal(0, SessionPump.Count, "clients that are pumped");
        DateTime limit = DateTime.UtcNow.AddSeconds(10);
        while (Emulator.StatusOf(id) != "Stopped") Check.That(DateTime.UtcNow < limit, "it is stopped");
    }

    public static void APausedEditorPumps()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        UnityEditor.EditorApplication.isPaused = true;
        try
        {
            System.Threading.Tasks.Task read = session.Session.GetPropertiesAsync();
            Stage.EditorUntil(delegate { return read.IsCompleted; }, "it is read");
        }
        finally
        {
            UnityEditor.EditorApplication.isPaused = false;
        }
    }

    public static void ABackgroundEditorPumps()
    {
        RemoteRenderingSession session = Stage.ReadySession();
        System.Threading.Tasks.Task read = session.Session.GetPropertiesAsync();
        // There are no frames.
        Stage.EditorUntil(delegate { return read.IsCompleted; }, "it is read");
    }

    public static void WithoutACredentialStartAndBuildFail()
    {
        RemoteRenderingSession session = Stage.Session();
        session.Settings.Credential = CredentialSource.None;
        System.Threading.Tasks.Task start = session.StartSessionAsync();
        Stage.EditorUntil(delegate { return start.IsCompleted; }, "it ends");
        Check.That(start.IsFaulted, "it fails");
        Check.Contains("Choose Development Account", session.LastProblem, "with the fix");

        Project.Put("Assets/Remote.asset", session.Settings);
        Check.Contains("Assets/Remote.asset: There is no credential. Choose Development Account", BuildFails(), "the build");
        Project.Clear();
        Check.Contains("Remote Rendering: There is no credential", SceneFails(), "the scene's build");
        session.Settings = null;
        Check.Contains("has no settings, so it has no credential", SceneFails(), "the scene's build");
        session.Settings = Stage.Settings();
        Check.That(SceneFails() == null, "with the development account the scene is built");
        session.Settings.Credential = CredentialSource.TokenProvider;
        session.Settings.AccountId = DevelopmentAccount.AccountId;
        session.Settings.AccountDomain = "westus2";
        Check.Contains("There is no token provider", SceneFails(), "the scene's build");
        session.gameObject.AddComponent<PlayTests.Provider>();
        Check.That(SceneFails() == null, "with a provider beside the scene is built");
    }

    public static void ABuildWithAForeignKeyFails()
    {
        RemoteRenderingSettings settings = Stage.Settings();
        Project.Put("Assets/Settings/Remote.asset", settings);
        Check.That(BuildFails() == null, "the development account may be built");
        settings.AccountKey = DevelopmentAccount.AccountKey;
        Check.That(BuildFails() == null, "its key too");
        settings.AccountKey = "c2VjcmV0";
        Check.Contains("Assets/Settings/Remote.asset: The settings contain an account key", BuildFails(), "with a foreign key");
        Check.Contains("Clear Account Key", BuildFails(), "with the fix");
        settings.Credential = CredentialSource.AccountKeyInEditor;
        settings.AccountKey = DevelopmentAccount.AccountKey;
        Check.Contains("which a build cannot use", BuildFails(), "by its credential");
        Project.Clear();
        settings.AccountKey = "c2VjcmV0";
        Project.Put("Assets/Editor/Remote.asset", settings);
        Check.That(BuildFails() == null, "an Editor-only asset is not in a build");
        Project.PutReferring("Assets/Editor/Tool.prefab", "Assets/Editor/Remote.asset");
        Check.That(BuildFails() == null, "nor if only such assets refer to it");
        Project.PutReferring("Assets/Resources/Session.prefab", "Assets/Editor/Tool.prefab");
        Check.Contains("Assets/Resources/Session.prefab includes it in builds", BuildFails(), "unless something else refers to it");
        Project.Clear();
        Project.Put("Assets/Editor/Remote.asset", settings);
        Project.Preloaded.Add(settings);
        Check.Contains("includes it in builds", BuildFails(), "or the player loads it at its start");
        Project.Clear();
        Project.Put("Assets/Two.asset", Stage.Settings(), settings);
        Check.Contains("Clear Account Key", BuildFails(), "the second one of a file too");
        Project.Clear();

        RemoteRenderingSession session = Stage.Session();
        session.Settings = settings;
        Check.Contains("Clear Account Key", SceneFails(), "unless a scene refers to it");
    }

    public static void AForeignKeyInABuildIsNotUsed()
    {
        Engine.IsEditor = false;
        PlayMode.Enter();
        RemoteRenderingSession session = Stage.Session();
        session.Settings.Credential = CredentialSource.AccountKeyInEditor;
        session.Settings.AccountId = DevelopmentAccount.AccountId;
        session.Settings.AccountDomain = Emulator.Url;
        session.Settings.AccountKey = "c2VjcmV0";
        System.Threading.Tasks.Task start = session.StartSessionAsync();
        Stage.Until(delegate { return start.IsCompleted; }, "it ends");
        Check.That(start.IsFaulted && session.Client == null, "it fails before there is a client");
        Check.Contains("Clear Account Key", session.LastProblem, "with the fix");
        InvalidOperationException refused =
            Check.Throws<InvalidOperationException>(delegate { session.Settings.ToOptions(); }, "options for a client of one's own");
        Check.Contains("Clear Account Key", refused.Message, "with the fix");
    }

    public static void SettingsBecomeClientOptions()
    {
        PlayMode.Enter();
        RemoteRenderingSettings settings = Stage.Settings();
        settings.CertificateAuthorities = "-----BEGIN CERTIFICATE-----";
        settings.Trust = TrustedRoots.Bundled;
        settings.Proxy = "none";
        settings.ApiVersion = ApiVersion.V2021_01_01;
        settings.CallTimeout = TimeSpan.FromSeconds(7);
        settings.PollInterval = TimeSpan.FromSeconds(11);
        settings.ReadyPollInterval = TimeSpan.FromSeconds(13);
        settings.LogLevel = ArrLogLevel.Error;
        settings.Journal = false;
        ArrClientOptions options = settings.ToOptions();
        Check.Equal("-----BEGIN CERTIFICATE-----", options.CaPem, "authorities");
        Check.Equal(TrustedRoots.Bundled, options.Trust, "trust");
        Check.Equal("none", options.Proxy, "proxy");
        Check.Equal(ApiVersion.V2021_01_01, options.ApiVersion, "version");
        Check.Equal(TimeSpan.FromSeconds(7), options.CallTimeout, "a call's time");
        Check.Equal(TimeSpan.FromSeconds(11), options.PollInterval, "how often a starting session is read");
        Check.Equal(TimeSpan.FromSeconds(13), options.ReadyPollInterval, "how often a ready one is");
        Check.Equal(ArrLogLevel.Error, options.LogLevel, "log");
        Check.Equal(null, options.JournalFolder, "journal");
    }

    static UnityEditor.Editor InspectorOf(RemoteRenderingSession session)
    {
        foreach (Type type in Assembly.Load("ArrSession.Editor").GetTypes())
        {
            foreach (UnityEditor.CustomEditor custom in type.GetCustomAttributes(typeof(UnityEditor.CustomEditor), false))
            {
                if (custom.InspectedType != typeof(RemoteRenderingSession)) continue;
                UnityEditor.Editor inspector = (UnityEditor.Editor)Activator.CreateInstance(type);
                inspector.target = session;
                return inspector;
            }
        }
        throw new Exception("there is no inspector");
    }

    static string Draw(UnityEditor.Editor inspector)
    {
        Engine.ClearLabels();
        inspector.OnInspectorGUI();
        List<string> labels = new List<string>(Engine.Labels);
        return string.Join("\n", labels.ToArray());
    }

    // The build's error, or null if it succeeds.
    static string BuildFails()
    {
        return Fails(delegate { Make<IPreprocessBuildWithReport>().OnPreprocessBuild(new BuildReport()); });
    }

    static string SceneFails()
    {
        return Fails(delegate { Make<IProcessSceneWithReport>().OnProcessScene(new Scene(), new BuildReport()); });
    }

    static string Fails(Action build)
    {
        try
        {
            build();
            return null;
        }
        catch (BuildFailedException failure)
        {
            return failure.Message;
        }
    }

    // Finds the class by its interface, as the Editor does.
    static T Make<T>() where T : class
    {
        foreach (Type type in Assembly.Load("ArrSession.Editor").GetTypes())
        {
            if (typeof(T).IsAssignableFrom(type)) return (T)Activator.CreateInstance(type);
        }
        throw new Exception("there is no " + typeof(T).Name);
    }
}
