using System;

namespace ArrSession
{
    /// <content>How a client ends.</content>
    public sealed partial class ArrClient
    {
        /// <summary>
        /// Ends the client in good order, and waits for that. First completes, on this thread, the tasks whose operations have
        /// ended by now: so what awaits a session that was just created can still watch or stop it. From then on no new work;
        /// stops that were started, and those that were promised by <see cref="WatchOptions.StopOnShutdown"/>, are made first;
        /// everything else is cancelled. Then completes every task that is left, as its operation has ended. Blocks up to the
        /// limit; allowed on the pump's thread.
        /// </summary>
        /// <param name="limit">
        /// How long to wait. Zero does not wait; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> waits as long as it takes.
        /// </param>
        /// <returns>
        /// False: something is left, and so are the tasks that were still pending. Requests on the wire end within
        /// <see cref="ArrClientOptions.AttemptTimeout"/>; call it again, or dispose the client.
        /// </returns>
        /// <exception cref="ArrException">A stop has failed: that session may be running.</exception>
        public unsafe bool Shutdown(TimeSpan limit)
        {
            uint milliseconds = Durations.WaitLimit(limit, "limit");
            ThrowIfDisposed();
            EndWhatHasEnded();
            arr_error_info error = Blank.Error;
            int status = Native.arr_client_shutdown(handle.Value, milliseconds, &error);
            GC.KeepAlive(this);
            if (status == Native.ARR_ERROR_TIMEOUT)
            {
                return false;
            }
            foreach (PendingOperation operation in AllPending())
            {
                End(operation);
            }
            return InTime(status, &error);
        }

        /// <summary>
        /// Ends every client of the process, all at once, as <see cref="Shutdown"/> does, also those whose objects are gone. First
        /// completes, on this thread, the tasks whose operations have ended by now; the others are completed when their clients are
        /// pumped or disposed. New clients may be made afterwards. Blocks up to the limit.
        /// </summary>
        /// <param name="limit">How long to wait for all of them together. Zero does not wait.</param>
        /// <returns>False: something of one of them is left; call it again.</returns>
        /// <exception cref="ArrException">A stop has failed: that session may be running.</exception>
        /// <exception cref="ArrLibraryException">The native library is missing or does not fit.</exception>
        public static unsafe bool ShutdownAll(TimeSpan limit)
        {
            uint milliseconds = Durations.WaitLimit(limit, "limit");
            LoadedLibrary.Check();
            foreach (WeakReference<ArrClient> one in AllLiving())
            {
                ArrClient client;
                if (one.TryGetTarget(out client))
                {
                    client.EndWhatHasEnded();
                }
            }
            arr_error_info error = Blank.Error;
            return InTime(Native.arr_shutdown(milliseconds, &error), &error);
        }

        /// <summary>
        /// Ends the client and frees it, without waiting for the network: <see cref="Shutdown"/> does that. Before it returns every
        /// pending task is completed as cancelled, with what awaits it, on this thread; and the background pump, if any, is gone,
        /// unless this is called from it. So nothing that its handlers wait for may be held here. Stops that were started or
        /// promised go on by themselves. A session that was being created is stopped, also if it was created just now and its task
        /// did not tell yet; only one whose id the application has chosen is left alone then. May be called twice, and from any
        /// thread.
        /// </summary>
        public void Dispose()
        {
            lock (gate)
            {
                if (disposed)
                {
                    return;
                }
                disposed = true;
            }
            // From here on nothing is added.
            PendingOperation[] left = AllPending();
            bool[] mine = new bool[left.Length];
            for (int i = 0; i < left.Length; i++)
            {
                mine[i] = left[i].TryClaim();
                if (mine[i])
                {
                    left[i].Abandon();
                }
            }
            lock (gate)
            {
                watched.Clear();
            }
            handle.Dispose();
            for (int i = 0; i < left.Length; i++)
            {
                if (mine[i])
                {
                    left[i].CompleteAsCancelled();
                    RemovePending(left[i]);
                }
                else
                {
                    left[i].AwaitItsEnd();
                }
            }
            if (background != null)
            {
                background.AwaitItsEnd();
            }
        }

        private static WeakReference<ArrClient>[] AllLiving()
        {
            lock (Living)
            {
                return Living.ToArray();
            }
        }

        private static bool IsOver(WeakReference<ArrClient> one)
        {
            ArrClient client;
            return !one.TryGetTarget(out client) || client.disposed;
        }

        /// <summary>A session that was created reaches whoever awaits it while the client can still watch it, or stop it.</summary>
        private void EndWhatHasEnded()
        {
            PendingOperation[] all = AllPending();
            foreach (PendingOperation operation in all)
            {
                operation.EndCreating();
            }
            foreach (PendingOperation operation in all)
            {
                if (!operation.IsRunning)
                {
                    End(operation);
                }
            }
        }

        /// <summary>Ends an operation as native says, unless somebody else does.</summary>
        private bool End(PendingOperation operation)
        {
            if (!operation.TryClaim())
            {
                return false;
            }
            operation.End();
            RemovePending(operation);
            return true;
        }
    }
}
