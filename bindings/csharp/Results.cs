using System;

namespace ArrSession
{
    /// <summary>An access token: what the rendering connection is made with. It is a secret: keep it out of logs.</summary>
    public sealed class AccessToken
    {
        internal AccessToken(string value, uint remainingSeconds)
        {
            Value = value;
            Remaining = Durations.FromSeconds(remainingSeconds);
        }

        /// <summary>The token itself.</summary>
        public string Value { get; }

        /// <summary>How long it was good when it came; zero if it does not say.</summary>
        public TimeSpan Remaining { get; }

        /// <summary>Tells how long it is good, and nothing of the token.</summary>
        public override string ToString()
        {
            return "access token, good for " + (long)Remaining.TotalSeconds + " s";
        }
    }

    /// <summary>A session to go on with, or a new one.</summary>
    public sealed class ResumeResult
    {
        internal ResumeResult(RenderingSession session, bool resumed)
        {
            Session = session;
            Resumed = resumed;
        }

        /// <summary>The session, to be disposed by the caller.</summary>
        public RenderingSession Session { get; }

        /// <summary>Whether it was there before; else it was created.</summary>
        public bool Resumed { get; }
    }

    /// <summary>A session that an earlier run has left.</summary>
    public sealed class RecoveredSession
    {
        internal RecoveredSession(RenderingSession session, SessionProperties properties)
        {
            Session = session;
            Properties = properties;
        }

        /// <summary>The session, to be disposed by the caller.</summary>
        public RenderingSession Session { get; }

        /// <summary>
        /// What the service said about it; <see cref="SessionProperties.Claim"/> tells whether it is ours, or only may be.
        /// </summary>
        public SessionProperties Properties { get; }
    }

    /// <summary>What a stop has brought.</summary>
    public sealed class StopResult
    {
        internal StopResult(bool alreadyGone)
        {
            AlreadyGone = alreadyGone;
        }

        /// <summary>Whether the service said that the session had ended before.</summary>
        public bool AlreadyGone { get; }
    }

    /// <summary>Which sessions <see cref="ArrClient.StopAllAsync"/> stops.</summary>
    public enum StopScope
    {
        /// <summary>
        /// Those that this client created. One that was there before, under an id that the application gave, is not among them.
        /// </summary>
        Own = Native.ARR_STOP_SCOPE_OWN,
        /// <summary>All of the account, whoever created them: other people may be using them.</summary>
        Account = Native.ARR_STOP_SCOPE_ACCOUNT,
    }

    /// <summary>What became of many sessions.</summary>
    public sealed class StopAllResult
    {
        internal StopAllResult(in arr_stop_all_result native)
        {
            Stopped = (int)native.stopped;
            AlreadyGone = (int)native.already_gone;
            Failed = (int)native.failed;
        }

        /// <summary>How many were stopped.</summary>
        public int Stopped { get; }

        /// <summary>How many had ended already.</summary>
        public int AlreadyGone { get; }

        /// <summary>How many may still be running.</summary>
        public int Failed { get; }
    }
}
