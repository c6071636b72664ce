using System;
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
                && PumpClient(&native, status == Native.ARR_OK));
        }

        /// <summary>A method of its own, so that no reference to the client is left on the stack while it waits.</summary>
        private unsafe bool PumpClient(arr_event* native, bool hasEvent)
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
