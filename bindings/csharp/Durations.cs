using System;
using System.Threading;

namespace ArrSession
{
    /// <summary>TimeSpan to and from the milliseconds and seconds of the C ABI. What is not whole is rounded up.</summary>
    internal static class Durations
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        /// <summary>The timeout of a call that sends a request: null is the client's.</summary>
        internal static uint CallTimeout(TimeSpan? timeout)
        {
            if (timeout == null)
            {
                return Native.ARR_TIMEOUT_DEFAULT;
            }
            if (timeout == TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(
                    "timeout", timeout, "a request takes time: give more than zero, or null for the client's CallTimeout");
            }
            return WaitLimit(timeout.Value, "timeout");
        }

        /// <summary>The limit of a wait: zero does not wait.</summary>
        internal static uint WaitLimit(TimeSpan limit, string name)
        {
            return limit == Timeout.InfiniteTimeSpan ? Native.ARR_WAIT_FOREVER : Milliseconds(limit, name);
        }

        /// <summary>An optional setting in milliseconds, of which 0 stands for the default.</summary>
        internal static uint Setting(TimeSpan? value, string name)
        {
            if (value == null)
            {
                return 0;
            }
            if (value == TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(name, value, "more than zero, or null for the default");
            }
            return Milliseconds(value.Value, name);
        }

        internal static uint Milliseconds(TimeSpan value, string name)
        {
            return Count(value, TimeSpan.TicksPerMillisecond, name);
        }

        internal static uint Seconds(TimeSpan value, string name)
        {
            return Count(value, TimeSpan.TicksPerSecond, name);
        }

        internal static TimeSpan FromMilliseconds(uint count)
        {
            return new TimeSpan(count * TimeSpan.TicksPerMillisecond);
        }

        internal static TimeSpan FromSeconds(uint count)
        {
            return new TimeSpan(count * TimeSpan.TicksPerSecond);
        }

        /// <summary>UTC; the last time that DateTime has for what is beyond it.</summary>
        internal static DateTime FromUnix(ulong milliseconds)
        {
            ulong most = (ulong)((DateTime.MaxValue.Ticks - Epoch.Ticks) / TimeSpan.TicksPerMillisecond);
            return Epoch.AddTicks((long)Math.Min(milliseconds, most) * TimeSpan.TicksPerMillisecond);
        }

        private static uint Count(TimeSpan value, long ticksPerUnit, string name)
        {
            long count = value.Ticks / ticksPerUnit + (value.Ticks % ticksPerUnit > 0 ? 1 : 0);
            // The largest number stands for "for ever".
            if (value < TimeSpan.Zero || count >= uint.MaxValue)
            {
                throw new ArgumentOutOfRangeException(name, value, "a length of time must not be negative, nor of many years");
            }
            return (uint)count;
        }
    }
}
