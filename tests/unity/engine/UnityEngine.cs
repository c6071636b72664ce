// Stand-ins for the parts of UnityEngine that the package uses: its names and signatures, with just enough behaviour to run
// the package. StandIn.Engine drives them.

using System;
using System.Collections.Generic;
using StandIn;

namespace UnityEngine
{
    public class Object
    {
        bool destroyed;

        public string name { get; set; }

        public static void Destroy(Object target) { Engine.DestroyLater(target); }
        public static void DestroyImmediate(Object target) { Engine.DestroyNow(target); }
        public static void DontDestroyOnLoad(Object target) { }

        public static T[] FindObjectsOfType<T>() where T : Object { return Engine.Find<T>(); }

        internal void MarkDestroyed() { destroyed = true; }
        internal bool IsDestroyed { get { return destroyed; } }

        // As in the engine, a destroyed object equals null.
        public static bool operator ==(Object left, Object right) { return Same(left, right); }
        public static bool operator !=(Object left, Object right) { return !Same(left, right); }
        public static implicit operator bool(Object target) { return !Same(target, null); }
        public override bool Equals(object other) { return Same(this, other as Object); }
        public override int GetHashCode() { return System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this); }

        static bool Same(Object left, Object right)
        {
            bool noLeft = ReferenceEquals(left, null) || left.destroyed;
            bool noRight = ReferenceEquals(right, null) || right.destroyed;
            return noLeft || noRight ? noLeft == noRight : ReferenceEquals(left, right);
        }
    }

    public class Component : Object
    {
        public GameObject gameObject { get; internal set; }
        public T GetComponent<T>() { return gameObject.GetComponent<T>(); }
    }

    public class Behaviour : Component
    {
        bool on = true;

        public bool enabled
        {
            get { return on; }
            set
            {
                if (on != value)
                {
                    on = value;
                    Engine.EnabledChanged(this);
                }
            }
        }

        public bool isActiveAndEnabled { get { return on && gameObject.activeSelf; } }
    }

    public class MonoBehaviour : Behaviour
    {
        internal bool Started;
        internal Action UpdateCall;
    }

    public sealed class GameObject : Object
    {
        readonly List<Component> components = new List<Component>();
        bool active = true;

        public GameObject() : this("GameObject") { }
        public GameObject(string name)
        {
            this.name = name;
            Engine.Add(this);
        }

        public bool activeSelf { get { return active; } }

        public void SetActive(bool value)
        {
            if (active == value) return;
            active = value;
            foreach (Component component in components.ToArray()) Engine.ActiveChanged(component);
        }

        public T AddComponent<T>() where T : Component, new()
        {
            T component = new T { gameObject = this, name = name };
            components.Add(component);
            Engine.Added(component);
            return component;
        }

        public T GetComponent<T>()
        {
            foreach (Component component in components)
            {
                if (component is T && !component.IsDestroyed) return (T)(object)component;
            }
            return default(T);
        }

        public T[] GetComponentsInChildren<T>(bool includeInactive)
        {
            List<T> found = new List<T>();
            foreach (Component component in components)
            {
                if (component is T && !component.IsDestroyed) found.Add((T)(object)component);
            }
            return found.ToArray();
        }

        internal List<Component> Components { get { return components; } }
    }

    public class ScriptableObject : Object
    {
        public static T CreateInstance<T>() where T : ScriptableObject, new() { return new T(); }
    }

    public enum RuntimePlatform
    {
        OSXEditor = 0, OSXPlayer = 1, WindowsPlayer = 2, WindowsEditor = 7, IPhonePlayer = 8, Android = 11, LinuxPlayer = 13,
        LinuxEditor = 16, WebGLPlayer = 17, WSAPlayerX86 = 18, WSAPlayerX64 = 19, WSAPlayerARM = 20,
    }

    public static class Application
    {
        public static event Action quitting;

        public static bool isPlaying { get { return Engine.IsPlaying; } }
        public static bool isEditor { get { return Engine.IsEditor; } }
        public static RuntimePlatform platform { get { return Engine.Platform; } }
        public static string persistentDataPath { get { return Engine.DataPath; } }
        public static string version { get { return "1.0"; } }
        public static string productName { get { return "Stand-in"; } }
        public static string unityVersion { get { return "2019.4.0f1"; } }
        public static void Quit() { Engine.Quit(); }

        internal static void RaiseQuitting()
        {
            if (quitting != null) quitting();
        }
    }

    public static class Debug
    {
        public static void Log(object message) { Engine.Logged("log", message); }
        public static void Log(object message, Object context) { Engine.Logged("log", message); }
        public static void LogWarning(object message) { Engine.Logged("warning", message); }
        public static void LogWarning(object message, Object context) { Engine.Logged("warning", message); }
        public static void LogError(object message) { Engine.Logged("error", message); }
        public static void LogError(object message, Object context) { Engine.Logged("error", message); }
        public static void LogException(Exception exception) { Engine.Logged("exception", exception); }
        public static void LogException(Exception exception, Object context) { Engine.Logged("exception", exception); }
    }

    public static class Time
    {
        public static int frameCount { get { return Engine.FrameCount; } }
    }

    public static class PlayerPrefs
    {
        static readonly Dictionary<string, string> values = new Dictionary<string, string>();

        public static bool HasKey(string key) { return values.ContainsKey(key); }
        public static string GetString(string key) { return values.ContainsKey(key) ? values[key] : ""; }
        public static void SetString(string key, string value) { values[key] = value; }
        public static void DeleteKey(string key) { values.Remove(key); }
    }

    public struct Rect
    {
        public float x, y, width, height;
        public Rect(float x, float y, float width, float height)
        {
            this.x = x;
            this.y = y;
            this.width = width;
            this.height = height;
        }
    }

    public static class GUI
    {
        public static bool enabled = true;
        public static bool Button(Rect position, string text) { return Engine.Clicked(text); }
        public static void Label(Rect position, string text) { Engine.Drawn(text); }
    }

    public class GUILayoutOption { }

    public static class GUILayout
    {
        public static bool Button(string text, params GUILayoutOption[] options) { return Engine.Clicked(text); }
        public static void BeginHorizontal(params GUILayoutOption[] options) { }
        public static void EndHorizontal() { }
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SerializeField : Attribute { }
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class HideInInspector : Attribute { }
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class HeaderAttribute : Attribute { public HeaderAttribute(string header) { } }
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class TooltipAttribute : Attribute { public TooltipAttribute(string tooltip) { } }
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class MinAttribute : Attribute { public MinAttribute(float min) { } }
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class TextAreaAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class AddComponentMenu : Attribute { public AddComponentMenu(string menuName) { } }
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class DisallowMultipleComponent : Attribute { }
    [AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
    public sealed class RequireComponent : Attribute { public RequireComponent(Type required) { } }
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class HelpURLAttribute : Attribute { public HelpURLAttribute(string url) { } }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class CreateAssetMenuAttribute : Attribute
    {
        public string menuName { get; set; }
        public string fileName { get; set; }
        public int order { get; set; }
    }

    public enum RuntimeInitializeLoadType
    {
        AfterSceneLoad, BeforeSceneLoad, AfterAssembliesLoaded, BeforeSplashScreen, SubsystemRegistration,
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute
    {
        public RuntimeInitializeOnLoadMethodAttribute(RuntimeInitializeLoadType loadType) { this.loadType = loadType; }
        public RuntimeInitializeLoadType loadType { get; private set; }
    }
}

namespace UnityEngine.Scripting
{
    [AttributeUsage(AttributeTargets.All)]
    public sealed class PreserveAttribute : Attribute { }
}

namespace UnityEngine.SceneManagement
{
    public struct Scene
    {
        public string path { get; internal set; }
        public GameObject[] GetRootGameObjects() { return Engine.GameObjects(); }
    }
}

namespace UnityEngine.Events
{
    public delegate void UnityAction();
    public delegate void UnityAction<T0>(T0 argument);

    public abstract class UnityEventBase { }

    [Serializable]
    public class UnityEvent : UnityEventBase
    {
        UnityAction calls;
        public void AddListener(UnityAction call) { calls += call; }
        public void RemoveListener(UnityAction call) { calls -= call; }
        public void Invoke() { if (calls != null) calls(); }
    }

    [Serializable]
    public class UnityEvent<T0> : UnityEventBase
    {
        UnityAction<T0> calls;
        public void AddListener(UnityAction<T0> call) { calls += call; }
        public void RemoveListener(UnityAction<T0> call) { calls -= call; }
        public void Invoke(T0 argument) { if (calls != null) calls(argument); }
    }
}

namespace UnityEngine.LowLevel
{
    public struct PlayerLoopSystem
    {
        public delegate void UpdateFunction();

        public Type type;
        public PlayerLoopSystem[] subSystemList;
        public UpdateFunction updateDelegate;
        public IntPtr updateFunction;
        public IntPtr loopConditionFunction;
    }

    public static class PlayerLoop
    {
        public static PlayerLoopSystem GetDefaultPlayerLoop() { return Loop.Default(); }
        public static PlayerLoopSystem GetCurrentPlayerLoop() { return Loop.Copy(Loop.Current); }
        public static void SetPlayerLoop(PlayerLoopSystem loop) { Loop.Current = Loop.Copy(loop); }
    }
}

namespace UnityEngine.PlayerLoop
{
    public struct Initialization { }
    public struct EarlyUpdate { }
    public struct FixedUpdate { }
    public struct PreUpdate { }

    public struct Update
    {
        public struct ScriptRunBehaviourUpdate { }
        public struct ScriptRunDelayedTasks { }
    }

    public struct PreLateUpdate { }
    public struct PostLateUpdate { }
}
