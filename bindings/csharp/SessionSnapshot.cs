using System;

namespace ArrSession
{
    /// <summary>
    /// A session's current values at the time of the call: see <see cref="RenderingSession.GetSnapshot"/>.
    /// </summary>
    public readonly struct SessionSnapshot
    {
        internal SessionSnapshot(in arr_snapshot native)
        {
            Status = (SessionStatus)native.status;
            Size = (SessionSize)native.size;
            ArrInspectorPort = native.arr_inspector_port;
            HandshakePort = native.handshake_port;
            MaxLease = Durations.FromSeconds(native.max_lease_seconds);
            Elapsed = Durations.FromSeconds(native.elapsed_seconds);
            Remaining = Durations.FromSeconds(native.remaining_seconds);
            Age = Durations.FromMilliseconds(native.age_ms);
            StartingFor = Durations.FromMilliseconds(native.starting_for_ms);
            Revision = (long)native.revision;
        }

        /// <summary>The session's state.</summary>
        public SessionStatus Status { get; }

        /// <summary>The server's size.</summary>
        public SessionSize Size { get; }

        /// <summary>The host's port for the rendering connection's handshake; 0 if there is none.</summary>
        public int HandshakePort { get; }

        /// <summary>The host's port for the ARR inspector, the service's diagnostic web page; 0 if there is none.</summary>
        public int ArrInspectorPort { get; }

        /// <summary>The total lease, counted from the moment the session became ready; zero if unknown.</summary>
        public TimeSpan MaxLease { get; }

        /// <summary>
        /// How much of the lease is used: the last reply, advanced by the time since while the session is ready.
        /// </summary>
        public TimeSpan Elapsed { get; }

        /// <summary>What is left of the lease; zero if unknown.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>How old the last reply is.</summary>
        public TimeSpan Age { get; }

        /// <summary>
        /// How long the session has been starting: since this client created it, or first read it as starting. Zero if it
        /// is not starting.
        /// </summary>
        public TimeSpan StartingFor { get; }

        /// <summary>
        /// Changes when anything but a time changes: then <see cref="RenderingSession.GetProperties"/> with
        /// <see cref="ReadMode.Known"/> has new strings.
        /// </summary>
        public long Revision { get; }
    }
}
