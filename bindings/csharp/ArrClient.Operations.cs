using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <content>What a client does at the service.</content>
    public sealed partial class ArrClient
    {
        /// <summary>
        /// Gives an access token for the account, from the cache or fetched: what the rendering connection is made with.
        /// REST: GET https://sts.{account domain}/accounts/{account}/token, if there is no token with at least half a minute left.
        /// </summary>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException"><see cref="ArrStatus.Unauthorized"/> if the credential was refused.</exception>
        public Task<AccessToken> GetTokenAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            return Begin(new TokenOperation(this, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="GetTokenAsync"/>. Blocks; refused on the pump's thread.</summary>
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
        /// Creates a rendering session: a server that costs money from when it is ready until it is stopped or its lease ends.
        /// REST v1: POST /v1/accounts/{account}/sessions/create; 2021-01-01: PUT /accounts/{account}/sessions/{id}.
        /// </summary>
        /// <param name="options">What the session shall be; read before this returns.</param>
        /// <param name="cancellation">
        /// Ends it for the caller. The session that it may have made is stopped; if that fails
        /// <see cref="ArrEventType.SessionLeftRunning"/> names it.
        /// </param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.OutcomeUnknown"/> if the answer was lost: then a session may be running, and
        /// <see cref="ArrEventType.CreateLost"/> tells what may have come of it. <see cref="ArrStatus.InvalidArgument"/> for what
        /// the REST version does not have; <see cref="ArrStatus.Conflict"/> if the id is in use with other settings, or was;
        /// <see cref="ArrStatus.Storage"/> if the journal could not be written, and nothing was sent.
        /// </exception>
        public Task<RenderingSession> CreateSessionAsync(
            CreateSessionOptions options, CancellationToken cancellation = default(CancellationToken),
            TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            return Begin(new CreateOperation(this, options, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="CreateSessionAsync"/>. Blocks; refused on the pump's thread.</summary>
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
        /// Opens a session that exists, by its id: one that another process created, or this one before it was restarted.
        /// REST v1: GET /v1/accounts/{account}/sessions/{id}/properties; 2021-01-01: GET /accounts/{account}/sessions/{id}.
        /// </summary>
        /// <param name="sessionId">1 to 256 letters, digits, hyphens and underscores.</param>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException"><see cref="ArrStatus.NotFound"/> if the service does not know it.</exception>
        public Task<RenderingSession> OpenSessionAsync(
            string sessionId, CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfNull(sessionId, "sessionId");
            return Begin(new OpenOperation(this, sessionId, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="OpenSessionAsync"/>. Blocks; refused on the pump's thread.</summary>
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
        /// Creates a session, unless there is one to go on with: the one whose id is given, or one that the journal has, of this
        /// client or of an earlier run that is over; of the size that the new one would have, starting or ready, with enough of
        /// its lease left. REST: what <see cref="OpenSessionAsync"/> sends, for each that may be fit, then what
        /// <see cref="CreateSessionAsync"/> sends, if none is.
        /// </summary>
        /// <param name="options">What a new session shall be; read before this returns.</param>
        /// <param name="resume">What is fit; read before this returns. Null: the defaults.</param>
        /// <param name="cancellation">Ends it for the caller, as of a create.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException">
        /// As of <see cref="CreateSessionAsync"/>. If a session cannot be looked at, it fails as that did, and creates none.
        /// </exception>
        public Task<ResumeResult> ResumeOrCreateSessionAsync(
            CreateSessionOptions options, ResumeOptions resume = null,
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            return Begin(
                new ResumeOperation(this, options, resume ?? new ResumeOptions(), Durations.CallTimeout(timeout)),
                cancellation);
        }

        /// <summary>
        /// The synchronous twin of <see cref="ResumeOrCreateSessionAsync"/>. Blocks; refused on the pump's thread.
        /// </summary>
        public unsafe ResumeResult ResumeOrCreateSession(
            CreateSessionOptions options, ResumeOptions resume = null, TimeSpan? timeout = null)
        {
            ThrowIfNull(options, "options");
            uint milliseconds = BeforeBlocking("ResumeOrCreateSession", timeout);
            using (NativeTexts texts = new NativeTexts())
            {
                arr_error_info error = Blank.Error;
                arr_session_properties properties = Blank.Properties;
                arr_session_create_options nativeCreate;
                arr_resume_options nativeResume;
                IntPtr session = IntPtr.Zero;
                int resumed = 0;
                options.Fill(&nativeCreate, texts);
                (resume ?? new ResumeOptions()).Fill(&nativeResume, texts);
                int status = Native.arr_session_resume_or_create(
                    handle.Value, &nativeCreate, &nativeResume, &session, &properties, &resumed, milliseconds, &error);
                GC.KeepAlive(this);
                ArrException.ThrowIfFailed(status, &error, Name);
                return new ResumeResult(new RenderingSession(this, session, &properties), resumed != 0);
            }
        }

        /// <summary>
        /// Lists the account's sessions that have not ended, whoever created them;
        /// <see cref="SessionProperties.KnownToClient"/> tells ours. To do something with one, open it by its id.
        /// REST v1: GET /v1/accounts/{account}/sessions; 2021-01-01: GET /accounts/{account}/sessions, page by page.
        /// </summary>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        public Task<IReadOnlyList<SessionProperties>> ListSessionsAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            return Begin(new ListOperation(this, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="ListSessionsAsync"/>. Blocks; refused on the pump's thread.</summary>
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
        /// Finds the sessions that earlier owners of the journal have left, because they crashed or ended without stopping them,
        /// and that the service still has. They are this client's from now on. The sessions of an owner that lives, in this
        /// process or another, are never among them. REST: what <see cref="OpenSessionAsync"/> sends, for each session of the
        /// journal; what <see cref="ListSessionsAsync"/> sends, for each whose id was never known.
        /// </summary>
        /// <param name="cancellation">Ends it for the caller.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrException">
        /// <see cref="ArrStatus.InvalidArgument"/> if the client has no <see cref="ArrClientOptions.JournalPath"/>;
        /// <see cref="ArrStatus.Storage"/> if it cannot be read or written.
        /// </exception>
        public Task<IReadOnlyList<RecoveredSession>> RecoverSessionsAsync(
            CancellationToken cancellation = default(CancellationToken), TimeSpan? timeout = null)
        {
            return Begin(new RecoverOperation(this, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="RecoverSessionsAsync"/>. Blocks; refused on the pump's thread.</summary>
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

        /// <summary>
        /// Stops many sessions, up to eight at a time. One that cannot be stopped holds up no other. REST: what
        /// <see cref="RenderingSession.StopAsync"/> sends, for each; for the whole account after what
        /// <see cref="ListSessionsAsync"/> sends.
        /// </summary>
        /// <param name="scope">Which.</param>
        /// <param name="cancellation">Ends it for the caller; the stops themselves go on.</param>
        /// <param name="timeout">The most that it may take; null for the client's.</param>
        /// <exception cref="ArrStopAllException">Some could not be stopped, and may be running.</exception>
        public Task<StopAllResult> StopAllAsync(
            StopScope scope = StopScope.Own, CancellationToken cancellation = default(CancellationToken),
            TimeSpan? timeout = null)
        {
            return Begin(new StopAllOperation(this, scope, Durations.CallTimeout(timeout)), cancellation);
        }

        /// <summary>The synchronous twin of <see cref="StopAllAsync"/>. Blocks; refused on the pump's thread.</summary>
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
