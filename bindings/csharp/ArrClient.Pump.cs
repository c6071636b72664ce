using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace ArrSession
{
    /// <content>How what native has to tell reaches the application.</content>
    public sealed partial class ArrClient
    {
        // As many as native keeps.
        private const int MostLogLines = 512;

        private int pumping;
        // Not its number, which the system gives to another thread once this one is collected.
        private volatile Thread pumpThread;
        // What handlers have thrown during this pump, for which nobody listens. Null as long as there is none.
        private List<Exception> thrown;

        /// <summary>
        /// What happens to watched sessions, and to the client itself. Raised by the pump, on its thread.
        /// </summary>
        public event Action<ArrEvent> EventReceived;

        /// <summary>
        /// The library's log, as much as <see cref="ArrClientOptions.LogLevel"/> asks for. Raised by the pump, on its thread. While
        /// nobody listens the last 512 lines are kept.
        /// </summary>
        public event Action<ArrLogEntry> LogReceived;

        /// <summary>
        /// A handler of one of the events has thrown this. If nobody listens, <see cref="Pump"/> throws it after everything else
        /// is delivered; a background pump's thread does, which ends the process, as what any thread throws.
        /// </summary>
        public event Action<Exception> UnhandledException;

        /// <summary>
        /// Pulls what has happened: completes tasks, with what awaits them, and raises events, on this thread. Never blocks. Call
        /// it once a frame, always from the same thread, which is the pump's thread from the first call on; a later call from
        /// another thread moves it. If nothing has happened it allocates nothing and makes one native call, and one for the log if
        /// that is on and heard.
        /// </summary>
        /// <returns>
        /// How many events and log lines there were. 0 also while another call is under way, which this one may be nested in, and
        /// with <see cref="PumpMode.Background"/>.
        /// </returns>
        /// <exception cref="Exception">What a handler has thrown, if nobody listens to
        /// <see cref="UnhandledException"/>.</exception>
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

        /// <summary>What the background pump does with what it has waited for, on its thread.</summary>
        internal unsafe void PumpInBackground(arr_event* native, bool hasEvent)
        {
            pumpThread = Thread.CurrentThread;
            PumpLog();
            DeliverAll(native, hasEvent);
            Throw(TakeThrown());
        }

        /// <summary>Refuses what would keep the pump's own thread from pumping.</summary>
        internal void RefuseOnPumpThread(string method, string twin)
        {
            if (pumpThread == Thread.CurrentThread)
            {
                throw new InvalidOperationException(
                    method + " would block the thread that pumps this client's events, and with it everything that is awaited"
                    + " there. Use " + twin + ", or call it from another thread.");
            }
        }

        private unsafe bool NextEvent(arr_event* native)
        {
            int status = Native.arr_client_next_event(handle.Value, native, 0, null);
            if (status == Native.ARR_OK)
            {
                return true;
            }
            // Freed: a handler, or another thread, has disposed the client.
            if (status != Native.ARR_ERROR_TIMEOUT && status != Native.ARR_ERROR_SHUT_DOWN
                && status != Native.ARR_ERROR_INVALID_HANDLE)
            {
                arr_error_info error = Blank.Error;
                status = Native.arr_client_next_event(handle.Value, native, 0, &error);
                ArrException.ThrowIfFailed(status, &error, Name);
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
            // No more than there can have been: what handlers call may log too.
            while (count < MostLogLines && Native.arr_client_next_log(handle.Value, &native, 0, null) == Native.ARR_OK)
            {
                count++;
                Raise(LogReceived, new ArrLogEntry(&native));
            }
            return count;
        }

        /// <summary>
        /// Delivers what had happened before. What handlers and awaiting code begin meanwhile is, but for one event, for the next
        /// time: so this ends also if that is over at once, again and again.
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

        /// <summary>Calls each handler, also if one before it throws.</summary>
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
                throw new AggregateException("several handlers of events have thrown", all);
            }
            ExceptionDispatchInfo.Capture(all[0]).Throw();
        }
    }
}
