// What went wrong. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace arr {

/// What went wrong, and what to do: an arr_error_info. After a success it says so: status() is Status::ok.
///
/// It owns all that it tells, allocates nothing, and may be copied. Views of it live as long as it does.
class Error {
public:
    /// A success.
    Error() noexcept { arr_error_info_init(&info_, sizeof info_); }

    /// One that a wrapper found before it asked the library: a wrong call.
    static Error of_usage(Status status, const char* function, std::string_view what) noexcept {
        // Without the library: it may be the one that does not fit.
        Error error{arr_error_info{}};
        arr_error_info& info = error.info_;
        info.struct_size = static_cast<std::uint32_t>(sizeof info);
        info.status = static_cast<arr_status>(status);
        info.category = ARR_CATEGORY_USAGE;
        const int length = std::snprintf(info.message, sizeof info.message, "%s: %.*s", function,
                                         static_cast<int>(what.size()), what.data());
        info.message_length = length < 0 ? 0 : static_cast<std::uint32_t>(length);
        return error;
    }

    Status status() const noexcept { return static_cast<Status>(info_.status); }
    Category category() const noexcept { return static_cast<Category>(info_.category); }
    /// The HTTP status of the service's reply; 0 if there was none.
    int http_status() const noexcept { return info_.http_status; }
    /// How long the service asks to wait before the next request; 0 if it did not say.
    std::chrono::milliseconds retry_after() const noexcept { return std::chrono::milliseconds(info_.retry_after_ms); }
    /// Whether the same call may succeed later without any change.
    bool retryable() const noexcept { return info_.retryable != 0; }
    /// Whether the service may have done what was asked although the call failed.
    bool outcome_unknown() const noexcept { return info_.outcome_unknown != 0; }
    /// The service's own error code, for example "BadRequest"; empty if it gave none.
    std::string_view service_code() const noexcept { return detail::text_in(info_.service_code); }
    /// The reply's MS-CV, by which the service's operators find the request; empty if there was no reply.
    std::string_view correlation_vector() const noexcept { return detail::text_in(info_.correlation_vector); }
    /// What happened and what to do now, beginning with the C function's name. Holds no key and no token.
    std::string_view message() const noexcept { return detail::text_in(info_.message); }
    /// The same for C.
    const char* what() const noexcept { return info_.message; }
    /// How long the message was before it was cut to 511 bytes.
    std::size_t message_length() const noexcept { return info_.message_length; }

    const arr_error_info& raw() const noexcept { return info_; }
    /// For a call of a C function.
    arr_error_info* out() noexcept { return &info_; }

private:
    explicit Error(const arr_error_info& info) noexcept : info_(info) {}

    arr_error_info info_;
};

}  // namespace arr
