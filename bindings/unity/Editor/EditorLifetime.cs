using UnityEditor;
using UnityEngine;

namespace ArrSession.Unity.Editor
{
    /// <summary>
    /// Pumps in edit mode, and shuts clients down when play mode begins or ends, before a domain reload, and when the
    /// Editor quits. Limited by the settings' shutdown limit.
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

        // In play mode the player loop pumps, unless play mode is paused.
        static void Tick()
        {
            if (!EditorApplication.isPlaying || EditorApplication.isPaused || FramesStandStill()) SessionPump.Tick();
        }

        // Without Run In Background there are no frames while the Editor is in the background.
        static bool FramesStandStill()
        {
            if (Time.frameCount != lastFrame)
            {
                lastFrame = Time.frameCount;
                lastFrameAt = EditorApplication.timeSinceStartup;
            }
            return EditorApplication.timeSinceStartup - lastFrameAt > StandstillSeconds;
        }

        // Edit-mode sessions end before play mode, because play mode has new scene objects, with or without a reload.
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
