using System;
using System.Collections.Generic;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;
using UnityEngine.SceneManagement;

namespace ArrSession.Unity.Editor
{
    /// <summary>
    /// Fails a build that would contain an account key other than the development account's, or whose sessions have no
    /// credential. The message says what to do.
    /// </summary>
    sealed class BuildCheck : IPreprocessBuildWithReport, IProcessSceneWithReport
    {
        /// <summary>Early, so that a build fails before it takes time.</summary>
        public int callbackOrder
        {
            get { return -100; }
        }

        /// <summary>Checks every settings asset that a build could include.</summary>
        public void OnPreprocessBuild(BuildReport report)
        {
            List<string> problems = new List<string>();
            foreach (string guid in AssetDatabase.FindAssets("t:" + typeof(RemoteRenderingSettings).Name))
            {
                string path = AssetDatabase.GUIDToAssetPath(guid);
                string problem = FindProblem(path);
                if (problem == null) continue;
                if (!IsForEditor(path))
                {
                    problems.Add(path + ": " + problem + " An Editor-only asset belongs in a folder named Editor.");
                    continue;
                }
                string way = FindWayIntoBuild(path);
                if (way != null)
                {
                    problems.Add(path + ": " + problem + " It is in a folder named Editor, but " + way + " includes it in builds: nothing"
                        + " outside such folders may refer to it.");
                }
            }
            FailIfAny(problems);
        }

        /// <summary>Checks every session in a scene. The Editor also calls it for play mode, without a report.</summary>
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

        // A file may contain several settings.
        static string FindProblem(string path)
        {
            foreach (UnityEngine.Object asset in AssetDatabase.LoadAllAssetsAtPath(path))
            {
                RemoteRenderingSettings settings = asset as RemoteRenderingSettings;
                // Scenes are checked one by one; here, a provider component is assumed.
                string problem = settings == null ? null : settings.FindProblem(true, true);
                if (problem != null) return problem;
            }
            return null;
        }

        static bool IsForEditor(string path)
        {
            return path.Contains("/Editor/");
        }

        // Editor folders exclude only scripts from builds. Any other asset in them is included if an included asset refers
        // to it.
        static string FindWayIntoBuild(string path)
        {
            List<string> roots = new List<string>(AssetDatabase.GetAllAssetPaths());
            roots.RemoveAll(IsForEditor);
            foreach (UnityEngine.Object loaded in PlayerSettings.GetPreloadedAssets())
            {
                if (loaded != null) roots.Add(AssetDatabase.GetAssetPath(loaded));
            }
            if (!Reaches(path, roots.ToArray())) return null;
            return roots.Find(delegate(string root) { return Reaches(path, root); });
        }

        static bool Reaches(string path, params string[] roots)
        {
            return Array.IndexOf(AssetDatabase.GetDependencies(roots, true), path) >= 0;
        }

        static string FindProblem(RemoteRenderingSession session)
        {
            if (session.Settings == null)
            {
                return "The Remote Rendering Session has no settings, so it has no credential. Create them with Assets > Create > Remote Rendering"
                    + " > Settings, and assign them to its Settings.";
            }
            return session.Settings.FindProblem(true, session.GetComponent<TokenProviderBehaviour>() != null);
        }

        static void FailIfAny(List<string> problems)
        {
            if (problems.Count > 0) throw new BuildFailedException("Remote Rendering: " + string.Join("\n", problems.ToArray()));
        }
    }
}
