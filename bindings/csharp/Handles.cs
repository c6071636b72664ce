using System;
using System.Runtime.InteropServices;

namespace ArrSession
{
    /// <summary>
    /// A native handle, which is freed exactly once: by Dispose, or by a finalizer. Freeing never waits.
    /// </summary>
    /// <remarks>
    /// The value of a native handle is looked up, never followed: one that is freed while another thread uses it is answered by
    /// an error. So a call needs no count of users, which would put off the freeing of a client in which somebody waits; it
    /// only has to keep the object alive (GC.KeepAlive) until the call is over, so that no finalizer frees it meanwhile.
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

        /// <summary>Stays what it was after the handle is freed.</summary>
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
        // A child keeps its parent: no finalizer ends the client of a session that somebody holds.
        private readonly ClientHandle client;

        /// <summary>
        /// Whether the session is watched by this handle: then its client holds it, and if it is collected so is its client. The
        /// one whose end is to stop the session has to end first, and a collector has an order of its own: Unity's another
        /// than Mono's.
        /// </summary>
        internal volatile bool IsWatched;

        internal SessionHandle(IntPtr value, ClientHandle client)
            : base(value)
        {
            this.client = client;
        }

        /// <summary>Starts a stop that goes on by itself, whatever becomes of the session's handle and its client.</summary>
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
