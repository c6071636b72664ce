// Converts std::chrono durations to the library's 32-bit numbers. SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every duration is accepted, even std::chrono::hours::max(), and is converted without overflow:
//
//   settings   (leases, intervals: WholeSeconds, WholeMilliseconds) are rounded up to the unit. A call that uses a negative
//              setting, or one that does not fit, fails with Status::invalid_argument.
//   timeouts   (CallTimeout, WaitTimeout) are rounded up to milliseconds. One that does not fit (49 days) is no limit, and a
//              negative one counts as zero. With zero, a wait checks its condition once, a call that needs a request fails
//              with Status::timeout, and a start_ function fails with Status::invalid_argument.
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
        // A double holds every duration, and 32 bits exactly.
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
    /// Number of units; 0 if it does not fit.
    constexpr std::uint32_t count() const noexcept { return count_; }

private:
    std::uint32_t count_ = 0;
    bool negative_ = false;
    bool too_long_ = false;
};

/// The service's unit: leases.
using WholeSeconds = WholeUnits<std::ratio<1>>;
/// The library's unit: intervals and timeouts.
using WholeMilliseconds = WholeUnits<std::milli>;

namespace detail {

constexpr std::uint32_t saturated(WholeMilliseconds length) noexcept {
    // The two largest numbers have other meanings.
    return length.is_negative() ? 0 : length.fits() && length.count() < ARR_TIMEOUT_DEFAULT ? length.count() : ARR_WAIT_FOREVER;
}

}  // namespace detail

/// Time limit of a call that needs the service. Default: ClientOptions::call_timeout().
class CallTimeout {
public:
    constexpr CallTimeout() noexcept = default;

    template <typename Rep, typename Period>
    constexpr CallTimeout(std::chrono::duration<Rep, Period> length) noexcept
        : milliseconds_(detail::saturated(length)) {}

    /// For C functions.
    constexpr std::uint32_t raw() const noexcept { return milliseconds_; }

private:
    std::uint32_t milliseconds_ = ARR_TIMEOUT_DEFAULT;
};

/// Time limit of a wait. Zero or less does not wait.
class WaitTimeout {
public:
    template <typename Rep, typename Period>
    constexpr WaitTimeout(std::chrono::duration<Rep, Period> length) noexcept
        : milliseconds_(detail::saturated(length)) {}

    static constexpr WaitTimeout forever() noexcept { return WaitTimeout(ARR_WAIT_FOREVER); }

    /// For C functions.
    constexpr std::uint32_t raw() const noexcept { return milliseconds_; }

private:
    explicit constexpr WaitTimeout(std::uint32_t milliseconds) noexcept : milliseconds_(milliseconds) {}

    std::uint32_t milliseconds_;
};

/// No limit.
inline constexpr WaitTimeout forever = WaitTimeout::forever();
/// Does not wait.
inline constexpr WaitTimeout no_wait = WaitTimeout(std::chrono::milliseconds(0));

}  // namespace arr
