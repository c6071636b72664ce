using System;

namespace ArrSession
{
    /// <summary>
    /// A call of the native library failed. <see cref="Exception.Message"/> says what happened and what to do now; it holds no
    /// key and no token.
    /// </summary>
    public class ArrException : Exception
    {
        internal unsafe ArrException(arr_error_info* error)
            : base(Utf8.Decode(error->message, 512))
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

        /// <summary>Why.</summary>
        public ArrStatus Status { get; }

        /// <summary>The name of the status in the C header, for example "ARR_ERROR_TIMEOUT": what to search for.</summary>
        public unsafe string StatusName
        {
            get { return Utf8.Decode(Native.arr_status_name((int)Status), 64); }
        }

        /// <summary>What kind of thing to do about it.</summary>
        public ArrCategory Category { get; }

        /// <summary>The HTTP status of the service's reply; 0 if there was none.</summary>
        public int HttpStatus { get; }

        /// <summary>How long the service asks to wait before the next request; null if it did not say.</summary>
        public TimeSpan? RetryAfter { get; }

        /// <summary>Whether the same call may succeed later without any change.</summary>
        public bool IsRetryable { get; }

        /// <summary>
        /// Whether the service may have done what was asked although the call failed: it was sent, it was not just to read, and
        /// there was no clear answer.
        /// </summary>
        public bool OutcomeUnknown { get; }

        /// <summary>The service's own error code, for example "BadRequest"; empty if it gave none.</summary>
        public string ServiceCode { get; }

        /// <summary>
        /// The reply's MS-CV, by which the service's operators find the request; empty if there was no reply.
        /// </summary>
        public string CorrelationVector { get; }

        /// <summary>With the status, the HTTP status and the MS-CV, for a log.</summary>
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

        /// <summary>
        /// What a status is in C#. A handle that native no longer knows was disposed while the call was made.
        /// </summary>
        internal static unsafe Exception From(arr_error_info* error, string owner)
        {
            if (error->status == Native.ARR_ERROR_INVALID_HANDLE)
            {
                return new ObjectDisposedException(owner);
            }
            return new ArrException(error);
        }

        /// <summary>Throws unless the call has succeeded.</summary>
        internal static unsafe void ThrowIfFailed(int status, arr_error_info* error, string owner)
        {
            if (status != Native.ARR_OK)
            {
                throw From(error, owner);
            }
        }
    }

    /// <summary>
    /// The session that was waited for never becomes ready: it was stopped, its lease ran out, or it failed.
    /// </summary>
    public sealed class ArrSessionEndedException : ArrException
    {
        internal unsafe ArrSessionEndedException(arr_error_info* error, SessionProperties properties)
            : base(error)
        {
            Properties = properties;
        }

        /// <summary>The session as the service described it last.</summary>
        public SessionProperties Properties { get; }
    }

    /// <summary>Some sessions could not be stopped, and may be running. The message is about the first of them.</summary>
    public sealed class ArrStopAllException : ArrException
    {
        internal unsafe ArrStopAllException(arr_error_info* error, StopAllResult result)
            : base(error)
        {
            Result = result;
        }

        /// <summary>How many were stopped, and how many were not.</summary>
        public StopAllResult Result { get; }

        /// <summary>One of these if some could not be stopped; else what failed before that, such as the list.</summary>
        internal static unsafe Exception From(arr_error_info* error, StopAllResult result)
        {
            return result.Failed > 0 ? new ArrStopAllException(error, result) : From(error, "ArrClient");
        }
    }
}
