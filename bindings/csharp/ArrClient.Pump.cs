using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace ArrSession
{
    /// <content>Delivery of native events and log lines to the application.</content>
    public sealed partial class ArrClient
    {
        // The native queue's length.
        private const int MostLogLines = 512;

        private int pumping;
        // Not its ManagedThreadId, which is reused once the thread is collected.
        private volatile Thread pumpThread;
        // Exceptions that handlers threw during this pump while UnhandledException had no handler. Null if none.
        private List<Exception> thrown;

        /// <summary>Raised for watched sessions and for the client itself, on the pump's thread.</summary>
        public event Action<ArrEvent> EventReceived;

        /// <summary>
        /// Raised for each log line up to <see cref="ArrClientOptions.LogLevel"/>, on the pump's thread. Without a handler
        /// the last 512 lines are kept.
        /// </summary>
        public event Action<ArrLogEntry> LogReceived;

        /// <summary>
        /// Raised when a handler of one of the events threw. Without a handler here, <see cref="Pump"/> rethrows the
        /// exception after delivering everything else; on a background pump's thread that ends the process.
        /// </summary>
        public event Action<Exception> UnhandledException;

        /// <summary>
        /// Completes tasks and raises events for everything that has happened since the last call. Call it once a frame,
        /// always from the same thread. Never blocks.
        /// </summary>
        /// <remarks>
        /// <para>
        /// Code awaiting a task runs inside this call. The first call makes its thread the pump's thread; a call from
        /// another thread moves it.
        /// </para>
        /// <para>
        /// If nothing has happened, it allocates nothing and makes one native call, or two if the log is on and has a handler.
        /// </para>
        /// </remarks>
        /// <returns>
        /// The number of events and log lines delivered. 0 if another call is in progress, on another thread or further up
        /// this one's stack, and with <see cref="PumpMode.Background"/>.
        /// </returns>
        /// <exception cref="Exception">A handler threw, and <see cref="UnhandledException"/> has no handler.</exception>
        public unsafe int Pump()
        {
            ThrowIfDisposed();
            if (background != null || Interlocked.CompareExchange(ref pumping, 1, 0) != 0)
            {
                return 0;
            }
            int count;
            List<Exception> all;
            try
            {
                pumpThread = Thread.CurrentThread;
                arr_event native = Blank.Event;
                count = PumpLog();
                count += DeliverAll(&native, NextEvent(&native));
                all = TakeThrown();
            }
            finally
            {
                Volatile.Write(ref pumping, 0);
            }
            Throw(all);
            return count;
        }

        /// <summary>Delivers on the background pump's thread, beginning with the event it waited for.</summary>
        internal unsafe void PumpInBackground(arr_event* native, bool hasEvent)
        {
            pumpThread = Thread.CurrentThread;
            PumpLog();
            DeliverAll(native, hasEvent);
            Throw(TakeThrown());
        }

        /// <summary>
        /// Throws on the pump's thread, where a blocking call would wait for events that only this thread delivers.
        /// </summary>
        internal void RefuseOnPumpThread(string method, string alternative)
        {
            if (pumpThread == Thread.CurrentThread)
            {
                throw new InvalidOperationException(
                    method + " blocks, and this thread pumps the client's events. Use " + alternative
                    + ", or call it from another thread.");
            }
        }

        private unsafe bool NextEvent(arr_event* native)
        {
            int status = Native.arr_client_next_event(handle.Value, native, 0, null);
            if (status == Native.ARR_OK)
            {
                return true;
            }
            // INVALID_HANDLE: a handler or another thread disposed the client.
            if (status != Native.ARR_ERROR_TIMEOUT && status != Native.ARR_ERROR_SHUT_DOWN
                && status != Native.ARR_ERROR_INVALID_HANDLE)
            {
                arr_error_info error = Blank.Error;
                status = Native.arr_client_next_event(handle.Value, native, 0, &error);
                ArrException.ThrowIfFailed(status, &error, Name, "Pump");
                return true;
            }
            return false;
        }

        private unsafe int PumpLog()
        {
            if (!logs || LogReceived == null)
            {
                return 0;
            }
            int count = 0;
            arr_log_entry native = Blank.LogEntry;
            // Bounded, because handlers may log too.
            while (count < MostLogLines && Native.arr_client_next_log(handle.Value, &native, 0, null) == Native.ARR_OK)
            {
                count++;
                Raise(LogReceived, new ArrLogEntry(&native));
            }
            return count;
        }

        /// <summary>
        /// Delivers the events of operations started before this call. Of those started by handlers and awaiting code
        /// meanwhile, it delivers at most one, so that it terminates even if each of them ends at once and starts another.
        /// </summary>
        private unsafe int DeliverAll(arr_event* native, bool hasEvent)
        {
            ulong lastBefore = Volatile.Read(ref lastId);
            int count = 0;
            while (hasEvent)
            {
                Deliver(native);
                count++;
                hasEvent = native->user_data <= lastBefore && NextEvent(native);
            }
            return count;
        }

        private unsafe void Deliver(arr_event* native)
        {
            if (native->type == Native.ARR_EVENT_OPERATION_ENDED)
            {
                PendingOperation operation = FindPending(native->user_data);
                if (operation != null)
                {
                    End(operation);
                }
                return;
            }
            RenderingSession session = FindWatched(native->user_data);
            ArrEvent e = new ArrEvent(native, session);
            Raise(EventReceived, e);
            if (session != null)
            {
                Raise(session.Handlers, e);
            }
        }

        /// <summary>Calls every handler, even after one has thrown.</summary>
        private void Raise<T>(Action<T> handlers, T value)
        {
            if (handlers == null)
            {
                return;
            }
            foreach (Delegate handler in handlers.GetInvocationList())
            {
                try
                {
                    ((Action<T>)handler)(value);
                }
                catch (Exception e)
                {
                    Report(e);
                }
            }
        }

        private void Report(Exception e)
        {
            Action<Exception> listeners = UnhandledException;
            if (listeners != null)
            {
                try
                {
                    listeners(e);
                    return;
                }
                catch (Exception another)
                {
                    e = another;
                }
            }
            if (thrown == null)
            {
                thrown = new List<Exception>();
            }
            thrown.Add(e);
        }

        private List<Exception> TakeThrown()
        {
            List<Exception> all = thrown;
            thrown = null;
            return all;
        }

        private static void Throw(List<Exception> all)
        {
            if (all == null)
            {
                return;
            }
            if (all.Count > 1)
            {
                throw new AggregateException("Several event handlers threw an exception.", all);
            }
            ExceptionDispatchInfo.Capture(all[0]).Throw();
        }
    }
}
