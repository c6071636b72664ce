using System;

namespace ArrSession
{
    /// <summary>Where a session is in its life. Expect values that are not listed here.</summary>
    public enum SessionStatus
    {
        /// <summary>The service named a status that the library does not know. It is not final.</summary>
        Unknown = Native.ARR_SESSION_STATUS_UNKNOWN,
        /// <summary>A server is being found and started, which takes seconds to minutes and costs nothing yet.</summary>
        Starting = Native.ARR_SESSION_STATUS_STARTING,
        /// <summary>The server runs, and costs, whether or not anybody is connected to it.</summary>
        Ready = Native.ARR_SESSION_STATUS_READY,
        /// <summary>The session was stopped. Final.</summary>
        Stopped = Native.ARR_SESSION_STATUS_STOPPED,
        /// <summary>The lease ran out. Final.</summary>
        Expired = Native.ARR_SESSION_STATUS_EXPIRED,
        /// <summary>The session failed; the message tells why. Final.</summary>
        Error = Native.ARR_SESSION_STATUS_ERROR,
        /// <summary>The session was stopped and its server is being given back.</summary>
        Stopping = Native.ARR_SESSION_STATUS_STOPPING,
    }

    /// <summary>The size of a rendering server. Expect values that are not listed here.</summary>
    public enum SessionSize
    {
        /// <summary>The service did not say, or named a size that the library does not know.</summary>
        Unknown = Native.ARR_SESSION_SIZE_UNKNOWN,
        /// <summary>Up to 20 million primitives.</summary>
        Standard = Native.ARR_SESSION_SIZE_STANDARD,
        /// <summary>No fixed limit.</summary>
        Premium = Native.ARR_SESSION_SIZE_PREMIUM,
    }

    /// <summary>How certain it is that a session that was found again is ours.</summary>
    public enum SessionClaim
    {
        /// <summary>Nothing is claimed.</summary>
        None = Native.ARR_CLAIM_NONE,
        /// <summary>An earlier run has chosen or received its id: it is ours.</summary>
        Ours = Native.ARR_CLAIM_OURS,
        /// <summary>
        /// An earlier run has lost the answer to a create, and this session may be what came of it. It may as well be somebody
        /// else's.
        /// </summary>
        Candidate = Native.ARR_CLAIM_CANDIDATE,
    }

    /// <summary>How new what is read must be.</summary>
    public enum ReadMode
    {
        /// <summary>Ask the service.</summary>
        Fresh = (int)Native.ARR_READ_FRESH,
        /// <summary>
        /// What the service said less than a poll interval ago will do, and costs no request; <see cref="SessionProperties.Age"/>
        /// tells how old it is. After an update or a stop by this client the service is asked.
        /// </summary>
        Cached = (int)Native.ARR_READ_CACHED,
        /// <summary>What the service said last will do, however old it is. Nothing is sent, and nothing waits.</summary>
        Known = (int)Native.ARR_READ_KNOWN,
    }

    /// <summary>What is known of a session. It does not change: read again for news.</summary>
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

        /// <summary>The host that renders; empty while the session is not ready.</summary>
        public string Hostname { get; }

        /// <summary>Where it is in its life.</summary>
        public SessionStatus Status { get; }

        /// <summary>The size of its server.</summary>
        public SessionSize Size { get; }

        /// <summary>The port of the ARR inspector on the host; 0 if there is none.</summary>
        public int ArrInspectorPort { get; }

        /// <summary>The port of the rendering connection's handshake on the host; 0 if there is none.</summary>
        public int HandshakePort { get; }

        /// <summary>The whole lease, counted from when the session became ready; zero if the service did not say.</summary>
        public TimeSpan MaxLease { get; }

        /// <summary>
        /// How much of it is used; zero also if the service did not say. In whole minutes with REST 2021-01-01.
        /// </summary>
        public TimeSpan Elapsed { get; }

        /// <summary>How much of it was left when the service answered.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>How long ago the service said all this, when this was read: zero for what was just read.</summary>
        public TimeSpan Age { get; }

        /// <summary>Whether this client created or opened the session.</summary>
        public bool KnownToClient { get; }

        /// <summary>Of a recovered session: how certain it is that it is ours; else none.</summary>
        public SessionClaim Claim { get; }

        /// <summary>When it was created, by the service's clock, UTC; null with REST v1.</summary>
        public DateTime? CreationTime { get; }

        /// <summary>The computing power of its server; null until it has one, and with REST v1.</summary>
        public double? Teraflops { get; }

        /// <summary>The service's code for why it failed; empty with REST v1.</summary>
        public string ErrorCode { get; }

        /// <summary>
        /// Why it failed or ended, where the service says so, cut to 511 bytes; else empty.
        /// <see cref="RenderingSession.GetMessage"/> gives all of it.
        /// </summary>
        public string Message { get; }
    }
}
