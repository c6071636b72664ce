// Drives the stand-ins: frames, play mode, pausing, quitting. Tests call it where Unity's native side would act.

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Threading;
using UnityEngine;
using UnityEngine.LowLevel;
using UnityEngine.PlayerLoop;

[assembly: System.Runtime.CompilerServices.InternalsVisibleTo("UnityEditor")]

namespace StandIn
{
    public static class Engine
    {
        static readonly List<GameObject> gameObjects = new List<GameObject>();
        static readonly List<UnityEngine.Object> doomed = new List<UnityEngine.Object>();
        static readonly List<string> log = new List<string>();
        static readonly List<string> drawn = new List<string>();
        static readonly MainThreadContext context = new MainThreadContext();
        static readonly List<Assembly> assemblies = new List<Assembly>();
        static string click;

        public static bool IsPlaying { get; private set; }
        public static bool IsEditor = true;
        public static RuntimePlatform Platform = RuntimePlatform.LinuxEditor;
        public static string DataPath = ".";
        public static int FrameCount { get; private set; }

        // All log lines, each prefixed with its kind.
        public static IList<string> Log { get { return log; } }
        // All labels drawn since ClearLabels.
        public static IList<string> Labels { get { return drawn; } }

        // Starts a domain: gives its main thread the engine's context, then runs the [InitializeOnLoad] classes.
        public static void LoadDomain(params Assembly[] loaded)
        {
            SynchronizationContext.SetSynchronizationContext(context);
            assemblies.AddRange(loaded);
            foreach (Assembly assembly in loaded)
            {
                foreach (Type type in assembly.GetTypes())
                {
                    foreach (object attribute in type.GetCustomAttributes(false))
                    {
                        if (attribute.GetType().Name == "InitializeOnLoadAttribute")
                        {
                            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(type.TypeHandle);
                        }
                    }
                }
            }
        }

        public static void StartPlaying()
        {
            Loop.Current = Loop.Default();
            RunOnLoad(RuntimeInitializeLoadType.SubsystemRegistration);
            IsPlaying = true;
            RunOnLoad(RuntimeInitializeLoadType.AfterAssembliesLoaded);
            RunOnLoad(RuntimeInitializeLoadType.BeforeSplashScreen);
            RunOnLoad(RuntimeInitializeLoadType.BeforeSceneLoad);
            RunOnLoad(RuntimeInitializeLoadType.AfterSceneLoad);
        }

        public static void StopPlaying()
        {
            Quit();
            DestroyAll();
            IsPlaying = false;
        }

        public static void Quit()
        {
            Send("OnApplicationQuit");
            Application.RaiseQuitting();
        }

        public static void Pause(bool paused) { Send("OnApplicationPause", paused); }
        public static void Focus(bool focused) { Send("OnApplicationFocus", focused); }

        public static void Frame()
        {
            FrameCount++;
            Loop.Run(Loop.Current);
            RemoveDoomed();
        }

        // Runs frames until the condition holds. False after too many.
        public static bool FramesUntil(Func<bool> condition)
        {
            DateTime limit = DateTime.UtcNow.AddSeconds(20);
            while (!condition())
            {
                if (DateTime.UtcNow > limit) return false;
                Frame();
                Thread.Sleep(2); // What a frame takes that has something to draw.
            }
            return true;
        }

        // Clicks the next button with this text.
        public static void Click(string text) { click = text; }
        public static void ClearLabels() { drawn.Clear(); }

        public static void DestroyAll()
        {
            foreach (GameObject gameObject in gameObjects.ToArray()) DestroyNow(gameObject);
            gameObjects.Clear();
        }

        public static void RunPosted() { context.Run(); }

        internal static bool Clicked(string text)
        {
            drawn.Add("[" + text + "]" + (GUI.enabled ? "" : " (disabled)"));
            if (click != text || !GUI.enabled) return false;
            click = null;
            return true;
        }

        internal static void Drawn(string text) { drawn.Add(text); }
        internal static void Logged(string kind, object message) { log.Add(kind + ": " + message); }

        internal static void Add(GameObject gameObject) { gameObjects.Add(gameObject); }
        internal static GameObject[] GameObjects() { return gameObjects.ToArray(); }

        internal static T[] Find<T>() where T : UnityEngine.Object
        {
            List<T> found = new List<T>();
            foreach (GameObject gameObject in gameObjects)
            {
                foreach (Component component in gameObject.Components)
                {
                    T wanted = component as T;
                    if (wanted != null) found.Add(wanted);
                }
            }
            return found.ToArray();
        }

        internal static void Added(Component component)
        {
            if (!IsPlaying || !component.gameObject.activeSelf) return;
            Call(component, "Awake");
            Behaviour behaviour = component as Behaviour;
            if (behaviour != null && behaviour.enabled) Call(component, "OnEnable");
        }

        internal static void EnabledChanged(Behaviour behaviour)
        {
            if (IsPlaying) Call(behaviour, behaviour.enabled ? "OnEnable" : "OnDisable");
        }

        internal static void ActiveChanged(Component component)
        {
            if (!IsPlaying) return;
            if (component.gameObject.activeSelf) Added(component);
            else Call(component, "OnDisable");
        }

        internal static void DestroyLater(UnityEngine.Object target) { doomed.Add(target); }

        internal static void DestroyNow(UnityEngine.Object target)
        {
            if (ReferenceEquals(target, null) || target.IsDestroyed) return;
            GameObject gameObject = target as GameObject;
            if (!ReferenceEquals(gameObject, null))
            {
                foreach (Component component in gameObject.Components.ToArray()) DestroyNow(component);
                gameObjects.Remove(gameObject);
            }
            MonoBehaviour behaviour = target as MonoBehaviour;
            if (!ReferenceEquals(behaviour, null) && IsPlaying)
            {
                if (behaviour.isActiveAndEnabled) Call(behaviour, "OnDisable");
                Call(behaviour, "OnDestroy");
            }
            target.MarkDestroyed();
        }

        internal static void UpdateBehaviours()
        {
            if (!IsPlaying) return;
            for (int i = 0; i < gameObjects.Count; i++)
            {
                List<Component> components = gameObjects[i].Components;
                for (int j = 0; j < components.Count; j++)
                {
                    MonoBehaviour behaviour = components[j] as MonoBehaviour;
                    if (ReferenceEquals(behaviour, null) || behaviour.IsDestroyed || !behaviour.isActiveAndEnabled) continue;
                    if (!behaviour.Started)
                    {
                        behaviour.Started = true;
                        Call(behaviour, "Start");
                    }
                    if (behaviour.UpdateCall == null) behaviour.UpdateCall = Bind(behaviour, "Update");
                    behaviour.UpdateCall();
                }
            }
        }

        static void RemoveDoomed()
        {
            if (doomed.Count == 0) return;
            UnityEngine.Object[] targets = doomed.ToArray();
            doomed.Clear();
            foreach (UnityEngine.Object target in targets) DestroyNow(target);
        }

        static void Send(string message, params object[] arguments)
        {
            if (!IsPlaying) return;
            foreach (GameObject gameObject in gameObjects.ToArray())
            {
                foreach (Component component in gameObject.Components.ToArray()) Call(component, message, arguments);
            }
        }

        static readonly object[] nothing = new object[0];
        static readonly Dictionary<string, Dictionary<Type, MethodInfo>> messages = new Dictionary<string, Dictionary<Type, MethodInfo>>();

        static void Call(object target, string message) { Call(target, message, nothing); }

        static void Call(object target, string message, object[] arguments)
        {
            MethodInfo method = Find(target.GetType(), message);
            if (method == null) return;
            try
            {
                method.Invoke(target, arguments);
            }
            catch (TargetInvocationException thrown)
            {
                // As in the engine, an exception in a message is logged and the frame continues.
                Debug.LogException(thrown.InnerException);
            }
        }

        // A call by reflection allocates, which an idle frame must not.
        static Action Bind(MonoBehaviour behaviour, string message)
        {
            MethodInfo method = Find(behaviour.GetType(), message);
            return method == null ? doNothing : (Action)Delegate.CreateDelegate(typeof(Action), behaviour, method);
        }

        static readonly Action doNothing = delegate { };

        static MethodInfo Find(Type type, string message)
        {
            Dictionary<Type, MethodInfo> known;
            if (!messages.TryGetValue(message, out known)) messages[message] = known = new Dictionary<Type, MethodInfo>();
            MethodInfo method;
            if (known.TryGetValue(type, out method)) return method;
            for (Type at = type; at != null && method == null; at = at.BaseType)
            {
                method = at.GetMethod(message, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);
            }
            known[type] = method;
            return method;
        }

        static void RunOnLoad(RuntimeInitializeLoadType when)
        {
            foreach (Assembly assembly in assemblies)
            {
                foreach (Type type in assembly.GetTypes())
                {
                    foreach (MethodInfo method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
                    {
                        foreach (object attribute in method.GetCustomAttributes(typeof(RuntimeInitializeOnLoadMethodAttribute), false))
                        {
                            if (((RuntimeInitializeOnLoadMethodAttribute)attribute).loadType == when) method.Invoke(null, null);
                        }
                    }
                }
            }
        }
    }

    // Like UnitySynchronizationContext: posted work runs on the main thread, in the frame's delayed tasks.
    public sealed class MainThreadContext : SynchronizationContext
    {
        struct Posted
        {
            public SendOrPostCallback Call;
            public object State;
        }

        readonly object gate = new object();
        List<Posted> posted = new List<Posted>();
        List<Posted> running = new List<Posted>();

        public override void Post(SendOrPostCallback call, object state)
        {
            lock (gate) posted.Add(new Posted { Call = call, State = state });
        }

        public override void Send(SendOrPostCallback call, object state) { call(state); }
        public override SynchronizationContext CreateCopy() { return this; }

        public void Run()
        {
            lock (gate)
            {
                List<Posted> next = posted;
                posted = running;
                running = next;
            }
            for (int i = 0; i < running.Count; i++)
            {
                try
                {
                    running[i].Call(running[i].State);
                }
                catch (Exception thrown)
                {
                    Debug.LogException(thrown);
                }
            }
            running.Clear();
        }
    }

    // The frame's systems, in the engine's order.
    public static class Loop
    {
        public static PlayerLoopSystem Current = Default();

        public static PlayerLoopSystem Default()
        {
            return new PlayerLoopSystem
            {
                subSystemList = new[]
                {
                    Group(typeof(Initialization)), Group(typeof(EarlyUpdate)), Group(typeof(FixedUpdate)), Group(typeof(PreUpdate)),
                    Group(typeof(Update), System(typeof(Update.ScriptRunBehaviourUpdate), Engine.UpdateBehaviours),
                        System(typeof(Update.ScriptRunDelayedTasks), Engine.RunPosted)),
                    Group(typeof(PreLateUpdate)), Group(typeof(PostLateUpdate)),
                },
            };
        }

        public static PlayerLoopSystem Copy(PlayerLoopSystem system)
        {
            if (system.subSystemList != null)
            {
                PlayerLoopSystem[] copies = new PlayerLoopSystem[system.subSystemList.Length];
                for (int i = 0; i < copies.Length; i++) copies[i] = Copy(system.subSystemList[i]);
                system.subSystemList = copies;
            }
            return system;
        }

        public static void Run(PlayerLoopSystem system)
        {
            if (system.updateDelegate != null) system.updateDelegate();
            if (system.subSystemList == null) return;
            for (int i = 0; i < system.subSystemList.Length; i++) Run(system.subSystemList[i]);
        }

        // How often a system of this type is in the loop.
        public static int Count(PlayerLoopSystem system, string typeName)
        {
            int count = system.type != null && system.type.Name == typeName ? 1 : 0;
            if (system.subSystemList == null) return count;
            foreach (PlayerLoopSystem inner in system.subSystemList) count += Count(inner, typeName);
            return count;
        }

        static PlayerLoopSystem Group(Type type, params PlayerLoopSystem[] systems)
        {
            return new PlayerLoopSystem { type = type, subSystemList = systems };
        }

        static PlayerLoopSystem System(Type type, PlayerLoopSystem.UpdateFunction update)
        {
            return new PlayerLoopSystem { type = type, updateDelegate = update };
        }
    }
}
