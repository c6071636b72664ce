using System;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <summary>
    /// A native operation and its task. Completed exactly once, by the thread that claims it: the pump, when the operation
    /// has ended, or the one that ends the client.
    /// </summary>
    internal abstract unsafe class PendingOperation
    {
        private static readonly Action<object> CancelOne = Cancel;

        private readonly object gate = new object();
        private CancellationToken token;
        private CancellationTokenRegistration registration;
        private int claimed;
        private bool over;

        protected PendingOperation(ArrClient client)
        {
            Client = client;
        }

        protected ArrClient Client { get; }

        /// <summary>Set once started.</summary>
        internal OperationHandle Handle { get; private set; }

        /// <summary>The method that the application called. Set once started.</summary>
        internal string Method { get; set; }

        /// <summary>The number that its event carries.</summary>
        internal ulong Id { get; private set; }

        /// <summary>The class to name in an ObjectDisposedException.</summary>
        internal virtual string Owner
        {
            get { return "ArrClient"; }
        }

        internal abstract bool IsOver { get; }

        /// <summary>Starts the operation; native code returns at once. The status is that of starting.</summary>
        internal int Start(ulong id, arr_error_info* error)
        {
            IntPtr native = IntPtr.Zero;
            Id = id;
            int status = Start(id, &native, error);
            if (status == Native.ARR_OK)
            {
                Handle = new OperationHandle(native, Client.Handle);
            }
            return status;
        }

        protected abstract int Start(ulong id, IntPtr* operation, arr_error_info* error);

        /// <summary>
        /// Lets the token cancel the native operation at once. The task is completed when the pump receives the event.
        /// </summary>
        /// <exception cref="ObjectDisposedException">The token's source is disposed. The operation is cancelled.</exception>
        internal void ObeyTo(CancellationToken token)
        {
            if (!token.CanBeCanceled)
            {
                return;
            }
            this.token = token;
            CancellationTokenRegistration made;
            try
            {
                made = token.Register(CancelOne, this, false);
            }
            catch (ObjectDisposedException)
            {
                // The caller gets no task, so the operation must not continue.
                CancelNatively();
                throw;
            }
            lock (gate)
            {
                if (!over)
                {
                    registration = made;
                    return;
                }
            }
            made.Dispose();
        }

        private static void Cancel(object operation)
        {
            ((PendingOperation)operation).CancelNatively();
        }

        private void CancelNatively()
        {
            if (IsRunning && MayBeCancelled())
            {
                Native.arr_operation_cancel(Handle.Value, null);
            }
            GC.KeepAlive(Handle);
        }

        /// <summary>
        /// Called before cancelling. Starts a replacement for work that must not be lost; false if that fails, in which
        /// case this operation is not cancelled.
        /// </summary>
        protected virtual bool MayBeCancelled()
        {
            return true;
        }

        /// <summary>Whether the native operation is still running.</summary>
        internal bool IsRunning
        {
            get
            {
                int state;
                int status = Native.arr_operation_poll(Handle.Value, &state, null);
                GC.KeepAlive(Handle);
                return status == Native.ARR_OK && state == Native.ARR_OPERATION_RUNNING;
            }
        }

        /// <summary>
        /// Called before the client shuts down, after which it can stop nothing. Ends a pending create: either the session
        /// exists, and its task returns it while it can still be stopped, or native code stops what it creates.
        /// </summary>
        internal void EndCreating()
        {
            EndCreating(Handle.Value);
            GC.KeepAlive(Handle);
        }

        protected virtual void EndCreating(IntPtr operation)
        {
        }

        /// <summary>True for exactly one caller, which must then complete the operation.</summary>
        internal bool TryClaim()
        {
            return Interlocked.Exchange(ref claimed, 1) == 0;
        }

        /// <summary>
        /// Waits until the claiming thread has completed the task. No application code runs in between, so spinning suffices.
        /// </summary>
        internal void AwaitItsEnd()
        {
            SpinWait spin = new SpinWait();
            while (!IsOver)
            {
                spin.SpinOnce();
            }
        }

        /// <summary>After a claim: completes the task with the native result.</summary>
        internal void End()
        {
            EndWith(Handle.Value);
            GC.KeepAlive(Handle);
        }

        /// <summary>
        /// After a claim, before the client is freed: discards the result. Stops a session that was just created; native
        /// code stops one that is being created. A stop continues.
        /// </summary>
        internal void Abandon()
        {
            GiveBack(Handle.Value);
            Release();
        }

        /// <summary>Cancels the task, with its token if that was cancelled.</summary>
        internal abstract void CompleteAsCancelled();

        protected abstract void EndWith(IntPtr operation);

        /// <summary>Stops the session that the operation created, if any.</summary>
        protected virtual void GiveBack(IntPtr operation)
        {
        }

        protected bool IsCancelledByToken
        {
            get { return token.IsCancellationRequested; }
        }

        protected CancellationToken Token
        {
            get { return token; }
        }

        /// <summary>Frees the operation and unregisters from the token.</summary>
        protected void Release()
        {
            CancellationTokenRegistration made;
            lock (gate)
            {
                over = true;
                made = registration;
                registration = default(CancellationTokenRegistration);
            }
            // Waits for a concurrent cancellation, which only calls native code.
            made.Dispose();
            Handle.Dispose();
        }
    }

    /// <summary>An operation with a result.</summary>
    internal abstract unsafe class PendingOperation<T> : PendingOperation
    {
        // Continuations run where the task is completed: on the pump's thread.
        private readonly TaskCompletionSource<T> source = new TaskCompletionSource<T>();

        protected PendingOperation(ArrClient client)
            : base(client)
        {
        }

        internal Task<T> Task
        {
            get { return source.Task; }
        }

        internal override bool IsOver
        {
            get { return source.Task.IsCompleted; }
        }

        /// <summary>Reads the result, if the operation succeeded.</summary>
        protected abstract int Take(IntPtr operation, out T result, arr_error_info* error);

        /// <summary>The exception for a failure.</summary>
        protected virtual Exception Describe(arr_error_info* error)
        {
            return ArrException.From(error, Owner, Method);
        }

        protected override void EndWith(IntPtr operation)
        {
            arr_error_info error = Blank.Error;
            T result = default(T);
            Exception failure = null;
            bool cancelled = false;
            try
            {
                int status = Take(operation, out result, &error);
                cancelled = status == Native.ARR_ERROR_CANCELLED || status == Native.ARR_ERROR_SHUT_DOWN;
                if (status != Native.ARR_OK && !cancelled)
                {
                    failure = Describe(&error);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
            Release();
            if (failure != null)
            {
                source.TrySetException(failure);
            }
            else if (cancelled)
            {
                CompleteAsCancelled();
            }
            else
            {
                source.TrySetResult(result);
            }
        }

        internal override void CompleteAsCancelled()
        {
            if (IsCancelledByToken)
            {
                source.TrySetCanceled(Token);
            }
            else
            {
                source.TrySetCanceled();
            }
        }
    }
}
