using System;
using System.Threading;
using System.Threading.Tasks;

namespace ArrSession
{
    /// <summary>
    /// An operation that native carries out, and the task that somebody awaits meanwhile. It is ended exactly once, by who has
    /// claimed it: the pump, when native says that it has ended; or the end of the client.
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

        /// <summary>Once it is started.</summary>
        internal OperationHandle Handle { get; private set; }

        /// <summary>What its event carries.</summary>
        internal ulong Id { get; private set; }

        /// <summary>The name of who is disposed, if native does not know its handle.</summary>
        protected virtual string Owner
        {
            get { return "ArrClient"; }
        }

        internal abstract bool IsOver { get; }

        /// <summary>Starts it; native returns at once. The status is about starting.</summary>
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
        /// From now on the token cancels it: natively, at once. The task ends when the pump hears of it.
        /// </summary>
        /// <exception cref="ObjectDisposedException">The token's source is disposed; the operation is cancelled.</exception>
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
                // The caller gets no task that would tell him what comes of it.
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
        /// Sees to it that what must not be lost goes on without this operation. False if it cannot: then it goes on, and its task
        /// ends with it.
        /// </summary>
        protected virtual bool MayBeCancelled()
        {
            return true;
        }

        /// <summary>Whether native still carries it out.</summary>
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
        /// The client is about to be shut down, after which it stops nothing any more. So what creates a session ends now: it has
        /// created one, which its task brings while that can still be stopped, or native stops what it creates.
        /// </summary>
        internal void EndCreating()
        {
            EndCreating(Handle.Value);
            GC.KeepAlive(Handle);
        }

        protected virtual void EndCreating(IntPtr operation)
        {
        }

        /// <summary>True for one caller only, who then ends it.</summary>
        internal bool TryClaim()
        {
            return Interlocked.Exchange(ref claimed, 1) == 0;
        }

        /// <summary>
        /// Waits until who has claimed it has completed its task. Nobody's code runs in between, so this is over at once.
        /// </summary>
        internal void AwaitItsEnd()
        {
            SpinWait spin = new SpinWait();
            while (!IsOver)
            {
                spin.SpinOnce();
            }
        }

        /// <summary>Claimed: ends it as native says.</summary>
        internal void End()
        {
            EndWith(Handle.Value);
            GC.KeepAlive(Handle);
        }

        /// <summary>
        /// Claimed, and its client is about to be freed: nobody hears of its result any more. A session that it has just created
        /// is stopped; one that it is creating is stopped by native. A stop goes on.
        /// </summary>
        internal void Abandon()
        {
            GiveBack(Handle.Value);
            Release();
        }

        /// <summary>Completes the task as cancelled: by the token, if that was cancelled.</summary>
        internal abstract void CompleteAsCancelled();

        protected abstract void EndWith(IntPtr operation);

        /// <summary>Stops the session that the operation has created, if it has.</summary>
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

        /// <summary>Frees the operation; the token has nothing to cancel any more.</summary>
        protected void Release()
        {
            CancellationTokenRegistration made;
            lock (gate)
            {
                over = true;
                made = registration;
                registration = default(CancellationTokenRegistration);
            }
            // Waits for a cancelling that is under way, which does nothing but call native.
            made.Dispose();
            Handle.Dispose();
        }
    }

    /// <summary>An operation that brings a result.</summary>
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

        /// <summary>Takes what the operation has brought, if it has succeeded.</summary>
        protected abstract int Take(IntPtr operation, out T result, arr_error_info* error);

        /// <summary>What a failure is in C#.</summary>
        protected virtual Exception Describe(arr_error_info* error)
        {
            return ArrException.From(error, Owner);
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
