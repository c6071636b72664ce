namespace ArrSession
{
    /// <summary>
    /// Why a call failed. Open enum: a newer library may return other values, which are passed through.
    /// <see cref="ArrException.Category"/> groups those too.
    /// </summary>
    public enum ArrStatus
    {
        /// <summary>Success.</summary>
        Ok = Native.ARR_OK,
        /// <summary>An argument is missing, malformed or out of range. Nothing was sent.</summary>
        InvalidArgument = Native.ARR_ERROR_INVALID_ARGUMENT,
        /// <summary>A handle was freed. Thrown as <see cref="System.ObjectDisposedException"/>.</summary>
        InvalidHandle = Native.ARR_ERROR_INVALID_HANDLE,
        /// <summary>A buffer is too small. Handled internally: the call is repeated with a larger one.</summary>
        BufferTooSmall = Native.ARR_ERROR_BUFFER_TOO_SMALL,
        /// <summary>The loaded library does not support a value.</summary>
        Unsupported = Native.ARR_ERROR_UNSUPPORTED,
        /// <summary>This process was forked from the one that created the client. Nothing was done.</summary>
        Forked = Native.ARR_ERROR_FORKED,
        /// <summary>The client was disposed or shut down.</summary>
        ShutDown = Native.ARR_ERROR_SHUT_DOWN,
        /// <summary>The call's or the request's time ran out. It can be called again.</summary>
        Timeout = Native.ARR_ERROR_TIMEOUT,
        /// <summary>The operation was cancelled. Surfaces as a cancelled task.</summary>
        Cancelled = Native.ARR_ERROR_CANCELLED,
        /// <summary>The operation has not ended yet.</summary>
        Pending = Native.ARR_ERROR_PENDING,
        /// <summary>The service refused the account key or the token (401).</summary>
        Unauthorized = Native.ARR_ERROR_UNAUTHORIZED,
        /// <summary>
        /// The credential is valid but not allowed to do this (403), or a proxy refuses the user or the host.
        /// </summary>
        Forbidden = Native.ARR_ERROR_FORBIDDEN,
        /// <summary>The token service's reply contains no usable token.</summary>
        InvalidToken = Native.ARR_ERROR_INVALID_TOKEN,
        /// <summary>The connection failed or broke.</summary>
        Network = Native.ARR_ERROR_NETWORK,
        /// <summary>The host name could not be resolved.</summary>
        NameResolution = Native.ARR_ERROR_NAME_RESOLUTION,
        /// <summary>No secure connection, usually because a certificate is not trusted.</summary>
        Tls = Native.ARR_ERROR_TLS,
        /// <summary>The service rejected the request as malformed (400, or another 4xx).</summary>
        BadRequest = Native.ARR_ERROR_BAD_REQUEST,
        /// <summary>The service does not know the session (404).</summary>
        NotFound = Native.ARR_ERROR_NOT_FOUND,
        /// <summary>The session's state does not allow the request (409, 422), or its id is in use (409).</summary>
        Conflict = Native.ARR_ERROR_CONFLICT,
        /// <summary>Too many requests (429): see <see cref="ArrException.RetryAfter"/>.</summary>
        Throttled = Native.ARR_ERROR_THROTTLED,
        /// <summary>The service failed (5xx).</summary>
        ServiceFailure = Native.ARR_ERROR_SERVICE_FAILURE,
        /// <summary>The reply differs from what the service is documented to send.</summary>
        UnexpectedReply = Native.ARR_ERROR_UNEXPECTED_REPLY,
        /// <summary>
        /// The reply to a create was lost. A session may be running, and costing money; with REST v1 its id is unknown,
        /// with 2021-01-01 the message names it.
        /// </summary>
        OutcomeUnknown = Native.ARR_ERROR_OUTCOME_UNKNOWN,
        /// <summary>
        /// The service is running as many sessions as it can (429 with the code ServiceFull). A create is retried for as
        /// long as its time allows.
        /// </summary>
        ServiceFull = Native.ARR_ERROR_SERVICE_FULL,
        /// <summary>The session was stopped, or its lease ended, during the wait.</summary>
        SessionEnded = Native.ARR_ERROR_SESSION_ENDED,
        /// <summary>The session failed. The message is the service's.</summary>
        SessionFailed = Native.ARR_ERROR_SESSION_FAILED,
        /// <summary>The journal could not be read or written. A create that could not be recorded was not sent.</summary>
        Storage = Native.ARR_ERROR_STORAGE,
        /// <summary>
        /// The machine or the process ran out of a resource: no thread could be started, no file or socket opened, or all
        /// handles are in use. Nothing was sent. Free some, and call again.
        /// </summary>
        OutOfResources = Native.ARR_ERROR_OUT_OF_RESOURCES,
        /// <summary>A bug in the native library: please report it.</summary>
        Internal = Native.ARR_ERROR_INTERNAL,
    }

    /// <summary>Groups of statuses, by what to do about the failure.</summary>
    public enum ArrCategory
    {
        /// <summary>A status that is in no group.</summary>
        Other = Native.ARR_CATEGORY_OTHER,
        /// <summary>Success.</summary>
        Ok = Native.ARR_CATEGORY_OK,
        /// <summary>The call is wrong: fix the program.</summary>
        Usage = Native.ARR_CATEGORY_USAGE,
        /// <summary>The call timed out, was cancelled or shut down, or has not ended.</summary>
        Ended = Native.ARR_CATEGORY_ENDED,
        /// <summary>The credential: ask the user or the administrator.</summary>
        Authentication = Native.ARR_CATEGORY_AUTHENTICATION,
        /// <summary>The network: try again later.</summary>
        Network = Native.ARR_CATEGORY_NETWORK,
        /// <summary>The service refused or failed: see the status.</summary>
        Service = Native.ARR_CATEGORY_SERVICE,
        /// <summary>The session has ended: create another.</summary>
        Session = Native.ARR_CATEGORY_SESSION,
        /// <summary>The disk: free space, or choose another path.</summary>
        Storage = Native.ARR_CATEGORY_STORAGE,
        /// <summary>Threads, files, sockets or handles: free some, and try again.</summary>
        Resources = Native.ARR_CATEGORY_RESOURCES,
        /// <summary>A bug in the native library: please report it.</summary>
        Internal = Native.ARR_CATEGORY_INTERNAL,
    }
}
