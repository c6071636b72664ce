using System;

namespace ArrSession
{
    /// <summary>An access token, needed for the rendering connection. It is a secret: keep it out of logs.</summary>
    public sealed class AccessToken
    {
        internal AccessToken(string value, uint remainingSeconds)
        {
            Value = value;
            bool known = remainingSeconds != Native.ARR_TOKEN_EXPIRY_UNKNOWN;
            Remaining = known ? Durations.FromSeconds(remainingSeconds) : (TimeSpan?)null;
        }

        /// <summary>The token.</summary>
        public string Value { get; }

        /// <summary>How long the token was valid when it was received: zero if expired; null if it has no expiry.</summary>
        public TimeSpan? Remaining { get; }

        /// <summary>How long the token is valid; never the token itself.</summary>
        public override string ToString()
        {
            return Remaining == null ? "access token" : "access token, valid for " + (long)Remaining.Value.TotalSeconds + " s";
        }
    }

    /// <summary>A reused or new session.</summary>
    public sealed class ReuseResult
    {
        internal ReuseResult(RenderingSession session, bool reused)
        {
            Session = session;
            Reused = reused;
        }

        /// <summary>The session; the caller disposes it.</summary>
        public RenderingSession Session { get; }

        /// <summary>Whether the session existed before.</summary>
        public bool Reused { get; }
    }

    /// <summary>A session that an earlier run left running.</summary>
    public sealed class RecoveredSession
    {
        internal RecoveredSession(RenderingSession session, SessionProperties properties)
        {
            Session = session;
            Properties = properties;
        }

        /// <summary>The session; the caller disposes it.</summary>
        public RenderingSession Session { get; }

        /// <summary>
        /// The service's reply about the session. <see cref="SessionProperties.Claim"/> says how certain it is that the
        /// session is yours.
        /// </summary>
        public SessionProperties Properties { get; }
    }

    /// <summary>The result of a stop.</summary>
    public sealed class StopResult
    {
        internal StopResult(bool alreadyGone)
        {
            AlreadyGone = alreadyGone;
        }

        /// <summary>
        /// Whether the session had already ended, according to the service. After an earlier stop request whose reply was
        /// lost, it is false, because that request may have ended the session.
        /// </summary>
        public bool AlreadyGone { get; }
    }

    /// <summary>Which sessions <see cref="ArrClient.StopAllAsync"/> stops.</summary>
    public enum StopScope
    {
        /// <summary>
        /// Those that this client created, recovered as <see cref="SessionClaim.Ours"/>, or reused from its journal. Excludes
        /// those that it only opened, and one that already existed under an id that the application chose.
        /// </summary>
        Own = Native.ARR_STOP_SCOPE_OWN,
        /// <summary>All sessions of the account, including those that other people may be using.</summary>
        Account = Native.ARR_STOP_SCOPE_ACCOUNT,
    }

    /// <summary>The result of stopping many sessions.</summary>
    public sealed class StopAllResult
    {
        internal StopAllResult(in arr_stop_all_result native)
        {
            Stopped = (int)native.stopped;
            AlreadyGone = (int)native.already_gone;
            Failed = (int)native.failed;
        }

        /// <summary>The number of sessions stopped.</summary>
        public int Stopped { get; }

        /// <summary>The number that had already ended.</summary>
        public int AlreadyGone { get; }

        /// <summary>The number that may still be running.</summary>
        public int Failed { get; }
    }
}
