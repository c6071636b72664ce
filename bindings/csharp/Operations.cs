using System;
using System.Collections.Generic;

namespace ArrSession
{
    /// <summary>arr_client_get_token_start</summary>
    internal sealed unsafe class TokenOperation : PendingOperation<AccessToken>
    {
        private readonly uint timeout;

        internal TokenOperation(ArrClient client, uint timeout)
            : base(client)
        {
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_client_get_token_start(Client.Handle.Value, id, operation, timeout, error);
        }

        protected override int Take(IntPtr operation, out AccessToken result, arr_error_info* error)
        {
            result = null;
            TokenBuffer buffer = new TokenBuffer();
            try
            {
                int status;
                uint remaining;
                do
                {
                    UIntPtr needed = UIntPtr.Zero;
                    fixed (byte* place = buffer.Bytes)
                    {
                        status = Native.arr_operation_get_token(
                            operation, place, buffer.Capacity, &needed, &remaining, error);
                    }
                    if (status == Native.ARR_OK)
                    {
                        result = new AccessToken(buffer.Text(), remaining);
                    }
                    else if (status == Native.ARR_ERROR_BUFFER_TOO_SMALL)
                    {
                        buffer.Grow(needed);
                    }
                }
                while (status == Native.ARR_ERROR_BUFFER_TOO_SMALL);
                return status;
            }
            finally
            {
                buffer.Wipe();
            }
        }
    }

    /// <summary>Results in a session: arr_operation_get_session</summary>
    internal abstract unsafe class SessionOperation<T> : PendingOperation<T>
    {
        protected SessionOperation(ArrClient client)
            : base(client)
        {
        }

        /// <summary>
        /// Whether a new session is certain to be this operation's. An id chosen by the application may have existed before.
        /// </summary>
        protected abstract bool CreatesItsOwn { get; }

        protected int TakeSession(IntPtr operation, out RenderingSession session, out bool reused, arr_error_info* error)
        {
            IntPtr native = IntPtr.Zero;
            int wasThere = 0;
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_operation_get_session(operation, &native, &properties, &wasThere, error);
            session = status == Native.ARR_OK ? new RenderingSession(Client, native, &properties) : null;
            reused = wasThere != 0;
            return status;
        }

        protected override void EndCreating(IntPtr operation)
        {
            Native.arr_operation_cancel(operation, null);
        }

        protected override void GiveBack(IntPtr operation)
        {
            IntPtr session = IntPtr.Zero;
            int wasThere = 0;
            // After this, either the session exists or native code stops what it creates.
            EndCreating(operation);
            if (!CreatesItsOwn
                || Native.arr_operation_get_session(operation, &session, null, &wasThere, null) != Native.ARR_OK)
            {
                return;
            }
            if (wasThere == 0)
            {
                SessionHandle.StartStop(session);
            }
            Native.arr_session_free(session);
        }
    }

    /// <summary>arr_session_create_start</summary>
    internal sealed unsafe class CreateOperation : SessionOperation<RenderingSession>
    {
        private readonly CreateSessionOptions options;
        private readonly uint timeout;
        private readonly bool createsItsOwn;

        internal CreateOperation(ArrClient client, CreateSessionOptions options, uint timeout)
            : base(client)
        {
            this.options = options;
            this.timeout = timeout;
            createsItsOwn = string.IsNullOrEmpty(options.SessionId);
        }

        protected override bool CreatesItsOwn
        {
            get { return createsItsOwn; }
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            using (NativeTexts texts = new NativeTexts())
            {
                arr_session_create_options native;
                options.Fill(&native, texts);
                return Native.arr_session_create_start(Client.Handle.Value, &native, id, operation, timeout, error);
            }
        }

        protected override int Take(IntPtr operation, out RenderingSession result, arr_error_info* error)
        {
            bool reused;
            return TakeSession(operation, out result, out reused, error);
        }
    }

    /// <summary>arr_session_open_start</summary>
    internal sealed unsafe class OpenOperation : SessionOperation<RenderingSession>
    {
        private readonly string sessionId;
        private readonly uint timeout;

        internal OpenOperation(ArrClient client, string sessionId, uint timeout)
            : base(client)
        {
            this.sessionId = sessionId;
            this.timeout = timeout;
        }

        protected override bool CreatesItsOwn
        {
            get { return false; }
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            using (NativeTexts texts = new NativeTexts())
            {
                byte* text = texts.Add(sessionId, "sessionId");
                return Native.arr_session_open_start(Client.Handle.Value, text, id, operation, timeout, error);
            }
        }

        protected override int Take(IntPtr operation, out RenderingSession result, arr_error_info* error)
        {
            bool reused;
            return TakeSession(operation, out result, out reused, error);
        }
    }

    /// <summary>arr_session_reuse_or_create_start</summary>
    internal sealed unsafe class ReuseOperation : SessionOperation<ReuseResult>
    {
        private readonly CreateSessionOptions options;
        private readonly ReuseOptions reuse;
        private readonly uint timeout;
        private readonly bool createsItsOwn;

        internal ReuseOperation(ArrClient client, CreateSessionOptions options, ReuseOptions reuse, uint timeout)
            : base(client)
        {
            this.options = options;
            this.reuse = reuse;
            this.timeout = timeout;
            createsItsOwn = string.IsNullOrEmpty(options.SessionId);
        }

        protected override bool CreatesItsOwn
        {
            get { return createsItsOwn; }
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            using (NativeTexts texts = new NativeTexts())
            {
                arr_session_create_options nativeCreate;
                arr_reuse_options nativeReuse;
                options.Fill(&nativeCreate, texts);
                reuse.Fill(&nativeReuse, texts);
                return Native.arr_session_reuse_or_create_start(
                    Client.Handle.Value, &nativeCreate, &nativeReuse, id, operation, timeout, error);
            }
        }

        protected override int Take(IntPtr operation, out ReuseResult result, arr_error_info* error)
        {
            RenderingSession session;
            bool reused;
            int status = TakeSession(operation, out session, out reused, error);
            result = status == Native.ARR_OK ? new ReuseResult(session, reused) : null;
            return status;
        }
    }

    /// <summary>arr_client_list_sessions_start</summary>
    internal sealed unsafe class ListOperation : PendingOperation<IReadOnlyList<SessionProperties>>
    {
        private readonly uint timeout;

        internal ListOperation(ArrClient client, uint timeout)
            : base(client)
        {
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_client_list_sessions_start(Client.Handle.Value, id, operation, timeout, error);
        }

        protected override int Take(
            IntPtr operation, out IReadOnlyList<SessionProperties> result, arr_error_info* error)
        {
            IntPtr list = IntPtr.Zero;
            int status = Native.arr_operation_get_list(operation, &list, error);
            result = status == Native.ARR_OK ? SessionList.Read(list) : null;
            return status;
        }
    }

    /// <summary>arr_client_recover_sessions_start</summary>
    internal sealed unsafe class RecoverOperation : PendingOperation<IReadOnlyList<RecoveredSession>>
    {
        private readonly uint timeout;

        internal RecoverOperation(ArrClient client, uint timeout)
            : base(client)
        {
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_client_recover_sessions_start(Client.Handle.Value, id, operation, timeout, error);
        }

        protected override int Take(IntPtr operation, out IReadOnlyList<RecoveredSession> result, arr_error_info* error)
        {
            IntPtr list = IntPtr.Zero;
            int status = Native.arr_operation_get_list(operation, &list, error);
            result = status == Native.ARR_OK ? SessionList.ReadRecovered(list, Client) : null;
            return status;
        }
    }

    /// <summary>arr_client_stop_all_start</summary>
    internal sealed unsafe class StopAllOperation : PendingOperation<StopAllResult>
    {
        private readonly StopScope scope;
        private readonly uint timeout;
        private StopAllResult soFar;

        internal StopAllOperation(ArrClient client, StopScope scope, uint timeout)
            : base(client)
        {
            this.scope = scope;
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_client_stop_all_start(
                Client.Handle.Value, (int)scope, id, operation, timeout, error);
        }

        /// <summary>
        /// A stop cancelled before it is sent is never sent, so a second stop takes over first.
        /// </summary>
        protected override bool MayBeCancelled()
        {
            IntPtr another = IntPtr.Zero;
            int status = Native.arr_client_stop_all_start(
                Client.Handle.Value, (int)scope, 0, &another, Native.ARR_TIMEOUT_DEFAULT, null);
            if (status != Native.ARR_OK)
            {
                return false;
            }
            Native.arr_operation_free(another);
            return true;
        }

        protected override int Take(IntPtr operation, out StopAllResult result, arr_error_info* error)
        {
            arr_stop_all_result native = Blank.StopAllResult;
            int status = Native.arr_operation_get_stop_all(operation, &native, error);
            soFar = new StopAllResult(in native);
            result = soFar;
            return status;
        }

        protected override Exception Describe(arr_error_info* error)
        {
            return ArrStopAllException.From(error, soFar, Method);
        }
    }

    /// <summary>An operation on a session.</summary>
    internal abstract unsafe class OfSessionOperation<T> : PendingOperation<T>
    {
        protected OfSessionOperation(RenderingSession session)
            : base(session.Client)
        {
            Session = session;
        }

        protected RenderingSession Session { get; }

        internal override string Owner
        {
            get { return "RenderingSession"; }
        }
    }

    /// <summary>Results in properties: arr_operation_get_properties</summary>
    internal abstract unsafe class PropertiesOperation : OfSessionOperation<SessionProperties>
    {
        protected PropertiesOperation(RenderingSession session)
            : base(session)
        {
        }

        protected override int Take(IntPtr operation, out SessionProperties result, arr_error_info* error)
        {
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_operation_get_properties(operation, &properties, error);
            result = status == Native.ARR_OK ? new SessionProperties(&properties) : null;
            return status;
        }
    }

    /// <summary>arr_session_get_properties_start</summary>
    internal sealed unsafe class ReadOperation : PropertiesOperation
    {
        private readonly uint timeout;

        internal ReadOperation(RenderingSession session, uint timeout)
            : base(session)
        {
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_session_get_properties_start(Session.Handle.Value, id, operation, timeout, error);
        }
    }

    /// <summary>arr_session_wait_until_ready_start</summary>
    internal sealed unsafe class WaitOperation : PropertiesOperation
    {
        private readonly uint timeout;

        internal WaitOperation(RenderingSession session, uint timeout)
            : base(session)
        {
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_session_wait_until_ready_start(Session.Handle.Value, id, operation, timeout, error);
        }

        protected override Exception Describe(arr_error_info* error)
        {
            return Session.DescribeEndOfWait(error, Method);
        }
    }

    /// <summary>arr_session_update_lease_start</summary>
    internal sealed unsafe class UpdateLeaseOperation : PropertiesOperation
    {
        private readonly uint maxLeaseSeconds;
        private readonly uint timeout;

        internal UpdateLeaseOperation(RenderingSession session, uint maxLeaseSeconds, uint timeout)
            : base(session)
        {
            this.maxLeaseSeconds = maxLeaseSeconds;
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_session_update_lease_start(
                Session.Handle.Value, maxLeaseSeconds, id, operation, timeout, error);
        }
    }

    /// <summary>arr_session_stop_start</summary>
    internal sealed unsafe class StopOperation : OfSessionOperation<StopResult>
    {
        private readonly uint timeout;

        internal StopOperation(RenderingSession session, uint timeout)
            : base(session)
        {
            this.timeout = timeout;
        }

        protected override int Start(ulong id, IntPtr* operation, arr_error_info* error)
        {
            return Native.arr_session_stop_start(Session.Handle.Value, id, operation, timeout, error);
        }

        /// <summary>
        /// A stop cancelled before it is sent is never sent, so a second stop takes over first. That fails if the session's
        /// object is disposed or its client is shutting down.
        /// </summary>
        protected override bool MayBeCancelled()
        {
            return SessionHandle.StartStop(Session.Handle.Value);
        }

        protected override int Take(IntPtr operation, out StopResult result, arr_error_info* error)
        {
            int alreadyGone = 0;
            int status = Native.arr_operation_get_stop(operation, &alreadyGone, error);
            result = status == Native.ARR_OK ? new StopResult(alreadyGone != 0) : null;
            return status;
        }
    }
}
