using System;
using System.Runtime.InteropServices;

namespace ArrSession
{
    /// <summary>
    /// A native handle, freed exactly once by Dispose or by a finalizer. Freeing never blocks.
    /// </summary>
    /// <remarks>
    /// Native code looks handles up and never follows them, so a call with a handle that another thread frees returns an
    /// error. Calls therefore need no reference count, which would delay the freeing of a client that a thread waits in.
    /// They only keep the object alive (GC.KeepAlive) until they return, so that no finalizer frees it meanwhile.
    /// </remarks>
    internal abstract class NativeHandle : SafeHandle
    {
        protected NativeHandle(IntPtr value)
            : base(IntPtr.Zero, true)
        {
            SetHandle(value);
        }

        public override bool IsInvalid
        {
            get { return handle == IntPtr.Zero; }
        }

        /// <summary>Keeps its value after the handle is freed.</summary>
        internal IntPtr Value
        {
            get { return handle; }
        }
    }

    internal sealed class ClientHandle : NativeHandle
    {
        internal ClientHandle(IntPtr value)
            : base(value)
        {
        }

        protected override bool ReleaseHandle()
        {
            Native.arr_client_free(handle);
            return true;
        }
    }

    internal sealed class SessionHandle : NativeHandle
    {
        // Keeps the parent alive: no finalizer ends the client of a session that is still referenced.
        private readonly ClientHandle client;

        /// <summary>
        /// Whether this handle watches the session. Its client then references it, so both are collected together. The
        /// client must be freed first, to keep StopOnShutdown's promise, but the order of finalizers is undefined: Unity's
        /// differs from Mono's.
        /// </summary>
        internal volatile bool IsWatched;

        internal SessionHandle(IntPtr value, ClientHandle client)
            : base(value)
        {
            this.client = client;
        }

        /// <summary>Starts a stop that continues after the session's handle and its client are freed.</summary>
        internal static unsafe bool StartStop(IntPtr session)
        {
            IntPtr operation = IntPtr.Zero;
            if (Native.arr_session_stop_start(session, 0, &operation, Native.ARR_TIMEOUT_DEFAULT, null) != Native.ARR_OK)
            {
                return false;
            }
            Native.arr_operation_free(operation);
            return true;
        }

        protected override bool ReleaseHandle()
        {
            if (IsWatched)
            {
                client.Dispose();
            }
            Native.arr_session_free(handle);
            GC.KeepAlive(client);
            return true;
        }
    }

    internal sealed class OperationHandle : NativeHandle
    {
        private readonly ClientHandle client;

        internal OperationHandle(IntPtr value, ClientHandle client)
            : base(value)
        {
            this.client = client;
        }

        protected override bool ReleaseHandle()
        {
            Native.arr_operation_free(handle);
            GC.KeepAlive(client);
            return true;
        }
    }

    internal sealed class SessionListHandle : NativeHandle
    {
        internal SessionListHandle(IntPtr value)
            : base(value)
        {
        }

        protected override bool ReleaseHandle()
        {
            Native.arr_session_list_free(handle);
            return true;
        }
    }
}
