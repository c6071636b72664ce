using System;

namespace ArrSession
{
    /// <summary>A session in numbers, as it is now: see <see cref="RenderingSession.GetSnapshot"/>.</summary>
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
            Revision = (long)native.revision;
        }

        /// <summary>Where it is in its life.</summary>
        public SessionStatus Status { get; }

        /// <summary>The size of its server.</summary>
        public SessionSize Size { get; }

        /// <summary>The port of the rendering connection's handshake on the host; 0 if there is none.</summary>
        public int HandshakePort { get; }

        /// <summary>The port of the ARR inspector on the host; 0 if there is none.</summary>
        public int ArrInspectorPort { get; }

        /// <summary>The whole lease, counted from when the session became ready; zero if it is not known.</summary>
        public TimeSpan MaxLease { get; }

        /// <summary>
        /// How much of it is used by now: what the service said, and the time since, while the session is ready.
        /// </summary>
        public TimeSpan Elapsed { get; }

        /// <summary>What is left of it by now; zero if the lease is not known.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>How long ago the service told this.</summary>
        public TimeSpan Age { get; }

        /// <summary>
        /// Counts what has changed besides the time. When it is another than in the last frame,
        /// <see cref="RenderingSession.GetProperties"/> with <see cref="ReadMode.Known"/> has new texts.
        /// </summary>
        public long Revision { get; }
    }
}
