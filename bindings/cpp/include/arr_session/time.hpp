// Lengths of time between std::chrono and the library's 32 bits. SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every std::chrono duration may be given, also std::chrono::hours::max(), and is converted without overflow:
//
//   settings    (leases, intervals: WholeSeconds, WholeMilliseconds) are rounded up to the unit. One that is negative, or more
//               than fits, is refused by the call that uses it: Status::invalid_argument.
//   timeouts    (CallTimeout, WaitTimeout) are rounded up to milliseconds. A negative one is over already, and more than fits
//               (49 days) is as long as it takes.
#pragma once

#include <arr_session.h>

#include <chrono>
#include <cstdint>
#include <ratio>

namespace arr {

/// A setting in whole units of Period, rounded up.
template <typename Period>
class WholeUnits {
public:
    template <typename Rep, typename OtherPeriod>
    constexpr WholeUnits(std::chrono::duration<Rep, OtherPeriod> length) noexcept {
        // A double takes every duration, and holds 32 bits exactly.
        const double units = std::chrono::duration<double, Period>(length).count();
        negative_ = !(units >= 0.0);
        too_long_ = units > static_cast<double>(UINT32_MAX);
        if (fits()) {
            count_ = static_cast<std::uint32_t>(units);
            if (static_cast<double>(count_) < units) {
                ++count_;
            }
        }
    }

    constexpr bool fits() const noexcept { return !negative_ && !too_long_; }
    constexpr bool is_negative() const noexcept { return negative_; }
    /// The number of units; 0 if it does not fit.
    constexpr std::uint32_t count() const noexcept { return count_; }

private:
    std::uint32_t count_ = 0;
    bool negative_ = false;
    bool too_long_ = false;
};

/// What the service counts in: leases and what is left of them.
using WholeSeconds = WholeUnits<std::ratio<1>>;
/// What the library itself counts in: intervals and timeouts.
using WholeMilliseconds = WholeUnits<std::milli>;

namespace detail {

constexpr std::uint32_t saturated(WholeMilliseconds length) noexcept {
    return length.fits() ? length.count() : length.is_negative() ? 0 : UINT32_MAX;
}

}  // namespace detail

/// The most that a call may take that talks with the service. Without a value: ClientOptions::call_timeout().
class CallTimeout {
public:
    constexpr CallTimeout() noexcept = default;

    /// Nothing, and less, is the shortest time that there is: a millisecond.
    template <typename Rep, typename Period>
    constexpr CallTimeout(std::chrono::duration<Rep, Period> length) noexcept
        : milliseconds_(detail::saturated(length) == ARR_TIMEOUT_DEFAULT ? 1 : detail::saturated(length)) {}

    /// As the C functions take it.
    constexpr std::uint32_t raw() const noexcept { return milliseconds_; }

private:
    std::uint32_t milliseconds_ = ARR_TIMEOUT_DEFAULT;
};

/// How long a call waits for something to happen. Nothing, and less, does not wait.
class WaitTimeout {
public:
    template <typename Rep, typename Period>
    constexpr WaitTimeout(std::chrono::duration<Rep, Period> length) noexcept
        : milliseconds_(detail::saturated(length)) {}

    static constexpr WaitTimeout forever() noexcept { return WaitTimeout(ARR_WAIT_FOREVER); }

    /// As the C functions take it.
    constexpr std::uint32_t raw() const noexcept { return milliseconds_; }

private:
    explicit constexpr WaitTimeout(std::uint32_t milliseconds) noexcept : milliseconds_(milliseconds) {}

    std::uint32_t milliseconds_;
};

/// Waits as long as it takes.
inline constexpr WaitTimeout forever = WaitTimeout::forever();
/// Looks, and does not wait.
inline constexpr WaitTimeout no_wait = WaitTimeout(std::chrono::milliseconds(0));

}  // namespace arr
