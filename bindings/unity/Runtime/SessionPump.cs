using System;
using System.Collections.Generic;
using UnityEngine;
using UnityEngine.LowLevel;

namespace ArrSession.Unity
{
    /// <summary>
    /// Pumps clients once a frame, on the main thread, and ends them in good order when play mode, the domain or the
    /// application ends. <see cref="RemoteRenderingSession"/> uses it by itself; for an <see cref="ArrClient"/> of your
    /// own call <see cref="Add"/>. Main thread only.
    /// </summary>
    public static class SessionPump
    {
        /// <summary>How long a shutdown may hold the main thread if nobody says otherwise.</summary>
        public static readonly TimeSpan DefaultShutdownLimit = TimeSpan.FromSeconds(3);

        struct Entry
        {
            public ArrClient Client;
            public TimeSpan ShutdownLimit;
            public UnityEngine.Object Owner;
            public bool HasOwner;
        }

        static readonly List<Entry> entries = new List<Entry>();
        static int lastFrame = -1;
        static bool hooked;

        /// <summary>How many clients are pumped.</summary>
        public static int Count
        {
            get { return entries.Count; }
        }

        /// <summary>
        /// From now on the client is pumped in every frame, in edit mode by the Editor's updates, until it is disposed of.
        /// </summary>
        /// <param name="client">A client with <see cref="PumpMode.Manual"/>.</param>
        /// <param name="shutdownLimit">
        /// How long its shutdown may hold the main thread; null: <see cref="DefaultShutdownLimit"/>.
        /// </param>
        /// <param name="owner">When this object is destroyed, the client is disposed of. Null: it stands for itself.</param>
        public static void Add(ArrClient client, TimeSpan? shutdownLimit = null, UnityEngine.Object owner = null)
        {
            if (client == null) throw new ArgumentNullException("client");
            Remove(client);
            entries.Add(new Entry
            {
                Client = client,
                ShutdownLimit = shutdownLimit ?? DefaultShutdownLimit,
                Owner = owner,
                HasOwner = owner != null,
            });
            Hook();
            if (Application.isPlaying) Install();
        }

        /// <summary>The client is no longer pumped. It is not disposed of.</summary>
        public static void Remove(ArrClient client)
        {
            for (int i = entries.Count - 1; i >= 0; i--)
            {
                if (ReferenceEquals(entries[i].Client, client)) entries.RemoveAt(i);
            }
        }

        /// <summary>Pumps all clients. Never blocks; allocates nothing while nothing happens.</summary>
        public static void Tick()
        {
            lastFrame = Time.frameCount;
            for (int i = entries.Count - 1; i >= 0; i--)
            {
                // What a client tells may add or remove clients.
                if (i >= entries.Count) continue;
                Entry entry = entries[i];
                if (entry.HasOwner && entry.Owner == null) Close(entry);
                if (entry.Client.IsDisposed)
                {
                    Remove(entry.Client);
                    continue;
                }
                Pump(entry.Client);
            }
        }

        /// <summary>
        /// Pumps unless this frame has done so: for the case that other code has replaced the player loop, which is then
        /// put right.
        /// </summary>
        public static void TickUnlessDone()
        {
            if (lastFrame == Time.frameCount) return;
            Install();
            Tick();
        }

        /// <summary>
        /// Ends all clients, all at once: stops that were started or promised are made first, everything else is
        /// cancelled, and every pending task is completed. Blocks for as long as the clients' limits say, no longer.
        /// </summary>
        /// <returns>Whether everything was done in time, and every stop has succeeded.</returns>
        public static bool Shutdown()
        {
            Entry[] ending = entries.ToArray();
            entries.Clear();
            if (ending.Length == 0) return true;

            // The clocks of all begin together.
            System.Diagnostics.Stopwatch clock = System.Diagnostics.Stopwatch.StartNew();
            foreach (Entry entry in ending) End(entry.Client, TimeSpan.Zero, false);
            bool good = true;
            foreach (Entry entry in ending)
            {
                good &= End(entry.Client, Left(entry.ShutdownLimit, clock), true);
                Close(entry);
            }
            return good;
        }

        /// <summary>
        /// The same for every client of the process, also those that were never added or that have been disposed of and
        /// are still ending.
        /// </summary>
        public static bool ShutdownProcess()
        {
            System.Diagnostics.Stopwatch clock = System.Diagnostics.Stopwatch.StartNew();
            bool good = Shutdown();
            try
            {
                good &= ArrClient.ShutdownAll(Left(DefaultShutdownLimit, clock));
            }
            catch (ArrException failure)
            {
                Debug.LogWarning(StopFailed(failure));
                good = false;
            }
            catch (ArrLibraryException)
            {
                // Without the library there is no client to end.
            }
            return good;
        }

        // What an earlier play mode has left in statics, where the domain is not reloaded.
        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        static void ResetStatics()
        {
            Shutdown();
            lastFrame = -1;
            hooked = false;
            Application.quitting -= OnQuitting;
        }

        static void Hook()
        {
            if (hooked) return;
            hooked = true;
            // Not wantsToQuit: another handler may still say no, and the session would be gone.
            Application.quitting += OnQuitting;
        }

        static void OnQuitting()
        {
            // In the Editor only play mode ends: clients that are not of the game live on.
            if (Application.isEditor) Shutdown();
            else ShutdownProcess();
        }

        static void Pump(ArrClient client)
        {
            try
            {
                client.Pump();
            }
            catch (ObjectDisposedException)
            {
                Remove(client);
            }
            catch (Exception thrown)
            {
                // An event handler of the application threw. The other clients have their turn all the same.
                Debug.LogException(thrown);
            }
        }

        // Its owner may be destroyed in the engine's sense, and is an object all the same.
        static void Close(Entry entry)
        {
            RemoteRenderingSession component = entry.Owner as RemoteRenderingSession;
            if (!ReferenceEquals(component, null) && ReferenceEquals(component.Client, entry.Client)) component.Close();
            entry.Client.Dispose();
        }

        static bool End(ArrClient client, TimeSpan limit, bool tell)
        {
            try
            {
                if (client.IsDisposed || client.Shutdown(limit)) return true;
                if (tell)
                {
                    Debug.LogWarning("Remote Rendering: the shutdown took longer than its limit of " + limit.TotalSeconds.ToString("0.#")
                        + " s. It goes on while the process lives; a session that it could not stop ends with its lease.");
                }
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
            catch (ArrException failure)
            {
                if (tell) Debug.LogWarning(StopFailed(failure));
            }
            return false;
        }

        static string StopFailed(ArrException failure)
        {
            return "Remote Rendering: " + failure.Message + ". A session that was not stopped ends with its lease.";
        }

        static TimeSpan Left(TimeSpan limit, System.Diagnostics.Stopwatch clock)
        {
            TimeSpan left = limit - clock.Elapsed;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        // The frame's system of this name.
        struct RemoteRenderingPump { }

        // First of all that happens in Update: what came since the last frame is there for this one.
        static void Install()
        {
            PlayerLoopSystem loop = PlayerLoop.GetCurrentPlayerLoop();
            for (int i = 0; loop.subSystemList != null && i < loop.subSystemList.Length; i++)
            {
                if (loop.subSystemList[i].type != typeof(UnityEngine.PlayerLoop.Update)) continue;
                PlayerLoopSystem[] before = loop.subSystemList[i].subSystemList ?? new PlayerLoopSystem[0];
                if (before.Length > 0 && before[0].type == typeof(RemoteRenderingPump) && before[0].updateDelegate == tick) return;

                List<PlayerLoopSystem> systems = new List<PlayerLoopSystem>(before.Length + 1);
                systems.Add(new PlayerLoopSystem { type = typeof(RemoteRenderingPump), updateDelegate = tick });
                foreach (PlayerLoopSystem system in before)
                {
                    if (system.type != typeof(RemoteRenderingPump)) systems.Add(system);
                }
                loop.subSystemList[i].subSystemList = systems.ToArray();
                PlayerLoop.SetPlayerLoop(loop);
                return;
            }
        }

        static readonly PlayerLoopSystem.UpdateFunction tick = Tick;
    }
}
