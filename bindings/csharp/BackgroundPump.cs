using System;
using System.Runtime.CompilerServices;
using System.Threading;

namespace ArrSession
{
    /// <summary>
    /// The thread that pulls events where the application has no loop. It waits inside native, with no hold on its client, so that
    /// a client that nobody holds any more is collected, which ends the thread.
    /// </summary>
    internal sealed class BackgroundPump
    {
        // Native ends the wait with the client. The slices are for what it cannot know: that the log has a line, that the client is
        // collected, that the domain is unloaded, which first has to end its threads.
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

        /// <summary>The client is freed, so it is over as soon as the last handler has returned.</summary>
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
        /// Mono takes every word on a stack for a reference, also what earlier calls have left there. So the client is touched far
        /// below of where the native wait has its frames.
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
