using System;

namespace ArrSession
{
    /// <summary>What <see cref="ArrClient.Suspend"/> does with a watched session.</summary>
    public enum SuspendAction
    {
        /// <summary>Nothing. The session keeps running, and its lease may end meanwhile.</summary>
        Leave = Native.ARR_ON_SUSPEND_LEAVE,
        /// <summary>
        /// Extends the lease if less than <see cref="WatchOptions.SuspendLease"/> is left. Sent once; the result is not
        /// confirmed by a poll.
        /// </summary>
        Extend = Native.ARR_ON_SUSPEND_EXTEND,
        /// <summary>Stops the session.</summary>
        Stop = Native.ARR_ON_SUSPEND_STOP,
    }

    /// <summary>How a session is watched. Durations are rounded up to whole seconds.</summary>
    public sealed class WatchOptions
    {
        /// <summary>
        /// How long before the lease ends <see cref="ArrEventType.LeaseExpiring"/> is raised. Default 5 minutes; zero: never.
        /// </summary>
        public TimeSpan WarnBefore { get; set; } = TimeSpan.FromMinutes(5);

        /// <summary>
        /// Whether shutting down or disposing the client stops the session. Applies only while this object watches: if the
        /// session's object is disposed first, the session keeps running. Default false.
        /// </summary>
        public bool StopOnShutdown { get; set; }

        /// <summary>
        /// What <see cref="ArrClient.Suspend"/> does with the session. Default <see cref="SuspendAction.Leave"/>.
        /// </summary>
        public SuspendAction OnSuspend { get; set; } = SuspendAction.Leave;

        /// <summary>
        /// With <see cref="SuspendAction.Extend"/>: the lease is extended if less than this is left, so that this much is
        /// left, but not beyond <see cref="KeepAliveOptions.Cap"/>. Default 10 minutes.
        /// </summary>
        public TimeSpan SuspendLease { get; set; } = TimeSpan.FromMinutes(10);

        internal unsafe void Fill(arr_watch_options* options)
        {
            *options = Blank.WatchOptions;
            options->warn_before_seconds = Durations.Seconds(WarnBefore, "WarnBefore");
            options->stop_on_shutdown = StopOnShutdown ? 1 : 0;
            options->on_suspend = (int)OnSuspend;
            options->suspend_lease_seconds = Durations.Seconds(SuspendLease, "SuspendLease");
        }
    }

    /// <summary>
    /// How a session is kept alive. <see cref="Cap"/> is required. Durations are rounded up to whole seconds.
    /// </summary>
    public sealed class KeepAliveOptions
    {
        /// <summary>Extend when less than this is left of the lease. 1 s to 365 days; default 5 minutes. Smaller values
        /// are raised to 2 minutes with REST 2021-01-01, and to 2 s with REST v1.</summary>
        public TimeSpan Threshold { get; set; } = TimeSpan.FromMinutes(5);

        /// <summary>
        /// How much to extend by. 1 s to 365 days; default 15 minutes. Extensions are at least
        /// <see cref="ArrClientOptions.ReadyPollInterval"/> or a minute apart, whichever is shorter; if the amount would not
        /// last until the next, a multiple of it is requested.
        /// </summary>
        public TimeSpan Amount { get; set; } = TimeSpan.FromMinutes(15);

        /// <summary>
        /// The limit of the total lease. 1 s to 365 days. Required, because it bounds what the session can
        /// cost.
        /// </summary>
        public TimeSpan Cap { get; set; }

        /// <summary>
        /// Extend only if the application pulled events, or called <see cref="RenderingSession.Touch"/>, within this time.
        /// Default 5 minutes; zero: for as long as the process lives. Precise to the millisecond.
        /// </summary>
        /// <remarks>
        /// Guards against a hung loop, a script debugger's breakpoint or a failed domain reload, which native threads
        /// survive. A background pump counts as pulling events even if the rest of the program hangs.
        /// </remarks>
        public TimeSpan Liveness { get; set; } = TimeSpan.FromMinutes(5);

        internal unsafe void Fill(arr_keep_alive_options* options)
        {
            *options = Blank.KeepAliveOptions;
            options->threshold_seconds = Durations.Seconds(Threshold, "Threshold");
            options->amount_seconds = Durations.Seconds(Amount, "Amount");
            options->cap_seconds = Durations.Seconds(Cap, "Cap");
            options->liveness_ms = Durations.Milliseconds(Liveness, "Liveness");
        }
    }
}
