using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <summary>A client for one account at one session service. All members are thread-safe.</summary>
    /// <remarks>
    /// <para>
    /// Each operation has two variants. One ends in Async and returns a task within microseconds; the other blocks, and
    /// throws <see cref="InvalidOperationException"/> on the pump's thread. <see cref="Pump"/> completes the tasks, so code
    /// after an await runs inside Pump, on its thread. A task completes when the native library reports that its operation
    /// has ended, or in <see cref="Dispose"/>.
    /// </para>
    /// <para>
    /// Failures throw <see cref="ArrException"/>. A task is cancelled by its token, or when its client is shut down or
    /// disposed. Calls on a disposed object throw <see cref="ObjectDisposedException"/>. Arguments that cannot be passed to
    /// native code throw <see cref="ArgumentException"/> at once.
    /// </para>
    /// <para>
    /// A timeout limits a whole call, retries included. Null means <see cref="ArrClientOptions.CallTimeout"/>;
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> means no limit. With zero, a blocking method sends nothing
    /// and fails with <see cref="ArrStatus.Timeout"/> if it needs a request; an Async method throws
    /// <see cref="ArgumentOutOfRangeException"/>.
    /// </para>
    /// <para>
    /// A session costs money until it is stopped or its lease ends. Disposing the session object or the client, or ending
    /// the program, does not stop it, with two exceptions: disposing the client stops a session that is still being
    /// created, and one watched with <see cref="WatchOptions.StopOnShutdown"/>.
    /// </para>
    /// </remarks>
    public sealed partial class ArrClient : IDisposable
    {
        private const string Name = "ArrClient";

        // Clients with a background pump and pending operations. Only its task holds an awaiting method, and only its
        // client holds the task: without this set, all of them could be collected.
        private static readonly HashSet<ArrClient> Awaited = new HashSet<ArrClient>();

        // For ShutdownAll. Weak, so that clients can be collected.
        private static readonly List<WeakReference<ArrClient>> Living = new List<WeakReference<ArrClient>>();

        private readonly ClientHandle handle;
        private readonly bool logs;
        private readonly BackgroundPump background;

        // Guards the fields below. While it is held, no application code runs and nothing waits.
        private readonly object gate = new object();
        private readonly Dictionary<ulong, PendingOperation> pending = new Dictionary<ulong, PendingOperation>();
        private readonly Dictionary<ulong, RenderingSession> watched = new Dictionary<ulong, RenderingSession>();
        private ulong lastId;
        private volatile bool disposed;

        /// <summary>
        /// Creates a client. Checks the options and reads the CA file; sends nothing. <see cref="PumpMode.Background"/>
        /// starts the pump's thread.
        /// </summary>
        /// <exception cref="ArrLibraryException">The native library is missing or does not match these sources.</exception>
        /// <exception cref="ArrException">
        /// An option is missing, malformed or out of range, or the journal folder cannot be used. The message names the
        /// option.
        /// </exception>
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
        /// <exception cref="ArrLibraryException">The native library is missing or does not match these sources.</exception>
        public static unsafe string LibraryVersion
        {
            get
            {
                LoadedLibrary.Check();
                return Utf8.Decode(Native.arr_version_string(), 64);
            }
        }

        /// <summary>The version as a number that grows with it: major * 1000000 + minor * 1000 + patch.</summary>
        /// <exception cref="ArrLibraryException">The native library is missing or does not match these sources.</exception>
        public static long LibraryVersionNumber
        {
            get
            {
                LoadedLibrary.Check();
                return Native.arr_version_number();
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

        /// <summary>
        /// Supplies a new token of the kind the client was created with, usually in reply to
        /// <see cref="ArrEventType.TokenNeeded"/>. Calls that wait for a token continue. Sends nothing.
        /// </summary>
        /// <exception cref="ArrException">The text cannot be a token, or the client uses an account key.</exception>
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
        /// Call this when the application is about to be suspended, for example when a headset is taken off. Blocks up to
        /// the limit; allowed on the pump's thread.
        /// </summary>
        /// <remarks>
        /// Flushes the journal and applies <see cref="WatchOptions.OnSuspend"/> to each watched session. Until
        /// <see cref="Resume"/>, watched sessions are neither polled nor kept alive.
        /// </remarks>
        /// <param name="limit">The longest it may block. Zero starts the work and returns at once.</param>
        /// <returns>False if some work is unfinished. It continues for as long as the system lets the process run.</returns>
        /// <exception cref="ArrException">The first failure, for example of a stop.</exception>
        public unsafe bool Suspend(TimeSpan limit)
        {
            uint milliseconds = Durations.WaitLimit(limit, "limit");
            ThrowIfDisposed();
            arr_error_info error = Blank.Error;
            int status = Native.arr_client_suspend(handle.Value, milliseconds, &error);
            GC.KeepAlive(this);
            return InTime(status, &error);
        }

        /// <summary>Call this when the application is back from a suspend. Does not block.</summary>
        /// <remarks>
        /// Drops pooled connections, renews an expired token, polls the watched sessions, and then raises
        /// <see cref="ArrEventType.Resumed"/>. The library detects a sleep of a minute or more without this call.
        /// </remarks>
        public unsafe void Resume()
        {
            ThrowIfDisposed();
            arr_error_info error = Blank.Error;
            int status = Native.arr_client_resume(handle.Value, &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
        }

        /// <summary>
        /// Makes a background pump check at once for events and log lines; otherwise it notices log lines within 100 ms.
        /// Does nothing in <see cref="PumpMode.Manual"/>. Does not block.
        /// </summary>
        public unsafe void Wake()
        {
            ThrowIfDisposed();
            Native.arr_client_wake(handle.Value, null);
            GC.KeepAlive(this);
        }

        internal void ThrowIfDisposed()
        {
            if (disposed)
            {
                throw new ObjectDisposedException(Name);
            }
        }

        /// <summary>Starts an operation. The pump completes its task.</summary>
        internal unsafe Task<T> Begin<T>(
            PendingOperation<T> operation, CancellationToken cancellation, [CallerMemberName] string method = null)
        {
            operation.Method = method;
            arr_error_info error = Blank.Error;
            int status;
            if (cancellation.IsCancellationRequested)
            {
                ThrowIfDisposed();
                return Task.FromCanceled<T>(cancellation);
            }
            // The native start returns within microseconds. The event may arrive before that; the lock keeps the pump from
            // looking the operation up before it is added.
            lock (gate)
            {
                ThrowIfDisposed();
                status = operation.Start(++lastId, &error);
                if (status == Native.ARR_OK)
                {
                    pending.Add(operation.Id, operation);
                    UpdateAwaited();
                }
            }
            if (status != Native.ARR_OK)
            {
                return Task.FromException<T>(ArrException.From(&error, operation.Owner, method));
            }
            operation.ObeyTo(cancellation);
            return operation.Task;
        }

        /// <summary>
        /// Returns the number that the session's events carry. The client holds the session until <see cref="Forget"/>.
        /// </summary>
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
                UpdateAwaited();
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

        private void UpdateAwaited()
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

        private static unsafe bool InTime(int status, arr_error_info* error, [CallerMemberName] string method = null)
        {
            if (status == Native.ARR_ERROR_TIMEOUT)
            {
                return false;
            }
            ArrException.ThrowIfFailed(status, error, Name, method);
            return true;
        }
    }
}
