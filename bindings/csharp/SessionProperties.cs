using System;

namespace ArrSession
{
    /// <summary>A session's state. Open enum: a newer library may return other values.</summary>
    public enum SessionStatus
    {
        /// <summary>The service reported a status that the library does not know. Not final.</summary>
        Unknown = Native.ARR_SESSION_STATUS_UNKNOWN,
        /// <summary>The service is finding and starting a server. Takes seconds to minutes, and costs nothing yet.</summary>
        Starting = Native.ARR_SESSION_STATUS_STARTING,
        /// <summary>The server is running and costs money, whether or not a renderer is connected.</summary>
        Ready = Native.ARR_SESSION_STATUS_READY,
        /// <summary>The session was stopped. Final.</summary>
        Stopped = Native.ARR_SESSION_STATUS_STOPPED,
        /// <summary>The lease ended. Final.</summary>
        Expired = Native.ARR_SESSION_STATUS_EXPIRED,
        /// <summary>The session failed; its message says why. Final.</summary>
        Error = Native.ARR_SESSION_STATUS_ERROR,
        /// <summary>The session was stopped; its server is being released.</summary>
        Stopping = Native.ARR_SESSION_STATUS_STOPPING,
    }

    /// <summary>A server's size. Open enum: a newer library may return other values.</summary>
    public enum SessionSize
    {
        /// <summary>The service reported no size, or one that the library does not know.</summary>
        Unknown = Native.ARR_SESSION_SIZE_UNKNOWN,
        /// <summary>Up to 20 million primitives.</summary>
        Standard = Native.ARR_SESSION_SIZE_STANDARD,
        /// <summary>No fixed limit.</summary>
        Premium = Native.ARR_SESSION_SIZE_PREMIUM,
    }

    /// <summary>How certain it is that a recovered session is yours.</summary>
    public enum SessionClaim
    {
        /// <summary>Not a recovered session.</summary>
        None = Native.ARR_CLAIM_NONE,
        /// <summary>An earlier run chose or received its id: it is yours.</summary>
        Ours = Native.ARR_CLAIM_OURS,
        /// <summary>
        /// An earlier run lost the reply to a create, and this session may be the result: its time and settings match. It
        /// may also be someone else's.
        /// </summary>
        Candidate = Native.ARR_CLAIM_CANDIDATE,
        /// <summary>
        /// An earlier run lost the reply to a create. This session is the only one that can be the result, and cannot be that
        /// of another lost create of this process or in the journal. It may still be someone else's, if the create had no effect.
        /// </summary>
        OnlyCandidate = Native.ARR_CLAIM_ONLY_CANDIDATE,
    }

    /// <summary>How recent the properties must be.</summary>
    public enum ReadMode
    {
        /// <summary>Ask the service.</summary>
        Fresh = (int)Native.ARR_READ_FRESH,
        /// <summary>
        /// Use the last reply if it is younger than the poll interval, else ask the service.
        /// <see cref="SessionProperties.Age"/> says how old it is. After an update or a stop by this client, the service is
        /// asked.
        /// </summary>
        Cached = (int)Native.ARR_READ_CACHED,
        /// <summary>Use the last reply, however old. Sends nothing and does not block.</summary>
        Known = (int)Native.ARR_READ_KNOWN,
    }

    /// <summary>A session's properties at one time. They do not change: read again for new ones.</summary>
    public sealed class SessionProperties
    {
        internal unsafe SessionProperties(arr_session_properties* native)
        {
            SessionId = Utf8.Decode(native->session_id, 257);
            Hostname = Utf8.Decode(native->hostname, 256);
            Status = (SessionStatus)native->status;
            Size = (SessionSize)native->size;
            ArrInspectorPort = native->arr_inspector_port;
            HandshakePort = native->handshake_port;
            MaxLease = Durations.FromSeconds(native->max_lease_seconds);
            Elapsed = Durations.FromSeconds(native->elapsed_seconds);
            Remaining = Durations.FromSeconds(native->remaining_seconds);
            Age = Durations.FromMilliseconds(native->age_ms);
            KnownToClient = native->known_to_client != 0;
            Claim = (SessionClaim)native->claim;
            if (native->creation_time_unix_ms != 0)
            {
                CreationTime = Durations.FromUnix(native->creation_time_unix_ms);
            }
            if (native->teraflops != 0)
            {
                Teraflops = native->teraflops;
            }
            ErrorCode = Utf8.Decode(native->error_code, 64);
            Message = Utf8.Decode(native->message, 512);
        }

        /// <summary>The session's id.</summary>
        public string SessionId { get; }

        /// <summary>The host that renders; empty until the session is ready.</summary>
        public string Hostname { get; }

        /// <summary>The session's state.</summary>
        public SessionStatus Status { get; }

        /// <summary>The server's size.</summary>
        public SessionSize Size { get; }

        /// <summary>The host's port for the ARR inspector, the service's diagnostic web page; 0 if there is none.</summary>
        public int ArrInspectorPort { get; }

        /// <summary>The host's port for the rendering connection's handshake; 0 if there is none.</summary>
        public int HandshakePort { get; }

        /// <summary>
        /// The total lease, counted from the moment the session became ready; zero if the service did not report it.
        /// </summary>
        public TimeSpan MaxLease { get; }

        /// <summary>
        /// How much of the lease is used; zero if the service did not report it. In properties from
        /// <see cref="ArrClient.ListSessionsAsync"/>, this is what the service reported (whole minutes with REST 2021-01-01).
        /// In all other properties, the time since that report is added while the session is ready, as in
        /// <see cref="SessionSnapshot"/>.
        /// </summary>
        public TimeSpan Elapsed { get; }

        /// <summary>What was left of the lease when the call or its task ended.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>How old the service's reply was; zero if it was just received.</summary>
        public TimeSpan Age { get; }

        /// <summary>Whether this client created or opened the session.</summary>
        public bool KnownToClient { get; }

        /// <summary>How certain it is that a recovered session is yours.</summary>
        public SessionClaim Claim { get; }

        /// <summary>When the session was created, by the service's clock, in UTC; null with REST v1.</summary>
        public DateTime? CreationTime { get; }

        /// <summary>The server's computing power; null until it has a server, and with REST v1.</summary>
        public double? Teraflops { get; }

        /// <summary>The service's error code for a failed session; empty with REST v1.</summary>
        public string ErrorCode { get; }

        /// <summary>
        /// Why the session failed or ended, if the service said so; cut to 511 bytes.
        /// <see cref="RenderingSession.GetMessage"/> returns all of it.
        /// </summary>
        public string Message { get; }
    }
}
