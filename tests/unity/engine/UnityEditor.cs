// Stand-ins for the parts of UnityEditor that the package uses.

using System;
using System.Collections.Generic;
using StandIn;
using UnityEngine;

namespace UnityEditor
{
    public enum PlayModeStateChange { EnteredEditMode, ExitingEditMode, EnteredPlayMode, ExitingPlayMode }
    public enum MessageType { None, Info, Warning, Error }

    public static class EditorApplication
    {
        public delegate void CallbackFunction();

        public static CallbackFunction update;
        public static event Action<PlayModeStateChange> playModeStateChanged;
        public static event Action quitting;

        public static bool isPlaying
        {
            get { return Engine.IsPlaying; }
            set { throw new NotSupportedException("the stand-in's play mode is entered by PlayMode.Enter"); }
        }

        public static bool isPlayingOrWillChangePlaymode { get { return Engine.IsPlaying; } }
        public static bool isPaused { get; set; }
        public static double timeSinceStartup { get { return clock.Elapsed.TotalSeconds; } }

        static readonly System.Diagnostics.Stopwatch clock = System.Diagnostics.Stopwatch.StartNew();

        internal static void RaisePlayMode(PlayModeStateChange change)
        {
            if (playModeStateChanged != null) playModeStateChanged(change);
        }

        internal static void RaiseQuitting()
        {
            if (quitting != null) quitting();
        }
    }

    public static class AssemblyReloadEvents
    {
        public delegate void AssemblyReloadCallback();

        public static event AssemblyReloadCallback beforeAssemblyReload;
        public static event AssemblyReloadCallback afterAssemblyReload;

        internal static void RaiseBefore()
        {
            if (beforeAssemblyReload != null) beforeAssemblyReload();
        }

        internal static void RaiseAfter()
        {
            if (afterAssemblyReload != null) afterAssemblyReload();
        }
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class InitializeOnLoadAttribute : Attribute { }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class CustomEditor : Attribute
    {
        public CustomEditor(Type inspectedType) { InspectedType = inspectedType; }
        public Type InspectedType { get; private set; }
    }

    public class Editor : ScriptableObject
    {
        public UnityEngine.Object target { get; set; }
        public virtual void OnInspectorGUI() { }
        public virtual bool RequiresConstantRepaint() { return false; }
        public bool DrawDefaultInspector() { return false; }
        public void Repaint() { }
    }

    public static class EditorGUI
    {
        public struct DisabledScope : IDisposable
        {
            readonly bool before;

            public DisabledScope(bool disabled)
            {
                before = GUI.enabled;
                GUI.enabled = before && !disabled;
            }

            public void Dispose() { GUI.enabled = before; }
        }
    }

    public static class EditorGUILayout
    {
        public static void LabelField(string label, string text, params GUILayoutOption[] options) { Engine.Drawn(label + ": " + text); }
        public static void SelectableLabel(string text, params GUILayoutOption[] options) { Engine.Drawn(text); }
        public static void HelpBox(string message, MessageType type) { Engine.Drawn(type + ": " + message); }
        public static void Space() { }
    }

    public static class AssetDatabase
    {
        public static string[] FindAssets(string filter) { return Project.Find(filter); }
        public static string GUIDToAssetPath(string guid) { return guid; }
        public static UnityEngine.Object[] LoadAllAssetsAtPath(string path) { return Project.Load(path); }
        public static string[] GetAllAssetPaths() { return Project.Paths(); }
        public static string[] GetDependencies(string[] paths, bool recursive) { return Project.Dependencies(paths, recursive); }
        public static string GetAssetPath(UnityEngine.Object asset) { return Project.PathOf(asset); }
    }

    public static class PlayerSettings
    {
        public static UnityEngine.Object[] GetPreloadedAssets() { return Project.Preloaded.ToArray(); }
    }

    public static class EditorUtility
    {
        public static void SetDirty(UnityEngine.Object target) { }
    }
}

namespace UnityEditor.Build
{
    using UnityEditor.Build.Reporting;

    public interface IOrderedCallback { int callbackOrder { get; } }
    public interface IPreprocessBuildWithReport : IOrderedCallback { void OnPreprocessBuild(BuildReport report); }
    public interface IProcessSceneWithReport : IOrderedCallback
    {
        void OnProcessScene(UnityEngine.SceneManagement.Scene scene, BuildReport report);
    }

    public class BuildFailedException : Exception
    {
        public BuildFailedException(string message) : base(message) { }
    }
}

namespace UnityEditor.Build.Reporting
{
    public sealed class BuildReport : UnityEngine.Object { }
}

namespace StandIn
{
    using UnityEditor;

    // The Editor's actions around the engine: play mode, reload, quit.
    public static class PlayMode
    {
        // For a reload the caller creates a new application domain; only the old one's events are raised here.
        public static void LeaveEditMode() { EditorApplication.RaisePlayMode(PlayModeStateChange.ExitingEditMode); }

        public static void Enter()
        {
            Engine.StartPlaying();
            EditorApplication.RaisePlayMode(PlayModeStateChange.EnteredPlayMode);
        }

        // In the Editor's order: the event, then quitting, then the objects are destroyed.
        public static void Exit()
        {
            EditorApplication.RaisePlayMode(PlayModeStateChange.ExitingPlayMode);
            Engine.StopPlaying();
            EditorApplication.RaisePlayMode(PlayModeStateChange.EnteredEditMode);
        }

        public static void BeforeReload() { AssemblyReloadEvents.RaiseBefore(); }
        public static void AfterReload() { AssemblyReloadEvents.RaiseAfter(); }
        public static void QuitEditor() { EditorApplication.RaiseQuitting(); }

        public static void EditorTick()
        {
            Engine.RunPosted();
            if (EditorApplication.update != null) EditorApplication.update();
        }
    }

    // The project's assets by path.
    public static class Project
    {
        static readonly Dictionary<string, UnityEngine.Object[]> assets = new Dictionary<string, UnityEngine.Object[]>();
        static readonly Dictionary<string, string[]> references = new Dictionary<string, string[]>();

        public static readonly List<UnityEngine.Object> Preloaded = new List<UnityEngine.Object>();

        public static void Put(string path, params UnityEngine.Object[] inside) { assets[path] = inside; }

        // An asset such as a scene or prefab; only its references matter.
        public static void PutReferring(string path, params string[] to)
        {
            Put(path);
            references[path] = to;
        }

        public static void Clear()
        {
            assets.Clear();
            references.Clear();
            Preloaded.Clear();
        }

        internal static UnityEngine.Object[] Load(string path) { return assets[path]; }

        internal static string[] Paths() { return new List<string>(assets.Keys).ToArray(); }

        internal static string PathOf(UnityEngine.Object asset)
        {
            foreach (KeyValuePair<string, UnityEngine.Object[]> file in assets)
            {
                if (Array.IndexOf(file.Value, asset) >= 0) return file.Key;
            }
            return "";
        }

        // As in the Editor, includes the assets themselves.
        internal static string[] Dependencies(string[] of, bool recursive)
        {
            List<string> found = new List<string>(of);
            for (int i = 0; i < (recursive ? found.Count : of.Length); i++)
            {
                string[] to;
                if (references.TryGetValue(found[i], out to)) found.AddRange(Array.FindAll(to, delegate(string one) { return !found.Contains(one); }));
            }
            return found.ToArray();
        }

        internal static string[] Find(string filter)
        {
            List<string> found = new List<string>();
            foreach (KeyValuePair<string, UnityEngine.Object[]> file in assets)
            {
                if (Array.Exists(file.Value, delegate(UnityEngine.Object one) { return filter == "t:" + one.GetType().Name; })) found.Add(file.Key);
            }
            return found.ToArray();
        }
    }
}
