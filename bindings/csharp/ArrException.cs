using System;
using System.Runtime.CompilerServices;

namespace ArrSession
{
    /// <summary>
    /// A call of the native library failed. <see cref="Exception.Message"/> begins with the method that was called, and
    /// says what happened and what to do, with the option names used in C#. It contains no key and no token.
    /// </summary>
    public class ArrException : Exception
    {
        internal unsafe ArrException(arr_error_info* error, string owner, string method)
            : base(Messages.OfError(TextOf(error), owner, method))
        {
            Status = (ArrStatus)error->status;
            Category = (ArrCategory)error->category;
            HttpStatus = error->http_status;
            if (error->retry_after_ms != 0)
            {
                RetryAfter = Durations.FromMilliseconds(error->retry_after_ms);
            }
            IsRetryable = error->retryable != 0;
            OutcomeUnknown = error->outcome_unknown != 0;
            ServiceCode = Utf8.Decode(error->service_code, 64);
            CorrelationVector = Utf8.Decode(error->correlation_vector, 128);
        }

        /// <summary>Why the call failed.</summary>
        public ArrStatus Status { get; }

        /// <summary>The status as the C header names it, for example "ARR_ERROR_TIMEOUT": a term to search for.</summary>
        public unsafe string StatusName
        {
            get { return Utf8.Decode(Native.arr_status_name((int)Status), 64); }
        }

        /// <summary>The group of the status: what kind of response it calls for.</summary>
        public ArrCategory Category { get; }

        /// <summary>The HTTP status of the service's reply; 0 if there was none.</summary>
        public int HttpStatus { get; }

        /// <summary>The delay that the service asks for before the next request; null if it asks for none.</summary>
        public TimeSpan? RetryAfter { get; }

        /// <summary>Whether the same call may succeed later, unchanged.</summary>
        public bool IsRetryable { get; }

        /// <summary>
        /// Whether the service may have carried the request out even though the call failed: it was sent, it was not just a
        /// read, and there was no clear reply.
        /// </summary>
        public bool OutcomeUnknown { get; }

        /// <summary>The service's own error code, for example "BadRequest"; empty if it gave none.</summary>
        public string ServiceCode { get; }

        /// <summary>
        /// The reply's MS-CV, with which the service's operators find the request; empty if there was no reply.
        /// </summary>
        public string CorrelationVector { get; }

        /// <summary>The exception with its status, HTTP status and MS-CV, for a log.</summary>
        public override string ToString()
        {
            string details = StatusName;
            if (HttpStatus != 0)
            {
                details += ", HTTP " + HttpStatus;
            }
            if (CorrelationVector.Length != 0)
            {
                details += ", MS-CV " + CorrelationVector;
            }
            return base.ToString() + Environment.NewLine + "   (" + details + ")";
        }

        /// <summary>Calls without an error info have no message; the status name stands in.</summary>
        private static unsafe string TextOf(arr_error_info* error)
        {
            return error->message[0] != 0
                ? Utf8.Decode(error->message, 512)
                : Utf8.Decode(Native.arr_status_name(error->status), 64);
        }

        /// <summary>
        /// The exception for a native error. A handle unknown to native code was disposed during the call.
        /// </summary>
        /// <param name="error">The native error.</param>
        /// <param name="owner">The class of the called method.</param>
        /// <param name="method">The called method.</param>
        internal static unsafe Exception From(
            arr_error_info* error, string owner, [CallerMemberName] string method = null)
        {
            if (error->status == Native.ARR_ERROR_INVALID_HANDLE)
            {
                return new ObjectDisposedException(owner);
            }
            return new ArrException(error, owner, method);
        }

        /// <summary>Throws if the call failed.</summary>
        internal static unsafe void ThrowIfFailed(
            int status, arr_error_info* error, string owner, [CallerMemberName] string method = null)
        {
            if (status != Native.ARR_OK)
            {
                throw From(error, owner, method);
            }
        }
    }

    /// <summary>
    /// Thrown by a wait for a session that will never be ready: it was stopped, its lease ended, or it failed.
    /// </summary>
    public sealed class ArrSessionEndedException : ArrException
    {
        internal unsafe ArrSessionEndedException(arr_error_info* error, SessionProperties properties, string method)
            : base(error, "RenderingSession", method)
        {
            Properties = properties;
        }

        /// <summary>The session's properties from the last reply.</summary>
        public SessionProperties Properties { get; }
    }

    /// <summary>Some sessions could not be stopped and may be running. The message is about the first of them.</summary>
    public sealed class ArrStopAllException : ArrException
    {
        private unsafe ArrStopAllException(arr_error_info* error, StopAllResult result, string method)
            : base(error, "ArrClient", method)
        {
            Result = result;
        }

        /// <summary>How many sessions were stopped, and how many were not.</summary>
        public StopAllResult Result { get; }

        /// <summary>An ArrStopAllException if stops failed, else the earlier failure, for example of the list.</summary>
        internal static unsafe Exception From(
            arr_error_info* error, StopAllResult result, [CallerMemberName] string method = null)
        {
            return result.Failed > 0
                ? new ArrStopAllException(error, result, method)
                : From(error, "ArrClient", method);
        }
    }
}
