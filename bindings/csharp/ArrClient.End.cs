using System;

namespace ArrSession
{
    /// <content>Shutdown and disposal.</content>
    public sealed partial class ArrClient
    {
        /// <summary>
        /// Shuts the client down in order and waits until it has ended. Blocks up to the limit; allowed on the pump's
        /// thread. Call it before <see cref="Dispose"/> to be sure that stops are done.
        /// </summary>
        /// <remarks>
        /// <para>
        /// First completes the tasks whose operations have ended, so that code awaiting a new session can still watch or
        /// stop it. Then refuses new work, finishes stops that were started or are due by
        /// <see cref="WatchOptions.StopOnShutdown"/>, cancels everything else, and completes the remaining tasks, all on
        /// the calling thread.
        /// </para>
        /// <para>Cached properties stay readable until <see cref="Dispose"/>.</para>
        /// </remarks>
        /// <param name="limit">
        /// The longest it may block. Zero does not wait; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> has no limit.
        /// </param>
        /// <returns>
        /// False if work is left; the pending tasks then stay pending. Requests on the wire end within
        /// <see cref="ArrClientOptions.AttemptTimeout"/>: call this again, or dispose the client.
        /// </returns>
        /// <exception cref="ArrException">A stop failed: that session may still be running.</exception>
        public unsafe bool Shutdown(TimeSpan limit)
        {
            uint milliseconds = Durations.WaitLimit(limit, "limit");
            ThrowIfDisposed();
            CompleteEndedOperations();
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
        /// Shuts down all clients of the process in parallel, as <see cref="Shutdown"/> does, even those whose objects are
        /// gone. Blocks up to the limit.
        /// </summary>
        /// <remarks>
        /// First completes, on the calling thread, the tasks whose operations have ended; the others complete when their
        /// clients are pumped or disposed. New clients can be created afterwards.
        /// </remarks>
        /// <param name="limit">The longest it may block for all clients together. Zero does not wait.</param>
        /// <returns>False if work is left: call this again.</returns>
        /// <exception cref="ArrException">A stop failed: that session may still be running.</exception>
        /// <exception cref="ArrLibraryException">The native library is missing or does not match these sources.</exception>
        public static unsafe bool ShutdownAll(TimeSpan limit)
        {
            uint milliseconds = Durations.WaitLimit(limit, "limit");
            LoadedLibrary.Check();
            foreach (WeakReference<ArrClient> one in AllLiving())
            {
                ArrClient client;
                if (one.TryGetTarget(out client))
                {
                    client.CompleteEndedOperations();
                }
            }
            arr_error_info error = Blank.Error;
            return InTime(Native.arr_shutdown(milliseconds, &error), &error);
        }

        /// <summary>
        /// Frees the client without waiting for the network; <see cref="Shutdown"/> waits. Cancels all pending tasks before
        /// it returns. May be called twice.
        /// </summary>
        /// <remarks>
        /// <para>
        /// Stops that were started or are due by <see cref="WatchOptions.StopOnShutdown"/> continue in the background. A
        /// session that is being created is stopped too. So is one that was just created but whose task has not completed,
        /// unless you chose its id: it may have existed before.
        /// </para>
        /// <para>
        /// Code awaiting the tasks runs on the calling thread. Dispose waits for the background pump's thread to end,
        /// unless called on it: hold no lock that a handler needs.
        /// </para>
        /// </remarks>
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
            // Nothing is added to the pending operations from here on.
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

        /// <summary>
        /// Delivers a session that was just created while the client can still watch or stop it.
        /// </summary>
        private void CompleteEndedOperations()
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

        /// <summary>Completes an operation with its native result. False if another thread does.</summary>
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
