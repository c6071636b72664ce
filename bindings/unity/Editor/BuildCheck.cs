using System.Collections.Generic;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;
using UnityEngine.SceneManagement;

namespace ArrSession.Unity.Editor
{
    /// <summary>
    /// Fails a build that holds an account key other than the public development key, or whose sessions have no credential
    /// source, and says what to do.
    /// </summary>
    sealed class BuildCheck : IPreprocessBuildWithReport, IProcessSceneWithReport
    {
        /// <summary>Early: nobody waits for a build that fails.</summary>
        public int callbackOrder
        {
            get { return -100; }
        }

        /// <summary>Looks at every settings asset that a build could take in.</summary>
        public void OnPreprocessBuild(BuildReport report)
        {
            List<string> problems = new List<string>();
            foreach (string guid in AssetDatabase.FindAssets("t:" + typeof(RemoteRenderingSettings).Name))
            {
                string path = AssetDatabase.GUIDToAssetPath(guid);
                // What lies in a folder of that name is never in a build.
                if (path.Contains("/Editor/")) continue;
                RemoteRenderingSettings settings = AssetDatabase.LoadAssetAtPath<RemoteRenderingSettings>(path);
                // A provider may stand beside the component: the scenes are looked at one by one.
                string problem = settings == null ? null : settings.FindProblem(true, true);
                if (problem != null)
                {
                    problems.Add(path + ": " + problem + " An asset that is for the Editor only belongs into a folder named Editor.");
                }
            }
            FailIfAny(problems);
        }

        /// <summary>Looks at every session of a scene. The Editor calls it for play mode too, without a report.</summary>
        public void OnProcessScene(Scene scene, BuildReport report)
        {
            if (report == null) return;
            List<string> problems = new List<string>();
            foreach (GameObject root in scene.GetRootGameObjects())
            {
                foreach (RemoteRenderingSession session in root.GetComponentsInChildren<RemoteRenderingSession>(true))
                {
                    string problem = FindProblem(session);
                    if (problem != null) problems.Add(scene.path + ", " + session.name + ": " + problem);
                }
            }
            FailIfAny(problems);
        }

        static string FindProblem(RemoteRenderingSession session)
        {
            if (session.Settings == null)
            {
                return "The Remote Rendering Session has no settings, so it has no credential. Create some by Assets, Create, Remote Rendering,"
                    + " Settings, and set them as its Settings.";
            }
            return session.Settings.FindProblem(true, session.GetComponent<TokenProviderBehaviour>() != null);
        }

        static void FailIfAny(List<string> problems)
        {
            if (problems.Count > 0) throw new BuildFailedException("Remote Rendering: " + string.Join("\n", problems.ToArray()));
        }
    }
}
