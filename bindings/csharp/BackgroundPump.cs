using System;
using System.Runtime.CompilerServices;
using System.Threading;

namespace ArrSession
{
    /// <summary>
    /// The pump's thread for applications without a loop. While it waits in native code it does not reference its client,
    /// so that an abandoned client can be collected, which ends the thread.
    /// </summary>
    internal sealed class BackgroundPump
    {
        // The end of the client ends the native wait. Slices are for what native code does not report: a log line, the
        // client's collection, and a domain unload, which has to end its threads first.
        private const uint SliceMs = 100;

        private readonly WeakReference<ArrClient> client;
        private readonly ClientHandle handle;
        private readonly Thread thread;

        internal BackgroundPump(ArrClient client)
        {
            this.client = new WeakReference<ArrClient>(client);
            handle = client.Handle;
            thread = new Thread(Run) { Name = "arr-pump", IsBackground = true };
        }

        internal void Start()
        {
            thread.Start();
        }

        /// <summary>Waits until the last handler has returned; the client has been freed.</summary>
        internal void AwaitItsEnd()
        {
            if (Thread.CurrentThread != thread)
            {
                thread.Join();
            }
        }

        private unsafe void Run()
        {
            arr_event native = Blank.Event;
            int status;
            do
            {
                status = Native.arr_client_next_event(handle.Value, &native, SliceMs, null);
            }
            while ((status == Native.ARR_OK || status == Native.ARR_ERROR_TIMEOUT)
                && PumpFarDown(&native, status == Native.ARR_OK));
        }

        /// <summary>
        /// Mono scans stacks conservatively, including what earlier calls left there. So the client is only touched far
        /// below the frames of the native wait.
        /// </summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private unsafe bool PumpFarDown(arr_event* native, bool hasEvent)
        {
            byte* between = stackalloc byte[32 * 1024];
            between[0] = hasEvent ? (byte)1 : (byte)0;
            return Pump(native, between[0] != 0);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private unsafe bool Pump(arr_event* native, bool hasEvent)
        {
            ArrClient found;
            if (!client.TryGetTarget(out found))
            {
                return false;
            }
            found.PumpInBackground(native, hasEvent);
            return !found.IsDisposed;
        }
    }
}
