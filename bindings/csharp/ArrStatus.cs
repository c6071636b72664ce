namespace ArrSession
{
    /// <summary>
    /// Why a call failed. Expect values that are not listed here: a newer library may have them, and they are kept as they
    /// are. <see cref="ArrException.Category"/> sorts those too.
    /// </summary>
    public enum ArrStatus
    {
        /// <summary>Success.</summary>
        Ok = Native.ARR_OK,
        /// <summary>An argument is missing, malformed or out of range. Nothing was sent.</summary>
        InvalidArgument = Native.ARR_ERROR_INVALID_ARGUMENT,
        /// <summary>A handle is freed: told as <see cref="System.ObjectDisposedException"/>.</summary>
        InvalidHandle = Native.ARR_ERROR_INVALID_HANDLE,
        /// <summary>A buffer is too small. These sources ask again with a larger one.</summary>
        BufferTooSmall = Native.ARR_ERROR_BUFFER_TOO_SMALL,
        /// <summary>A value that the loaded library does not know.</summary>
        Unsupported = Native.ARR_ERROR_UNSUPPORTED,
        /// <summary>The client was disposed or shut down.</summary>
        ShutDown = Native.ARR_ERROR_SHUT_DOWN,
        /// <summary>The given time, or the time for one request, ran out. Calling again is fine.</summary>
        Timeout = Native.ARR_ERROR_TIMEOUT,
        /// <summary>The operation was cancelled: told as a cancelled task.</summary>
        Cancelled = Native.ARR_ERROR_CANCELLED,
        /// <summary>The operation has not ended yet.</summary>
        Pending = Native.ARR_ERROR_PENDING,
        /// <summary>The service refused the account key or the token (401).</summary>
        Unauthorized = Native.ARR_ERROR_UNAUTHORIZED,
        /// <summary>The credential is good but may not do this (403); or a proxy wants another user.</summary>
        Forbidden = Native.ARR_ERROR_FORBIDDEN,
        /// <summary>The token service answered with something that is no usable token.</summary>
        InvalidToken = Native.ARR_ERROR_INVALID_TOKEN,
        /// <summary>The connection could not be made, or broke.</summary>
        Network = Native.ARR_ERROR_NETWORK,
        /// <summary>The host name could not be resolved.</summary>
        NameResolution = Native.ARR_ERROR_NAME_RESOLUTION,
        /// <summary>No secure connection: most often a certificate that is not trusted.</summary>
        Tls = Native.ARR_ERROR_TLS,
        /// <summary>The service refused the request as malformed (400, or another 4xx).</summary>
        BadRequest = Native.ARR_ERROR_BAD_REQUEST,
        /// <summary>The service does not know the session (404).</summary>
        NotFound = Native.ARR_ERROR_NOT_FOUND,
        /// <summary>The session as it is does not allow the request (409, 422), or its id is in use (409).</summary>
        Conflict = Native.ARR_ERROR_CONFLICT,
        /// <summary>Too many requests (429): see <see cref="ArrException.RetryAfter"/>.</summary>
        Throttled = Native.ARR_ERROR_THROTTLED,
        /// <summary>The service failed (5xx).</summary>
        ServiceFailure = Native.ARR_ERROR_SERVICE_FAILURE,
        /// <summary>The reply was not what the service is documented to send.</summary>
        UnexpectedReply = Native.ARR_ERROR_UNEXPECTED_REPLY,
        /// <summary>
        /// A create was sent and its answer was lost: a session may be running, and costing, under an id that is not known
        /// (REST v1), or that the message names (2021-01-01).
        /// </summary>
        OutcomeUnknown = Native.ARR_ERROR_OUTCOME_UNKNOWN,
        /// <summary>The session was stopped, or its lease ran out, while it was waited for.</summary>
        SessionEnded = Native.ARR_ERROR_SESSION_ENDED,
        /// <summary>The session failed. The message is the service's.</summary>
        SessionFailed = Native.ARR_ERROR_SESSION_FAILED,
        /// <summary>The journal's file could not be read or written. A create that could not be noted was not sent.</summary>
        Storage = Native.ARR_ERROR_STORAGE,
        /// <summary>A defect of the native library: report it.</summary>
        Internal = Native.ARR_ERROR_INTERNAL,
    }

    /// <summary>What kind of thing to do about a failure.</summary>
    public enum ArrCategory
    {
        /// <summary>A status that is in no group.</summary>
        Other = Native.ARR_CATEGORY_OTHER,
        /// <summary>Success.</summary>
        Ok = Native.ARR_CATEGORY_OK,
        /// <summary>The call is wrong: mend the program.</summary>
        Usage = Native.ARR_CATEGORY_USAGE,
        /// <summary>The call was ended by time, by shutdown or by the caller; or has not ended.</summary>
        Ended = Native.ARR_CATEGORY_ENDED,
        /// <summary>The credential: ask the user, or whoever set it up.</summary>
        Authentication = Native.ARR_CATEGORY_AUTHENTICATION,
        /// <summary>The network: try again later.</summary>
        Network = Native.ARR_CATEGORY_NETWORK,
        /// <summary>The service's answer.</summary>
        Service = Native.ARR_CATEGORY_SERVICE,
        /// <summary>What became of the session: create another.</summary>
        Session = Native.ARR_CATEGORY_SESSION,
        /// <summary>This machine's disk: free space, or give another path.</summary>
        Storage = Native.ARR_CATEGORY_STORAGE,
        /// <summary>A defect of the native library: report it.</summary>
        Internal = Native.ARR_CATEGORY_INTERNAL,
    }
}
