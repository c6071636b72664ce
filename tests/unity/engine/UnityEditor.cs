// Stand-ins for what the Unity package uses of UnityEditor.

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
        protected bool DrawDefaultInspector() { return false; }
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
        public static T LoadAssetAtPath<T>(string path) where T : UnityEngine.Object { return Project.Load(path) as T; }
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
    public class BuildReport { }
}

namespace StandIn
{
    using UnityEditor;

    // What the Editor does around the engine: play mode, reload, quit.
    public static class PlayMode
    {
        // With a reload the caller makes a new application domain; here only the events of the old one are raised.
        public static void LeaveEditMode() { EditorApplication.RaisePlayMode(PlayModeStateChange.ExitingEditMode); }

        public static void Enter()
        {
            Engine.StartPlaying();
            EditorApplication.RaisePlayMode(PlayModeStateChange.EnteredPlayMode);
        }

        // As the Editor does it: the event, then quitting, then the objects go.
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

    // The project's assets, by their paths.
    public static class Project
    {
        static readonly Dictionary<string, UnityEngine.Object> assets = new Dictionary<string, UnityEngine.Object>();

        public static void Put(string path, UnityEngine.Object asset) { assets[path] = asset; }
        public static void Clear() { assets.Clear(); }

        internal static UnityEngine.Object Load(string path) { return assets[path]; }

        internal static string[] Find(string filter)
        {
            List<string> found = new List<string>();
            foreach (KeyValuePair<string, UnityEngine.Object> asset in assets)
            {
                if (filter == "t:" + asset.Value.GetType().Name) found.Add(asset.Key);
            }
            return found.ToArray();
        }
    }
}
