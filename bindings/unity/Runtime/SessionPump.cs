using System;
using System.Collections.Generic;
using UnityEngine;
using UnityEngine.LowLevel;

namespace ArrSession.Unity
{
    /// <summary>
    /// Pumps clients once a frame on the main thread, and shuts them down when play mode, the domain or the application
    /// ends. <see cref="RemoteRenderingSession"/> uses it automatically; for your own <see cref="ArrClient"/>, call
    /// <see cref="Add"/>. Main thread only.
    /// </summary>
    public static class SessionPump
    {
        /// <summary>The default limit for blocking the main thread during a shutdown: 3 s.</summary>
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

        /// <summary>The number of clients being pumped.</summary>
        public static int Count
        {
            get { return entries.Count; }
        }

        /// <summary>
        /// Pumps the client every frame, and in edit mode on the Editor's updates, until it is disposed.
        /// </summary>
        /// <param name="client">A client with <see cref="PumpMode.Manual"/>.</param>
        /// <param name="shutdownLimit">
        /// How long its shutdown may block the main thread; null for <see cref="DefaultShutdownLimit"/>.
        /// </param>
        /// <param name="owner">The client is disposed when this object is destroyed. Null: no owner.</param>
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

        /// <summary>Stops pumping the client, without disposing it.</summary>
        public static void Remove(ArrClient client)
        {
            for (int i = entries.Count - 1; i >= 0; i--)
            {
                if (ReferenceEquals(entries[i].Client, client)) entries.RemoveAt(i);
            }
        }

        /// <summary>Pumps all clients. Never blocks; allocates nothing if nothing has happened.</summary>
        public static void Tick()
        {
            lastFrame = Time.frameCount;
            for (int i = entries.Count - 1; i >= 0; i--)
            {
                // A client's events may add or remove clients.
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
        /// If the clients have not been pumped in this frame, reinstalls the pump in the player loop and pumps them. Needed
        /// when other code has replaced the loop.
        /// </summary>
        public static void TickUnlessDone()
        {
            if (lastFrame == Time.frameCount) return;
            Install();
            Tick();
        }

        /// <summary>
        /// Shuts down all clients in parallel: finishes stops that were started or are due by
        /// <see cref="WatchOptions.StopOnShutdown"/>, cancels everything else, and completes every pending task. Blocks up to
        /// the clients' limits.
        /// </summary>
        /// <returns>True if everything was done in time and every stop succeeded.</returns>
        public static bool Shutdown()
        {
            Entry[] ending = entries.ToArray();
            entries.Clear();
            if (ending.Length == 0) return true;

            // Starts all shutdowns first, so that their limits run in parallel.
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
        /// Shuts down every client of the process, as <see cref="Shutdown"/> does, including those that were never added,
        /// and disposed ones that are still ending.
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
                // Without the library there is no client.
            }
            return good;
        }

        // Without a domain reload, statics survive from the last play mode.
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
            // Not wantsToQuit: another handler may still refuse to quit, and the session would be gone.
            Application.quitting += OnQuitting;
        }

        static void OnQuitting()
        {
            // In the Editor only play mode ends: clients outside the game continue.
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
                // An application's event handler threw. The other clients still get their turn.
                Debug.LogException(thrown);
            }
        }

        // The owner may be a destroyed Unity object, which compares equal to null, hence ReferenceEquals.
        static void Close(Entry entry)
        {
            RemoteRenderingSession component = entry.Owner as RemoteRenderingSession;
            if (!ReferenceEquals(component, null) && ReferenceEquals(component.Client, entry.Client)) component.Close();
            entry.Client.Dispose();
        }

        static bool End(ArrClient client, TimeSpan limit, bool report)
        {
            try
            {
                if (client.IsDisposed || client.Shutdown(limit)) return true;
                if (report)
                {
                    Debug.LogWarning("Remote Rendering: the shutdown took longer than its limit of " + limit.TotalSeconds.ToString("0.#")
                        + " s. It continues while the process lives; a session that is not stopped ends with its lease.");
                }
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
            catch (ArrException failure)
            {
                if (report) Debug.LogWarning(StopFailed(failure));
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

        // Identifies the pump in the player loop.
        struct RemoteRenderingPump { }

        // First in Update, so that this frame sees everything since the last one.
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
