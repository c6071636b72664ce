using System;

namespace ArrSession
{
    /// <summary>What happened. Open enum: a newer library may report other values.</summary>
    public enum ArrEventType
    {
        /// <summary>No event.</summary>
        None = Native.ARR_EVENT_NONE,
        /// <summary>An operation has ended. Never raised: its task is completed instead.</summary>
        OperationEnded = Native.ARR_EVENT_OPERATION_ENDED,
        /// <summary>A watched session has a new <see cref="ArrEvent.SessionStatus"/>.</summary>
        SessionStatusChanged = Native.ARR_EVENT_SESSION_STATUS_CHANGED,
        /// <summary>Keep-alive extended the lease; a poll has confirmed it.</summary>
        LeaseExtended = Native.ARR_EVENT_LEASE_EXTENDED,
        /// <summary>The lease of a watched session ends in <see cref="ArrEvent.Remaining"/>.</summary>
        LeaseExpiring = Native.ARR_EVENT_LEASE_EXPIRING,
        /// <summary>
        /// Keep-alive could not extend the lease; <see cref="ArrEvent.Status"/> says why, and it tries again.
        /// <see cref="ArrStatus.UnexpectedReply"/> has two meanings. If <see cref="ArrEvent.MaxLease"/> is not zero: the
        /// service accepted the longer lease, but a read shows that the lease has not grown. If it is zero: the service
        /// has never reported the lease, so keep-alive cannot extend it until
        /// <see cref="RenderingSession.UpdateLeaseAsync"/> has set it.
        /// </summary>
        LeaseNotExtended = Native.ARR_EVENT_LEASE_NOT_EXTENDED,
        /// <summary>
        /// The lease has grown to <see cref="KeepAliveOptions.Cap"/>; keep-alive does not extend it further.
        /// </summary>
        LeaseCapReached = Native.ARR_EVENT_LEASE_CAP_REACHED,
        /// <summary>
        /// Keep-alive has paused: the application has neither pulled events nor called <see cref="RenderingSession.Touch"/>
        /// for <see cref="KeepAliveOptions.Liveness"/>. It resumes when the application does either.
        /// </summary>
        KeepAlivePaused = Native.ARR_EVENT_KEEP_ALIVE_PAUSED,
        /// <summary>
        /// The application's token is about to expire or was refused. Supply a new one with <see cref="ArrClient.SetToken"/>.
        /// </summary>
        TokenNeeded = Native.ARR_EVENT_TOKEN_NEEDED,
        /// <summary>
        /// The machine slept, or <see cref="ArrClient.Resume"/> was called, and the watched sessions have been polled since.
        /// </summary>
        Resumed = Native.ARR_EVENT_RESUMED,
        /// <summary>
        /// The reply to an Async create was lost, and session <see cref="ArrEvent.SessionId"/> may be the result. There is one
        /// event per candidate (<see cref="ArrEvent.Index"/> of <see cref="ArrEvent.Count"/>), or a single event with a count
        /// of 0. The library stops none of the candidates. If the only candidate may also be the result of another lost
        /// create, two events come, each with a count of 2: the second has no SessionId and stands for the possibility that
        /// this create made none. With a count of 0: if <see cref="ArrEvent.Status"/> is Ok, no session matches yet;
        /// otherwise the sessions could not be determined.
        /// </summary>
        CreateLost = Native.ARR_EVENT_CREATE_LOST,
        /// <summary>
        /// A create was cancelled after it had created <see cref="ArrEvent.SessionId"/>. Stopping that session failed, so it
        /// may be running.
        /// </summary>
        SessionLeftRunning = Native.ARR_EVENT_SESSION_LEFT_RUNNING,
        /// <summary>
        /// All polls of a watched session have failed for two poll intervals or a minute, whichever is longer.
        /// <see cref="ArrEvent.Status"/> is the latest reason; <see cref="SessionSnapshot.Age"/> is the age of the last
        /// reply. Polling continues.
        /// </summary>
        ReadsFailing = Native.ARR_EVENT_READS_FAILING,
        /// <summary>A poll succeeded after <see cref="ReadsFailing"/>.</summary>
        ReadsRecovered = Native.ARR_EVENT_READS_RECOVERED,
        /// <summary>
        /// A watched session is still starting 15 minutes or more after this client first knew of it
        /// (<see cref="SessionSnapshot.StartingFor"/>). Sessions usually take less than 3 minutes. It may still become
        /// ready.
        /// </summary>
        StartingLong = Native.ARR_EVENT_STARTING_LONG,
    }

    /// <summary>An event, reported by <see cref="ArrClient.EventReceived"/>.</summary>
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

        /// <summary>The session the event is about: the object that watches it. Null if there is none.</summary>
        public RenderingSession Session { get; }

        /// <summary>The id of the session the event is about; empty if there is none.</summary>
        public string SessionId { get; }

        /// <summary>Ok, or why something failed. The log has details.</summary>
        public ArrStatus Status { get; }

        /// <summary>The session's current status, for events about a watched session.</summary>
        public SessionStatus SessionStatus { get; }

        /// <summary>The session's current total lease.</summary>
        public TimeSpan MaxLease { get; }

        /// <summary>What is left of the lease.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>This event's position among <see cref="Count"/> events that belong together, from 0.</summary>
        public int Index { get; }

        /// <summary>The number of events that belong together; 0 if this one stands alone.</summary>
        public int Count { get; }

        /// <summary>
        /// How many <see cref="ArrEventType.CreateLost"/> and <see cref="ArrEventType.SessionLeftRunning"/> events were
        /// dropped before this one, because they were not pulled in time.
        /// </summary>
        public long Lost { get; }

        /// <summary>The type and the session's id, for a log.</summary>
        public override string ToString()
        {
            return Type + (string.IsNullOrEmpty(SessionId) ? "" : " of " + SessionId);
        }
    }

    /// <summary>A line of the log, reported by <see cref="ArrClient.LogReceived"/>.</summary>
    public readonly struct ArrLogEntry
    {
        internal unsafe ArrLogEntry(arr_log_entry* native)
        {
            Level = (ArrLogLevel)native->level;
            Time = Durations.FromUnix(native->unix_time_ms);
            Message = Messages.WithNames(Utf8.Decode(native->message, 512));
            CorrelationVector = Utf8.Decode(native->correlation_vector, 128);
            Lost = (long)native->lost;
        }

        /// <summary>The line's level.</summary>
        public ArrLogLevel Level { get; }

        /// <summary>When it was written, in UTC.</summary>
        public DateTime Time { get; }

        /// <summary>The text, cut to 511 bytes. Contains no key, token or body.</summary>
        public string Message { get; }

        /// <summary>The MS-CV of the reply the line is about; empty if there is none.</summary>
        public string CorrelationVector { get; }

        /// <summary>How many lines were dropped before this one, because they were not pulled in time.</summary>
        public long Lost { get; }

        /// <summary>The level and the text.</summary>
        public override string ToString()
        {
            return Level + ": " + Message;
        }
    }
}
