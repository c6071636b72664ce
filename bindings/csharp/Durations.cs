using System;
using System.Threading;

namespace ArrSession
{
    /// <summary>Converts TimeSpan to and from the C ABI's milliseconds and seconds. Fractions are rounded up.</summary>
    internal static class Durations
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        /// <summary>The timeout of a blocking call. Null is the client's default; zero sends nothing.</summary>
        internal static uint CallTimeout(TimeSpan? timeout)
        {
            return timeout == null ? Native.ARR_TIMEOUT_DEFAULT : WaitLimit(timeout.Value, "timeout");
        }

        /// <summary>The timeout of an Async call. Null is the client's default.</summary>
        internal static uint StartTimeout(TimeSpan? timeout)
        {
            if (timeout == TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(
                    "timeout", timeout, "must be more than zero, or null for the default");
            }
            return CallTimeout(timeout);
        }

        /// <summary>The limit of a wait. Zero does not wait.</summary>
        internal static uint WaitLimit(TimeSpan limit, string name)
        {
            return limit == Timeout.InfiniteTimeSpan ? Native.ARR_WAIT_FOREVER : Milliseconds(limit, name);
        }

        /// <summary>An optional setting in milliseconds. Native code takes 0 for the default.</summary>
        internal static uint Setting(TimeSpan? value, string name)
        {
            if (value == null)
            {
                return 0;
            }
            if (value == TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(name, value, "must be more than zero, or null for the default");
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

        /// <summary>The time in UTC, clamped to the range of DateTime.</summary>
        internal static DateTime FromUnix(ulong milliseconds)
        {
            ulong most = (ulong)((DateTime.MaxValue.Ticks - Epoch.Ticks) / TimeSpan.TicksPerMillisecond);
            return Epoch.AddTicks((long)Math.Min(milliseconds, most) * TimeSpan.TicksPerMillisecond);
        }

        private static uint Count(TimeSpan value, long ticksPerUnit, string name)
        {
            long count = value.Ticks / ticksPerUnit + (value.Ticks % ticksPerUnit > 0 ? 1 : 0);
            // The two largest values mean "no limit" and "the default".
            if (value < TimeSpan.Zero || count >= Native.ARR_TIMEOUT_DEFAULT)
            {
                TimeSpan most = new TimeSpan((Native.ARR_TIMEOUT_DEFAULT - 1L) * ticksPerUnit);
                throw new ArgumentOutOfRangeException(name, value, "must not be negative or exceed " + most);
            }
            return (uint)count;
        }
    }
}
