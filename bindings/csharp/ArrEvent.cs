using System;

namespace ArrSession
{
    /// <summary>What happened. Expect values that are not listed here.</summary>
    public enum ArrEventType
    {
        /// <summary>Nothing.</summary>
        None = Native.ARR_EVENT_NONE,
        /// <summary>A started operation has ended. Never raised: its task is completed instead.</summary>
        OperationEnded = Native.ARR_EVENT_OPERATION_ENDED,
        /// <summary>A session that is watched has another status.</summary>
        SessionStatusChanged = Native.ARR_EVENT_SESSION_STATUS_CHANGED,
        /// <summary>A session that is kept alive has got a longer lease.</summary>
        LeaseExtended = Native.ARR_EVENT_LEASE_EXTENDED,
        /// <summary>The lease of a session that is watched ends in <see cref="ArrEvent.Remaining"/>.</summary>
        LeaseExpiring = Native.ARR_EVENT_LEASE_EXPIRING,
        /// <summary>
        /// The lease of a session that is kept alive could not be extended: <see cref="ArrEvent.Status"/> tells why. It is tried
        /// again.
        /// </summary>
        LeaseNotExtended = Native.ARR_EVENT_LEASE_NOT_EXTENDED,
        /// <summary>
        /// The lease of a session that is kept alive has grown to its cap, and is not extended any more.
        /// </summary>
        LeaseCapReached = Native.ARR_EVENT_LEASE_CAP_REACHED,
        /// <summary>
        /// The application has neither pulled events nor called <see cref="RenderingSession.Touch"/> for
        /// <see cref="KeepAliveOptions.Liveness"/>: the lease is not extended until it does.
        /// </summary>
        KeepAlivePaused = Native.ARR_EVENT_KEEP_ALIVE_PAUSED,
        /// <summary>
        /// The token that the application gave runs out or was refused: give a new one by <see cref="ArrClient.SetToken"/>.
        /// </summary>
        TokenNeeded = Native.ARR_EVENT_TOKEN_NEEDED,
        /// <summary>
        /// The machine slept, or <see cref="ArrClient.Resume"/> was called, and everything was read anew by now.
        /// </summary>
        Resumed = Native.ARR_EVENT_RESUMED,
        /// <summary>
        /// The answer to a create was lost; <see cref="ArrEvent.SessionId"/> is a session that may have come of it, one event for
        /// each (<see cref="ArrEvent.Index"/> of <see cref="ArrEvent.Count"/>). It is not stopped: that is the application's
        /// decision. A count of 0: there is none, or, if <see cref="ArrEvent.Status"/> is not Ok, nobody knows.
        /// </summary>
        CreateLost = Native.ARR_EVENT_CREATE_LOST,
        /// <summary>
        /// A create was cancelled after it had made <see cref="ArrEvent.SessionId"/>, which could not be stopped: it may be
        /// running.
        /// </summary>
        SessionLeftRunning = Native.ARR_EVENT_SESSION_LEFT_RUNNING,
    }

    /// <summary>Something that happened, told by <see cref="ArrClient.EventReceived"/>.</summary>
    public readonly struct ArrEvent
    {
        internal unsafe ArrEvent(arr_event* native, RenderingSession session)
        {
            Type = (ArrEventType)native->type;
            Session = session;
            SessionId = session != null ? session.Id : Utf8.Decode(native->session_id, 257);
            Status = (ArrStatus)native->status;
            SessionStatus = (SessionStatus)native->session_status;
            MaxLease = Durations.FromSeconds(native->max_lease_seconds);
            Remaining = Durations.FromSeconds(native->remaining_seconds);
            Index = (int)native->index;
            Count = (int)native->count;
            Lost = (long)native->lost;
        }

        /// <summary>What happened.</summary>
        public ArrEventType Type { get; }

        /// <summary>The session that it is about: the object that is watched. Null if there is none.</summary>
        public RenderingSession Session { get; }

        /// <summary>The id of the session that it is about; empty if there is none.</summary>
        public string SessionId { get; }

        /// <summary>Ok, or why something failed; the log tells more.</summary>
        public ArrStatus Status { get; }

        /// <summary>The session's status as it is now, for events about a session that is watched.</summary>
        public SessionStatus SessionStatus { get; }

        /// <summary>Its whole lease, as it is now.</summary>
        public TimeSpan MaxLease { get; }

        /// <summary>How much of it is left now.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>Of several events that belong together: which one this is, from 0.</summary>
        public int Index { get; }

        /// <summary>How many they are.</summary>
        public int Count { get; }

        /// <summary>
        /// How many events without a session's object were lost before this one, because nobody pulled them in time.
        /// </summary>
        public long Lost { get; }

        /// <summary>For a log.</summary>
        public override string ToString()
        {
            return Type + (string.IsNullOrEmpty(SessionId) ? "" : " of " + SessionId);
        }
    }

    /// <summary>A line of the log, told by <see cref="ArrClient.LogReceived"/>.</summary>
    public readonly struct ArrLogEntry
    {
        internal unsafe ArrLogEntry(arr_log_entry* native)
        {
            Level = (ArrLogLevel)native->level;
            Time = Durations.FromUnix(native->unix_time_ms);
            Message = Utf8.Decode(native->message, 512);
            CorrelationVector = Utf8.Decode(native->correlation_vector, 128);
            Lost = (long)native->lost;
        }

        /// <summary>How important it is.</summary>
        public ArrLogLevel Level { get; }

        /// <summary>When it was written, UTC.</summary>
        public DateTime Time { get; }

        /// <summary>What happened, cut to 511 bytes. Holds no key, no token and no body.</summary>
        public string Message { get; }

        /// <summary>The MS-CV of the reply that it is about; empty if there is none.</summary>
        public string CorrelationVector { get; }

        /// <summary>How many lines were lost before this one, because nobody pulled them in time.</summary>
        public long Lost { get; }

        /// <summary>For a log.</summary>
        public override string ToString()
        {
            return Level + ": " + Message;
        }
    }
}
