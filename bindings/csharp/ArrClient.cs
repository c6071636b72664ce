using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <summary>
    /// One account at one session service. Every method may be called from any thread, several at a time.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Each operation comes twice: a method whose name ends in Async, which returns in microseconds with a task; and its
    /// synchronous twin, which blocks, and is refused on the pump's thread. Tasks are completed by <see cref="Pump"/>, so code
    /// after an await goes on inside of it, on the pump's thread. A task ends only when the native library says that its
    /// operation has ended, and with <see cref="Dispose"/>.
    /// </para>
    /// <para>
    /// A failure is an <see cref="ArrException"/>. A task that was cancelled by its token, or whose client was shut down or
    /// disposed, is cancelled. What is disposed throws <see cref="ObjectDisposedException"/>. Arguments that cannot be passed on
    /// at all throw <see cref="ArgumentException"/> at once.
    /// </para>
    /// <para>
    /// A timeout is the most that a call may take, repetitions included; null is <see cref="ArrClientOptions.CallTimeout"/>,
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> as long as it takes.
    /// </para>
    /// <para>
    /// A session costs money until it is stopped or its lease ends: neither disposing its object nor its client, nor the end of
    /// the program, stops it. Two exceptions: a session that was being created when its client was disposed is stopped, and so is
    /// one that is watched with <see cref="WatchOptions.StopOnShutdown"/>.
    /// </para>
    /// </remarks>
    public sealed partial class ArrClient : IDisposable
    {
        private const string Name = "ArrClient";

        // The clients that a background pump works for, and that somebody awaits something of: an awaiting method is held by
        // its task only, and the task by its client, so without this nobody might hold all of them.
        private static readonly HashSet<ArrClient> Awaited = new HashSet<ArrClient>();

        // For ShutdownAll, which holds none of them.
        private static readonly List<WeakReference<ArrClient>> Living = new List<WeakReference<ArrClient>>();

        private readonly ClientHandle handle;
        private readonly bool logs;
        private readonly BackgroundPump background;

        // Guards all of these. Nobody's code, and nothing that waits, runs while it is held.
        private readonly object gate = new object();
        private readonly Dictionary<ulong, PendingOperation> pending = new Dictionary<ulong, PendingOperation>();
        private readonly Dictionary<ulong, RenderingSession> watched = new Dictionary<ulong, RenderingSession>();
        private ulong lastId;
        private volatile bool disposed;

        /// <summary>
        /// Makes a client. Checks the options and reads the CA file; sends nothing. With <see cref="PumpMode.Background"/> starts
        /// the pump's thread.
        /// </summary>
        /// <exception cref="ArrLibraryException">The native library is missing or does not fit.</exception>
        /// <exception cref="ArrException">Something is missing, malformed or out of range; the message says what.</exception>
        public unsafe ArrClient(ArrClientOptions options)
        {
            if (options == null)
            {
                throw new ArgumentNullException("options");
            }
            LoadedLibrary.Check();
            IntPtr native = IntPtr.Zero;
            using (NativeTexts texts = new NativeTexts())
            {
                arr_client_options filled;
                arr_error_info error = Blank.Error;
                options.Fill(&filled, texts);
                ArrException.ThrowIfFailed(Native.arr_client_new(&filled, &native, &error), &error, Name);
            }
            handle = new ClientHandle(native);
            logs = options.LogLevel != ArrLogLevel.Off;
            lock (Living)
            {
                Living.RemoveAll(IsOver);
                Living.Add(new WeakReference<ArrClient>(this));
            }
            if (options.PumpMode == PumpMode.Background)
            {
                background = new BackgroundPump(this);
                background.Start();
            }
        }

        /// <summary>The version of the native library, for example "0.1.0".</summary>
        /// <exception cref="ArrLibraryException">The native library is missing or does not fit.</exception>
        public static unsafe string LibraryVersion
        {
            get
            {
                LoadedLibrary.Check();
                return Utf8.Decode(Native.arr_version_string(), 64);
            }
        }

        /// <summary>Whether <see cref="Dispose"/> was called.</summary>
        public bool IsDisposed
        {
            get { return disposed; }
        }

        internal ClientHandle Handle
        {
            get { return handle; }
        }

        /// <summary>Gives a new token, of the kind that the client was made with: the answer to
        /// <see cref="ArrEventType.TokenNeeded"/>. Calls that wait for it go on. Sends nothing.</summary>
        /// <exception cref="ArrException">It cannot be a token, or the client was made with an account key.</exception>
        public unsafe void SetToken(string token)
        {
            if (token == null)
            {
                throw new ArgumentNullException("token");
            }
            ThrowIfDisposed();
            using (NativeTexts texts = new NativeTexts())
            {
                arr_error_info error = Blank.Error;
                byte* text = texts.Add(token, "token");
                int status = Native.arr_client_set_token(handle.Value, text, &error);
                GC.KeepAlive(this);
                ArrException.ThrowIfFailed(status, &error, Name);
            }
        }

        /// <summary>
        /// The application is about to be suspended, as when a headset is taken off: flushes the journal, and does with each
        /// watched session what its <see cref="WatchOptions.OnSuspend"/> says. Then watched sessions are neither read nor kept
        /// alive until <see cref="Resume"/>. Blocks up to the limit; allowed on the pump's thread.
        /// </summary>
        /// <param name="limit">The most that it may take. Zero starts what is to be done and returns at once.</param>
        /// <returns>False: not all was done in time. It goes on, as far as the system lets it.</returns>
        /// <exception cref="ArrException">The first failure of what was to be done.</exception>
        public unsafe bool Suspend(TimeSpan limit)
        {
            uint milliseconds = Durations.WaitLimit(limit, "limit");
            ThrowIfDisposed();
            arr_error_info error = Blank.Error;
            int status = Native.arr_client_suspend(handle.Value, milliseconds, &error);
            GC.KeepAlive(this);
            return InTime(status, &error);
        }

        /// <summary>
        /// The application is back: pooled connections, which are dead, are dropped; a token that has run out is renewed; watched
        /// sessions are read anew, and then <see cref="ArrEventType.Resumed"/> comes. The library notices by itself that the
        /// machine has slept for a minute or more. Does not block.
        /// </summary>
        public unsafe void Resume()
        {
            ThrowIfDisposed();
            arr_error_info error = Blank.Error;
            int status = Native.arr_client_resume(handle.Value, &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
        }

        internal void ThrowIfDisposed()
        {
            if (disposed)
            {
                throw new ObjectDisposedException(Name);
            }
        }

        /// <summary>Starts an operation, whose task is completed by the pump.</summary>
        internal unsafe Task<T> Begin<T>(PendingOperation<T> operation, CancellationToken cancellation)
        {
            arr_error_info error = Blank.Error;
            int status;
            if (cancellation.IsCancellationRequested)
            {
                ThrowIfDisposed();
                return Task.FromCanceled<T>(cancellation);
            }
            // Native starts it in microseconds. Its event may come before that returns; the pump finds it here afterwards.
            lock (gate)
            {
                ThrowIfDisposed();
                status = operation.Start(++lastId, &error);
                if (status == Native.ARR_OK)
                {
                    pending.Add(operation.Id, operation);
                    SomebodyAwaits();
                }
            }
            if (status != Native.ARR_OK)
            {
                return Task.FromException<T>(ArrException.From(&error, Name));
            }
            operation.ObeyTo(cancellation);
            return operation.Task;
        }

        /// <summary>Events of a watched session carry this number. The client holds the session until it is forgotten.</summary>
        internal ulong Remember(RenderingSession session)
        {
            lock (gate)
            {
                ThrowIfDisposed();
                watched.Add(++lastId, session);
                return lastId;
            }
        }

        internal void Forget(ulong id)
        {
            lock (gate)
            {
                watched.Remove(id);
            }
        }

        private PendingOperation FindPending(ulong id)
        {
            lock (gate)
            {
                PendingOperation found;
                return pending.TryGetValue(id, out found) ? found : null;
            }
        }

        private RenderingSession FindWatched(ulong id)
        {
            lock (gate)
            {
                RenderingSession found;
                return watched.TryGetValue(id, out found) ? found : null;
            }
        }

        private void RemovePending(PendingOperation operation)
        {
            lock (gate)
            {
                pending.Remove(operation.Id);
                SomebodyAwaits();
            }
        }

        private PendingOperation[] AllPending()
        {
            lock (gate)
            {
                PendingOperation[] all = new PendingOperation[pending.Count];
                pending.Values.CopyTo(all, 0);
                return all;
            }
        }

        private void SomebodyAwaits()
        {
            if (background == null)
            {
                return;
            }
            lock (Awaited)
            {
                if (pending.Count > 0)
                {
                    Awaited.Add(this);
                }
                else
                {
                    Awaited.Remove(this);
                }
            }
        }

        private static unsafe bool InTime(int status, arr_error_info* error)
        {
            if (status == Native.ARR_ERROR_TIMEOUT)
            {
                return false;
            }
            ArrException.ThrowIfFailed(status, error, Name);
            return true;
        }
    }
}
