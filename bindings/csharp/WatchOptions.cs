using System;

namespace ArrSession
{
    /// <summary>What <see cref="ArrClient.Suspend"/> does with a watched session.</summary>
    public enum SuspendAction
    {
        /// <summary>Nothing: it runs on, and its lease may end meanwhile.</summary>
        Leave = Native.ARR_ON_SUSPEND_LEAVE,
        /// <summary>
        /// Extends it once, if need be, so that at least <see cref="WatchOptions.SuspendLease"/> of its lease is left.
        /// </summary>
        Extend = Native.ARR_ON_SUSPEND_EXTEND,
        /// <summary>Stops it.</summary>
        Stop = Native.ARR_ON_SUSPEND_STOP,
    }

    /// <summary>How a session is watched. Lengths of time are rounded up to whole seconds.</summary>
    public sealed class WatchOptions
    {
        /// <summary>
        /// How long before its lease ends <see cref="ArrEventType.LeaseExpiring"/> comes. Default 5 minutes; zero: it does not
        /// come.
        /// </summary>
        public TimeSpan WarnBefore { get; set; } = TimeSpan.FromMinutes(5);

        /// <summary>
        /// Whether the session is stopped when its client is shut down or disposed. The promise ends with the watching: when the
        /// session's own object is disposed first, the session runs on. Default false.
        /// </summary>
        public bool StopOnShutdown { get; set; }

        /// <summary>What <see cref="ArrClient.Suspend"/> does with it. Default <see cref="SuspendAction.Leave"/>.</summary>
        public SuspendAction OnSuspend { get; set; } = SuspendAction.Leave;

        /// <summary>
        /// With <see cref="SuspendAction.Extend"/>: how much of the lease is to be left at least. Default 10 minutes.
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

    /// <summary>How a session is kept alive. Lengths of time are rounded up to whole seconds.</summary>
    public sealed class KeepAliveOptions
    {
        /// <summary>Extend when less than this is left of the lease, 1 s to 365 days. Default 5 minutes.</summary>
        public TimeSpan Threshold { get; set; } = TimeSpan.FromMinutes(5);

        /// <summary>By how much, 1 s to 365 days. Default 15 minutes.</summary>
        public TimeSpan Amount { get; set; } = TimeSpan.FromMinutes(15);

        /// <summary>
        /// The most that the whole lease may become, 1 s to 365 days: what the session can cost. No default.
        /// </summary>
        public TimeSpan Cap { get; set; }

        /// <summary>
        /// Extend only while the application has pulled events, or called <see cref="RenderingSession.Touch"/>, within this time,
        /// to the millisecond. Default 5 minutes; zero: as long as the process lives. Native threads outlive a hung loop, a
        /// breakpoint and a broken domain reload. A background pump pulls events also while the rest of the program hangs.
        /// </summary>
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
