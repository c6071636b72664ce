using UnityEditor;

namespace ArrSession.Unity.Editor
{
    /// <summary>
    /// Pumps in edit mode, and ends clients in good order before they lose their objects: when play mode begins or ends,
    /// before the domain is reloaded, and when the Editor quits. Each is bounded by the settings' shutdown limit.
    /// </summary>
    [InitializeOnLoad]
    static class EditorLifetime
    {
        static EditorLifetime()
        {
            EditorApplication.update += Tick;
            EditorApplication.playModeStateChanged += PlayModeChanged;
            EditorApplication.quitting += Quit;
            AssemblyReloadEvents.beforeAssemblyReload += Quit;
        }

        // In play mode the player loop does it, unless the Editor's pause button holds that.
        static void Tick()
        {
            if (!EditorApplication.isPlaying || EditorApplication.isPaused) SessionPump.Tick();
        }

        // Sessions of edit mode do not go over into play mode: with or without a reload, the scene's objects are new ones.
        static void PlayModeChanged(PlayModeStateChange change)
        {
            if (change == PlayModeStateChange.ExitingEditMode || change == PlayModeStateChange.ExitingPlayMode) SessionPump.Shutdown();
        }

        static void Quit()
        {
            SessionPump.ShutdownProcess();
        }
    }
}
