using System;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <summary>
    /// A rendering session of a client. It keeps its client from being collected. Disposing it never stops the session, but ends
    /// watching it. Every method may be called from any thread, several at a time; what <see cref="ArrClient"/> says about tasks,
    /// twins, timeouts and failures holds here too.
    /// </summary>
    public sealed class RenderingSession : IDisposable
    {
        private const string Name = "RenderingSession";

        private readonly object gate = new object();
        private ulong watchId;
        private volatile bool disposed;

        internal unsafe RenderingSession(ArrClient client, IntPtr native, arr_session_properties* properties)
            : this(client, native, Utf8.Decode(properties->session_id, 257))
        {
        }

        internal RenderingSession(ArrClient client, IntPtr native, string id)
        {
            Client = client;
            Id = id;
            Handle = new SessionHandle(native, client.Handle);
        }

        /// <summary>The session's id.</summary>
        public string Id { get; }

        /// <summary>Its client.</summary>
        public ArrClient Client { get; }

        /// <summary>Whether <see cref="Dispose"/> was called.</summary>
        public bool IsDisposed
        {
            get { return disposed; }
        }

        /// <summary>Whatever the application likes.</summary>
        public object Tag { get; set; }

        /// <summary>
        /// What happens to this session, while it is watched by this object. Raised by the pump, on its thread, after the
        /// client's own event.
        /// </summary>
        public event Action<ArrEvent> EventReceived;

        internal SessionHandle Handle { get; }

        internal Action<ArrEvent> Handlers
        {
            get { return EventReceived; }
        }

        /// <summary>
        /// Asks the service for the session's properties. Several that are started at about the same time are one request. The
        /// service slows accounts down that ask more often than every five to ten seconds. REST v1: GET
        /// /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}.
        /// </summary>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.NotFound"/> if the service does not know the session any more.
        /// </exception>
        public Task<SessionProperties> GetPropertiesAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(new ReadOperation(this, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>
        /// The synchronous twin of <see cref="GetPropertiesAsync"/>. Blocks; refused on the pump's thread, but for
        /// <see cref="ReadMode.Known"/>, which sends nothing.
        /// </summary>
        public unsafe SessionProperties GetProperties(ReadMode mode = ReadMode.Fresh, TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            if (mode != ReadMode.Known)
            {
                Client.RefuseOnPumpThread("GetProperties", "GetPropertiesAsync, or GetProperties(ReadMode.Known)");
            }
            arr_error_info error = Blank.Error;
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_session_get_properties(
                Handle.Value, (uint)mode, &properties, Durations.CallTimeout(timeout), &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
            return new SessionProperties(&properties);
        }

        /// <summary>
        /// Waits until the session is ready. Its properties are read every <see cref="ArrClientOptions.PollInterval"/>, for all who
        /// wait together; failures that may pass do not end it, and waiting takes no thread. REST: what
        /// <see cref="GetPropertiesAsync"/> sends.
        /// </summary>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for as long as it takes.</param>
        /// <exception cref="ArrSessionEndedException">
        /// It never will be ready: it was stopped, its lease ran out, or it failed.
        /// </exception>
        /// <exception cref="ArrException"><see cref="ArrStatus.Timeout"/> if it is not ready yet.</exception>
        public Task<SessionProperties> WaitUntilReadyAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(new WaitOperation(this, WaitTimeout(timeout)), cancellation);
        }

        /// <summary>
        /// The synchronous twin of <see cref="WaitUntilReadyAsync"/>. Blocks; refused on the pump's thread. It may be called in
        /// short slices, to show progress: the schedule belongs to the session, so slices cost no extra request.
        /// </summary>
        /// <param name="timeout">
        /// The most that it may take; null for as long as it takes; zero starts what is due and does not wait.
        /// </param>
        public unsafe SessionProperties WaitUntilReady(TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            Client.RefuseOnPumpThread("WaitUntilReady", "WaitUntilReadyAsync");
            arr_error_info error = Blank.Error;
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_session_wait_until_ready(Handle.Value, &properties, WaitTimeout(timeout), &error);
            GC.KeepAlive(this);
            if (status != Native.ARR_OK)
            {
                throw IsEnd(status)
                    ? new ArrSessionEndedException(&error, new SessionProperties(&properties))
                    : ArrException.From(&error, Name);
            }
            return new SessionProperties(&properties);
        }

        /// <summary>
        /// Sets the session's whole lease, counted from when it became ready: it can only grow. To give a session with a lease of
        /// one hour another hour, set two. The lease that stands is a success without a request. REST: PATCH
        /// (/v1)/accounts/{account}/sessions/{id}.
        /// </summary>
        /// <param name="maxLease">
        /// The whole lease, 1 s to 365 days, rounded up to whole seconds; with REST 2021-01-01 up to a day, rounded up to whole
        /// minutes.
        /// </param>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <returns>
        /// What is known afterwards: with REST v1 the new lease, and all else as it was last read
        /// (<see cref="SessionProperties.Age"/>).
        /// </returns>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.InvalidArgument"/> if the lease is shorter than the one that is known;
        /// <see cref="ArrStatus.BadRequest"/> or <see cref="ArrStatus.Conflict"/> if it is not longer than the one that the service
        /// knows; <see cref="ArrStatus.SessionEnded"/> or <see cref="ArrStatus.Conflict"/> if the session has ended.
        /// </exception>
        public Task<SessionProperties> UpdateLeaseAsync(
            TimeSpan maxLease, CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(
                new UpdateLeaseOperation(this, Durations.Seconds(maxLease, "maxLease"), Durations.CallTimeout(timeout)),
                cancellation);
        }

        /// <summary>The synchronous twin of <see cref="UpdateLeaseAsync"/>. Blocks; refused on the pump's thread.</summary>
        public unsafe SessionProperties UpdateLease(TimeSpan maxLease, TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            Client.RefuseOnPumpThread("UpdateLease", "UpdateLeaseAsync");
            arr_error_info error = Blank.Error;
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_session_update_lease(
                Handle.Value, Durations.Seconds(maxLease, "maxLease"), &properties, Durations.CallTimeout(timeout), &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
            return new SessionProperties(&properties);
        }

        /// <summary>
        /// Stops the session: its server is given back and costs no more. The object stays good, for reading the final properties.
        /// REST v1: DELETE /v1/accounts/{account}/sessions/{id}; 2021-01-01: POST /accounts/{account}/sessions/{id}/:stop.
        /// </summary>
        /// <param name="cancellation">Ends it for the caller only: the stop itself goes on.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException">The session may still be running: stop it again.</exception>
        public Task<StopResult> StopAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(new StopOperation(this, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="StopAsync"/>. Blocks; refused on the pump's thread.</summary>
        public unsafe StopResult Stop(TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            Client.RefuseOnPumpThread("Stop", "StopAsync");
            arr_error_info error = Blank.Error;
            int alreadyGone = 0;
            int status = Native.arr_session_stop(Handle.Value, &alreadyGone, Durations.CallTimeout(timeout), &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
            return new StopResult(alreadyGone != 0);
        }

        /// <summary>
        /// Has the library watch the session: it is read at the poll intervals on the library's threads,
        /// <see cref="EventReceived"/> tells what becomes of it, and <see cref="GetSnapshot"/> stays current. Calling it again
        /// changes the options. It belongs to this object, which the client holds until it is unwatched or disposed. Does not
        /// block.
        /// </summary>
        /// <param name="options">How. Null: the defaults.</param>
        /// <exception cref="ArrException">A value is out of range.</exception>
        public unsafe void Watch(WatchOptions options = null)
        {
            arr_watch_options native;
            (options ?? new WatchOptions()).Fill(&native);
            lock (gate)
            {
                ThrowIfDisposed();
                ulong id = watchId != 0 ? watchId : Client.Remember(this);
                arr_error_info error = Blank.Error;
                int status = Native.arr_session_watch(Handle.Value, &native, id, &error);
                GC.KeepAlive(this);
                if (status == Native.ARR_OK)
                {
                    watchId = id;
                    Handle.IsWatched = true;
                }
                else if (watchId == 0)
                {
                    Client.Forget(id);
                }
                ArrException.ThrowIfFailed(status, &error, Name);
            }
        }

        /// <summary>Ends watching the session, and keeping it alive.</summary>
        public unsafe void Unwatch()
        {
            ThrowIfDisposed();
            lock (gate)
            {
                arr_error_info error = Blank.Error;
                int status = Native.arr_session_watch(Handle.Value, null, 0, &error);
                GC.KeepAlive(this);
                ArrException.ThrowIfFailed(status, &error, Name);
                ForgetWatch();
            }
        }

        /// <summary>
        /// Has the library extend the session's lease by itself whenever it runs low, up to a cap; events tell about it. The
        /// session must be watched by this object. Does not block. REST: what <see cref="UpdateLeaseAsync"/> sends, when the time
        /// has come.
        /// </summary>
        /// <exception cref="ArrException">A value is out of range, or the session is not watched.</exception>
        public unsafe void KeepAlive(KeepAliveOptions options)
        {
            if (options == null)
            {
                throw new ArgumentNullException("options");
            }
            arr_keep_alive_options native;
            options.Fill(&native);
            SetKeepAlive(&native);
        }

        /// <summary>Ends keeping the session alive; watching goes on.</summary>
        public unsafe void EndKeepAlive()
        {
            SetKeepAlive(null);
        }

        /// <summary>
        /// Shows that the application is alive, where it does not pump: see <see cref="KeepAliveOptions.Liveness"/>. Neither waits
        /// nor allocates.
        /// </summary>
        public unsafe void Touch()
        {
            ThrowIfDisposed();
            int status = Native.arr_session_touch(Handle.Value, null);
            GC.KeepAlive(this);
            if (status != Native.ARR_OK)
            {
                ThrowOfFrame(status);
            }
        }

        /// <summary>
        /// The session in numbers, as it is now: what the service told last, and the time since. For every frame: it sends nothing,
        /// waits for nothing and allocates nothing. <see cref="Watch"/> keeps it current.
        /// </summary>
        public unsafe SessionSnapshot GetSnapshot()
        {
            ThrowIfDisposed();
            arr_snapshot native = Blank.Snapshot;
            int status = Native.arr_session_snapshot(Handle.Value, &native, null);
            GC.KeepAlive(this);
            if (status != Native.ARR_OK)
            {
                ThrowOfFrame(status);
            }
            return new SessionSnapshot(in native);
        }

        /// <summary>
        /// The whole message of the properties last read: why the session failed or ended. Up to 4096 bytes; empty if there is
        /// none. Sends nothing.
        /// </summary>
        public unsafe string GetMessage()
        {
            ThrowIfDisposed();
            // Another thread may read a longer one between two calls.
            byte[] buffer = new byte[512];
            while (true)
            {
                arr_error_info error = Blank.Error;
                UIntPtr needed = UIntPtr.Zero;
                fixed (byte* place = buffer)
                {
                    int status = Native.arr_session_get_message(
                        Handle.Value, place, (UIntPtr)(uint)buffer.Length, &needed, &error);
                    GC.KeepAlive(this);
                    if (status != Native.ARR_ERROR_BUFFER_TOO_SMALL)
                    {
                        ArrException.ThrowIfFailed(status, &error, Name);
                        return Utf8.Decode(place, buffer.Length);
                    }
                }
                buffer = new byte[(int)(uint)needed];
            }
        }

        /// <summary>
        /// Frees the object. It does NOT stop the session: that is <see cref="StopAsync"/>. Watching and keeping alive that were
        /// asked for by this object end; what is pending goes on. May be called twice, and from any thread.
        /// </summary>
        public void Dispose()
        {
            lock (gate)
            {
                disposed = true;
                ForgetWatch();
            }
            Handle.Dispose();
        }

        /// <summary>The session's id.</summary>
        public override string ToString()
        {
            return Id;
        }

        /// <summary>What the failure of a wait is in C#.</summary>
        internal unsafe Exception DescribeEndOfWait(arr_error_info* error)
        {
            if (!IsEnd(error->status))
            {
                return ArrException.From(error, Name);
            }
            arr_session_properties properties = Blank.Properties;
            // Nothing is known only if the object was disposed meanwhile: then the properties are blank.
            Native.arr_session_get_properties(Handle.Value, Native.ARR_READ_KNOWN, &properties, 0, null);
            GC.KeepAlive(this);
            return new ArrSessionEndedException(error, new SessionProperties(&properties));
        }

        private static bool IsEnd(int status)
        {
            return status == Native.ARR_ERROR_SESSION_ENDED || status == Native.ARR_ERROR_SESSION_FAILED;
        }

        private static uint WaitTimeout(TimeSpan? timeout)
        {
            return timeout == null ? Native.ARR_WAIT_FOREVER : Durations.WaitLimit(timeout.Value, "timeout");
        }

        private unsafe void SetKeepAlive(arr_keep_alive_options* options)
        {
            ThrowIfDisposed();
            arr_error_info error = Blank.Error;
            int status = Native.arr_session_keep_alive(Handle.Value, options, &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
        }

        private void ForgetWatch()
        {
            if (watchId != 0)
            {
                Client.Forget(watchId);
                watchId = 0;
                Handle.IsWatched = false;
            }
        }

        private void ThrowIfDisposed()
        {
            if (disposed)
            {
                throw new ObjectDisposedException(Name);
            }
            Client.ThrowIfDisposed();
        }

        /// <summary>A frame's call has no error info; what little there is to say is made here.</summary>
        private static unsafe void ThrowOfFrame(int status)
        {
            arr_error_info error = Blank.Error;
            error.status = status;
            error.category = Native.arr_status_category(status);
            throw ArrException.From(&error, Name);
        }
    }
}
