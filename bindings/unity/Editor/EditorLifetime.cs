using UnityEditor;
using UnityEngine;

namespace ArrSession.Unity.Editor
{
    /// <summary>
    /// Pumps in edit mode, and ends clients in good order before they lose their objects: when play mode begins or ends,
    /// before the domain is reloaded, and when the Editor quits. Each is bounded by the settings' shutdown limit.
    /// </summary>
    [InitializeOnLoad]
    static class EditorLifetime
    {
        const double StandstillSeconds = 0.25;

        static int lastFrame = -1;
        static double lastFrameAt;

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
            if (!EditorApplication.isPlaying || EditorApplication.isPaused || FramesStandStill()) SessionPump.Tick();
        }

        // Without Run In Background there are none while another application has the focus.
        static bool FramesStandStill()
        {
            if (Time.frameCount != lastFrame)
            {
                lastFrame = Time.frameCount;
                lastFrameAt = EditorApplication.timeSinceStartup;
            }
            return EditorApplication.timeSinceStartup - lastFrameAt > StandstillSeconds;
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
