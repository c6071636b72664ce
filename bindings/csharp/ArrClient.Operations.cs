using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <content>Operations at the service.</content>
    public sealed partial class ArrClient
    {
        /// <summary>
        /// Gets an access token for the account, cached or fetched, as the rendering connection needs it.
        /// </summary>
        /// <remarks>
        /// REST: GET https://sts.{account domain}/accounts/{account}/token, if no cached token has at least 30 s left.
        /// </remarks>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException"><see cref="ArrStatus.Unauthorized"/>: the credential was refused.</exception>
        public Task<AccessToken> GetTokenAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            return Begin(new TokenOperation(this, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>Blocking variant of <see cref="GetTokenAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe AccessToken GetToken(TimeSpan? timeout = null)
        {
            uint milliseconds = BeforeBlocking("GetToken", timeout);
            TokenBuffer buffer = new TokenBuffer();
            try
            {
                while (true)
                {
                    arr_error_info error = Blank.Error;
                    UIntPtr needed = UIntPtr.Zero;
                    uint remaining = 0;
                    int status;
                    fixed (byte* place = buffer.Bytes)
                    {
                        status = Native.arr_client_get_token(
                            handle.Value, place, buffer.Capacity, &needed, &remaining, milliseconds, &error);
                    }
                    GC.KeepAlive(this);
                    if (status != Native.ARR_ERROR_BUFFER_TOO_SMALL)
                    {
                        ArrException.ThrowIfFailed(status, &error, Name);
                        return new AccessToken(buffer.Text(), remaining);
                    }
                    buffer.Grow(needed);
                }
            }
            finally
            {
                buffer.Wipe();
            }
        }

        /// <summary>
        /// Creates a rendering session: a server that costs money from the moment it is ready until it is stopped or its lease
        /// ends.
        /// </summary>
        /// <remarks>
        /// REST v1: POST /v1/accounts/{account}/sessions/create; 2021-01-01: PUT /accounts/{account}/sessions/{id}.
        /// </remarks>
        /// <param name="options">The session's size, lease and so on; read before this returns.</param>
        /// <param name="cancellation">
        /// Cancels the task and stops a session that was already created. If the stop fails,
        /// <see cref="ArrEventType.SessionLeftRunning"/> names the session.
        /// </param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.OutcomeUnknown"/>: the reply was lost, so a session may be running;
        /// <see cref="ArrEventType.CreateLost"/> names the candidates. <see cref="ArrStatus.InvalidArgument"/>: an option
        /// is invalid, or the REST version does not support it. <see cref="ArrStatus.Conflict"/>: the id is or was in use
        /// with other settings. <see cref="ArrStatus.Storage"/>: the journal could not be written; nothing was sent.
        /// </exception>
        public Task<RenderingSession> CreateSessionAsync(
            CreateSessionOptions options, CancellationToken cancellation = default(CancellationToken),
            TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            return Begin(new CreateOperation(this, options, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>
        /// Blocking variant of <see cref="CreateSessionAsync"/>. If the reply is lost, no event reports it: with REST
        /// 2021-01-01 the exception's message names the id; with REST v1 look in <see cref="ListSessions"/>.
        /// </summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe RenderingSession CreateSession(CreateSessionOptions options, TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            uint milliseconds = BeforeBlocking("CreateSession", timeout);
            using (NativeTexts texts = new NativeTexts())
            {
                arr_error_info error = Blank.Error;
                arr_session_properties properties = Blank.Properties;
                arr_session_create_options native;
                IntPtr session = IntPtr.Zero;
                options.Fill(&native, texts);
                int status = Native.arr_session_create(handle.Value, &native, &session, &properties, milliseconds, &error);
                GC.KeepAlive(this);
                ArrException.ThrowIfFailed(status, &error, Name);
                return new RenderingSession(this, session, &properties);
            }
        }

        /// <summary>
        /// Opens an existing session by its id, for example one that another process created, or this one before a restart.
        /// </summary>
        /// <remarks>
        /// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}.
        /// </remarks>
        /// <param name="sessionId">1 to 256 letters, digits, hyphens and underscores.</param>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException"><see cref="ArrStatus.NotFound"/>: the service does not know the session.</exception>
        public Task<RenderingSession> OpenSessionAsync(
            string sessionId, CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfNull(sessionId, "sessionId");
            return Begin(new OpenOperation(this, sessionId, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>Blocking variant of <see cref="OpenSessionAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe RenderingSession OpenSession(string sessionId, TimeSpan? timeout = null)
        {
            ThrowIfNull(sessionId, "sessionId");
            uint milliseconds = BeforeBlocking("OpenSession", timeout);
            using (NativeTexts texts = new NativeTexts())
            {
                arr_error_info error = Blank.Error;
                arr_session_properties properties = Blank.Properties;
                IntPtr session = IntPtr.Zero;
                byte* id = texts.Add(sessionId, "sessionId");
                int status = Native.arr_session_open(handle.Value, id, &session, &properties, milliseconds, &error);
                GC.KeepAlive(this);
                ArrException.ThrowIfFailed(status, &error, Name);
                return new RenderingSession(this, session, &properties);
            }
        }

        /// <summary>
        /// Reuses a suitable session, or creates one. Checks the session whose id is given; then, newest first, those in the
        /// journal for this endpoint that were created by this client or by a client that is no longer running. Suitable:
        /// same size, starting or ready, and enough lease left.
        /// </summary>
        /// <remarks>
        /// REST: sends what <see cref="OpenSessionAsync"/> sends, for each session that is checked, and what
        /// <see cref="CreateSessionAsync"/> sends if none is suitable.
        /// </remarks>
        /// <param name="options">Options for a new session; read before this returns.</param>
        /// <param name="reuse">Which session is suitable; read before this returns. Null for the defaults.</param>
        /// <param name="cancellation">Cancels the task and stops a session that was already created.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException">
        /// As for <see cref="CreateSessionAsync"/>. If a session cannot be read, the call fails for that reason and
        /// creates nothing.
        /// </exception>
        public Task<ReuseResult> ReuseOrCreateSessionAsync(
            CreateSessionOptions options, ReuseOptions reuse = null,
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            return Begin(
                new ReuseOperation(this, options, reuse ?? new ReuseOptions(), Durations.StartTimeout(timeout)),
                cancellation);
        }

        /// <summary>
        /// Blocking variant of <see cref="ReuseOrCreateSessionAsync"/>. If the reply to a create is lost, no event reports it.
        /// </summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe ReuseResult ReuseOrCreateSession(
            CreateSessionOptions options, ReuseOptions reuse = null, TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            uint milliseconds = BeforeBlocking("ReuseOrCreateSession", timeout);
            using (NativeTexts texts = new NativeTexts())
            {
                arr_error_info error = Blank.Error;
                arr_session_properties properties = Blank.Properties;
                arr_session_create_options nativeCreate;
                arr_reuse_options nativeReuse;
                IntPtr session = IntPtr.Zero;
                int reused = 0;
                options.Fill(&nativeCreate, texts);
                (reuse ?? new ReuseOptions()).Fill(&nativeReuse, texts);
                int status = Native.arr_session_reuse_or_create(
                    handle.Value, &nativeCreate, &nativeReuse, &session, &properties, &reused, milliseconds, &error);
                GC.KeepAlive(this);
                ArrException.ThrowIfFailed(status, &error, Name);
                return new ReuseResult(new RenderingSession(this, session, &properties), reused != 0);
            }
        }

        /// <summary>
        /// Lists the account's sessions that have not ended, no matter who created them.
        /// <see cref="SessionProperties.KnownToClient"/> marks those of this client. To act on one, open it by its id.
        /// </summary>
        /// <remarks>
        /// REST v1: GET /v1/accounts/{account}/sessions; 2021-01-01: GET /accounts/{account}/sessions, page by page.
        /// </remarks>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        public Task<IReadOnlyList<SessionProperties>> ListSessionsAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            return Begin(new ListOperation(this, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>Blocking variant of <see cref="ListSessionsAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe IReadOnlyList<SessionProperties> ListSessions(TimeSpan? timeout = null)
        {
            uint milliseconds = BeforeBlocking("ListSessions", timeout);
            arr_error_info error = Blank.Error;
            IntPtr list = IntPtr.Zero;
            int status = Native.arr_client_list_sessions(handle.Value, &list, milliseconds, &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
            return SessionList.Read(list);
        }

        /// <summary>
        /// Recovers the sessions that earlier clients recorded in the journal and left running, for example because the
        /// application crashed. Those with <see cref="SessionClaim.Ours"/> now belong to this client; candidates do not.
        /// Sessions of a client that is still running, in this process or another, are skipped.
        /// </summary>
        /// <remarks>
        /// REST: sends what <see cref="OpenSessionAsync"/> sends, for each session in the journal, and what
        /// <see cref="ListSessionsAsync"/> sends, for each whose id was never received.
        /// </remarks>
        /// <param name="cancellation">Cancels the task.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.InvalidArgument"/>: the client has no <see cref="ArrClientOptions.JournalFolder"/>.
        /// <see cref="ArrStatus.Storage"/>: the journal cannot be read or written, or has sessions only at endpoints
        /// that are not trusted.
        /// </exception>
        public Task<IReadOnlyList<RecoveredSession>> RecoverSessionsAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            return Begin(new RecoverOperation(this, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>Blocking variant of <see cref="RecoverSessionsAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe IReadOnlyList<RecoveredSession> RecoverSessions(TimeSpan? timeout = null)
        {
            uint milliseconds = BeforeBlocking("RecoverSessions", timeout);
            arr_error_info error = Blank.Error;
            IntPtr list = IntPtr.Zero;
            int status = Native.arr_client_recover_sessions(handle.Value, &list, milliseconds, &error);
            GC.KeepAlive(this);
            ArrException.ThrowIfFailed(status, &error, Name);
            return SessionList.ReadRecovered(list, this);
        }

        /// <summary>Stops many sessions, up to eight at a time. A failed stop does not hold up the others.</summary>
        /// <remarks>
        /// REST: sends what <see cref="RenderingSession.StopAsync"/> sends, for each session; for the whole account, first
        /// what <see cref="ListSessionsAsync"/> sends.
        /// </remarks>
        /// <param name="scope">Which sessions to stop.</param>
        /// <param name="cancellation">Cancels the task; the stops continue.</param>
        /// <param name="timeout">Limit for the whole call; null for <see cref="ArrClientOptions.CallTimeout"/>.</param>
        /// <exception cref="ArrStopAllException">Some sessions could not be stopped and may still be running.</exception>
        public Task<StopAllResult> StopAllAsync(
            StopScope scope = StopScope.Own, CancellationToken cancellation = default(CancellationToken),
            TimeSpan? timeout = null)
        {
            return Begin(new StopAllOperation(this, scope, Durations.StartTimeout(timeout)), cancellation);
        }

        /// <summary>Blocking variant of <see cref="StopAllAsync"/>.</summary>
        /// <exception cref="InvalidOperationException">Called on the pump's thread.</exception>
        public unsafe StopAllResult StopAll(StopScope scope = StopScope.Own, TimeSpan? timeout = null)
        {
            uint milliseconds = BeforeBlocking("StopAll", timeout);
            arr_error_info error = Blank.Error;
            arr_stop_all_result native = Blank.StopAllResult;
            int status = Native.arr_client_stop_all(handle.Value, (int)scope, &native, milliseconds, &error);
            GC.KeepAlive(this);
            StopAllResult result = new StopAllResult(in native);
            if (status != Native.ARR_OK)
            {
                throw ArrStopAllException.From(&error, result);
            }
            return result;
        }

        private uint BeforeBlocking(string method, TimeSpan? timeout)
        {
            ThrowIfDisposed();
            RefuseOnPumpThread(method, method + "Async");
            return Durations.CallTimeout(timeout);
        }

        private static void ThrowIfNull(object value, string name)
        {
            if (value == null)
            {
                throw new ArgumentNullException(name);
            }
        }
    }
}
