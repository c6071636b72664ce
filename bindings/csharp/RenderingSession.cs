using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <summary>
    /// A rendering session. Disposing it does not stop the session; it ends watching and keep-alive. All members are
    /// thread-safe. Tasks, blocking variants, timeouts and failures are as described for <see cref="ArrClient"/>, which
    /// this object keeps from being collected.
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

        /// <summary>The client that created or opened the session.</summary>
        public ArrClient Client { get; }

        /// <summary>Whether <see cref="Dispose"/> was called.</summary>
        public bool IsDisposed
        {
            get { return disposed; }
        }

        /// <summary>Any object the application wants to attach.</summary>
        public object Tag { get; set; }

        /// <summary>
        /// Raised for events of this session while this object watches it: on the pump's thread, after
        /// <see cref="ArrClient.EventReceived"/>.
        /// </summary>
        public event Action<ArrEvent> EventReceived;

        internal SessionHandle Handle { get; }

        internal Action<ArrEvent> Handlers
        {
            get { return EventReceived; }
        }

        /// <summary>
        /// Reads the session's properties from the service. Concurrent calls share one request. The service throttles
        /// accounts that read more often than every 5 to 10 s.
        /// </summary>
        /// <remarks>
        /// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}.
        /// </remarks>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.NotFound"/>: the service no longer knows the session.
        /// </exception>
        public Task<SessionProperties> GetPropertiesAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(new ReadOperation(this, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>
        /// Blocking variant of <see cref="GetPropertiesAsync"/>. With <see cref="ReadMode.Known"/> it sends nothing, does
        /// not block, and may be called on any thread.
        /// </summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread in another mode.</exception>
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
        /// Waits until the session is ready. Polls it every <see cref="ArrClientOptions.PollInterval"/>; all waits for a
        /// session share the requests, and none occupies a thread. Transient failures are retried. A session that was ready
        /// within <see cref="ArrClientOptions.ReadyPollInterval"/> counts as ready without a request.
        /// </summary>
        /// <remarks>REST: sends what <see cref="GetPropertiesAsync"/> sends.</remarks>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the wait; null for no limit.</param>
        /// <exception cref="ArrSessionEndedException">
        /// The session will never be ready: it was stopped, its lease ended, or it failed.
        /// </exception>
        /// <exception cref="ArrException"><see cref="ArrStatus.Timeout"/>: it is not ready yet.</exception>
        public Task<SessionProperties> WaitUntilReadyAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(new WaitOperation(this, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>
        /// Blocking variant of <see cref="WaitUntilReadyAsync"/>. Can be called in short slices, for example to show
        /// progress: the session keeps the schedule, so slices cost no extra requests.
        /// </summary>
        /// <param name="timeout">
        /// Limit for the wait; null for no limit. Zero starts a poll if one is due, without waiting for it.
        /// </param>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe SessionProperties WaitUntilReady(TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            Client.RefuseOnPumpThread("WaitUntilReady", "WaitUntilReadyAsync");
            arr_error_info error = Blank.Error;
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_session_wait_until_ready(Handle.Value, &properties, Durations.CallTimeout(timeout), &error);
            GC.KeepAlive(this);
            if (status != Native.ARR_OK)
            {
                throw IsEnd(status)
                    ? new ArrSessionEndedException(&error, new SessionProperties(&properties), "WaitUntilReady")
                    : ArrException.From(&error, Name);
            }
            return new SessionProperties(&properties);
        }

        /// <summary>
        /// Sets the session's total lease, counted from the moment it became ready. It can only grow: to extend a lease of one
        /// hour by another hour, pass two hours. Succeeds without a request if the lease is unchanged.
        /// </summary>
        /// <remarks>REST: PATCH (/v1)/accounts/{account}/sessions/{id}.</remarks>
        /// <param name="maxLease">
        /// The total lease: 1 s to 365 days, rounded up to whole seconds; with REST 2021-01-01 at most a day, rounded up to
        /// whole minutes.
        /// </param>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <returns>
        /// The cached properties with the new lease; with REST v1, the rest is as old as
        /// <see cref="SessionProperties.Age"/> says. The lease is the one that the service accepted; only a read shows
        /// whether the service granted it.
        /// </returns>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.InvalidArgument"/>: shorter than the cached lease. <see cref="ArrStatus.BadRequest"/> (REST
        /// v1) or <see cref="ArrStatus.Conflict"/> (2021-01-01): not longer than the service's.
        /// <see cref="ArrStatus.SessionEnded"/> or <see cref="ArrStatus.Conflict"/>: the session has ended.
        /// </exception>
        public Task<SessionProperties> UpdateLeaseAsync(
            TimeSpan maxLease, CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(
                new UpdateLeaseOperation(this, Durations.Seconds(maxLease, "maxLease"), Durations.StartTimeout(timeout)),
                cancellation);
        }

        /// <summary>Blocking variant of <see cref="UpdateLeaseAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
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
        /// Stops the session: its server is released and costs no more. A session that has already ended counts as stopped.
        /// The object stays usable, for example to read the final properties.
        /// </summary>
        /// <remarks>
        /// REST v1: DELETE /v1/accounts/{account}/sessions/{id}; 2021-01-01: POST /accounts/{account}/sessions/{id}/:stop.
        /// </remarks>
        /// <param name="cancellation">Cancels the task only; the stop continues.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException">The session may still be running: stop it again.</exception>
        public Task<StopResult> StopAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfDisposed();
            return Client.Begin(new StopOperation(this, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>Blocking variant of <see cref="StopAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
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
        /// Watches the session: polls it on the library's threads, raises <see cref="EventReceived"/>, and keeps
        /// <see cref="GetSnapshot"/> current. Call it again to change the options. Does not block.
        /// </summary>
        /// <remarks>The watch belongs to this object, which the client holds until it is unwatched or disposed.</remarks>
        /// <param name="options">Null for the defaults.</param>
        /// <exception cref="ArrException">
        /// A value is out of range, or no thread could be started. <see cref="WatchOptions.StopOnShutdown"/> is then not in
        /// effect.
        /// </exception>
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

        /// <summary>Ends watching and keep-alive.</summary>
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
        /// Extends the session's lease automatically when it runs low, up to a cap; events report it. This object must be
        /// watching the session. Does not block.
        /// </summary>
        /// <remarks>REST: sends what <see cref="UpdateLeaseAsync"/> sends, when an extension is due.</remarks>
        /// <exception cref="ArrException">A value is out of range, or this object does not watch the session.</exception>
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

        /// <summary>Ends keep-alive; watching continues.</summary>
        public unsafe void EndKeepAlive()
        {
            SetKeepAlive(null);
        }

        /// <summary>
        /// Signals that the application is alive even though it does not pump: see <see cref="KeepAliveOptions.Liveness"/>.
        /// Does not block or allocate.
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
        /// Returns the session's current values: the last reply, with times computed up to this moment. Cheap enough to
        /// call in every frame: sends nothing, does not block or allocate. <see cref="Watch"/> keeps them current.
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
        /// Returns the full message of the cached properties: why the session failed or ended. Up to 4096 bytes; empty if
        /// there is none. Sends nothing.
        /// </summary>
        public unsafe string GetMessage()
        {
            return GetText(512, (place, capacity, needed, error) => Native.arr_session_get_message(
                Handle.Value, place, capacity, needed, error));
        }

        /// <summary>
        /// Returns the session's JSON from the service's last reply, for members that this API does not have. Empty until
        /// there is one. Sends nothing.
        /// </summary>
        /// <remarks>
        /// Unchanged, up to 64 KiB, without a byte order mark. From a list, which is how watched sessions are polled, only
        /// the session's entry. A create with REST v1 returns none.
        /// </remarks>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.UnexpectedReply"/>: the JSON was longer than 64 KiB and was not kept.
        /// </exception>
        public unsafe string GetReply()
        {
            return GetText(2048, (place, capacity, needed, error) => Native.arr_session_get_reply(
                Handle.Value, place, capacity, needed, error));
        }

        private unsafe delegate int TextGetter(byte* place, UIntPtr capacity, UIntPtr* needed, arr_error_info* error);

        private unsafe string GetText(int capacity, TextGetter get, [CallerMemberName] string method = null)
        {
            ThrowIfDisposed();
            // The text may grow between two calls.
            byte[] buffer = new byte[capacity];
            while (true)
            {
                arr_error_info error = Blank.Error;
                UIntPtr needed = UIntPtr.Zero;
                fixed (byte* place = buffer)
                {
                    int status = get(place, (UIntPtr)(uint)buffer.Length, &needed, &error);
                    GC.KeepAlive(this);
                    if (status != Native.ARR_ERROR_BUFFER_TOO_SMALL)
                    {
                        ArrException.ThrowIfFailed(status, &error, Name, method);
                        return Utf8.Decode(place, buffer.Length);
                    }
                }
                buffer = new byte[(int)(uint)needed];
            }
        }

        /// <summary>
        /// Frees the object. Does NOT stop the session: call <see cref="StopAsync"/> for that. Ends this object's watching
        /// and keep-alive; pending operations continue. Thread-safe; may be called twice.
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

        /// <summary>The exception for a failed wait.</summary>
        internal unsafe Exception DescribeEndOfWait(arr_error_info* error, string method)
        {
            if (!IsEnd(error->status))
            {
                return ArrException.From(error, Name, method);
            }
            arr_session_properties properties = Blank.Properties;
            // Fails only if the object was disposed meanwhile; the properties are then blank.
            Native.arr_session_get_properties(Handle.Value, Native.ARR_READ_KNOWN, &properties, 0, null);
            GC.KeepAlive(this);
            return new ArrSessionEndedException(error, new SessionProperties(&properties), method);
        }

        private static bool IsEnd(int status)
        {
            return status == Native.ARR_ERROR_SESSION_ENDED || status == Native.ARR_ERROR_SESSION_FAILED;
        }

        private unsafe void SetKeepAlive(arr_keep_alive_options* options, [CallerMemberName] string method = null)
        {
            ThrowIfDisposed();
            arr_error_info error = Blank.Error;
            int status = Native.arr_session_keep_alive(Handle.Value, options, &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name, method);
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

        /// <summary>Calls made every frame have no error info: builds the exception from the status.</summary>
        private static unsafe void ThrowOfFrame(int status, [CallerMemberName] string method = null)
        {
            arr_error_info error = Blank.Error;
            error.status = status;
            error.category = Native.arr_status_category(status);
            throw ArrException.From(&error, Name, method);
        }
    }
}
