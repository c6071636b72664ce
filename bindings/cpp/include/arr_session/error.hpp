// Details of a failure. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <new>
#include <string_view>
#include <utility>

namespace arr {

/// Details of a failure, and what to do: an arr_error_info. After a success, status() is Status::ok.
///
/// As large as a pointer. The details of a failure are on the heap. A success needs no heap, and neither does a
/// timeout of next_event(), next_log() or wait(). Such a timeout, and a failure for which there is no memory, has
/// only its status, its category, and its name as the message. Views of it live as long as the object.
class Error {
public:
    /// A success.
    constexpr Error() noexcept = default;
    /// From a struct that a C function has filled.
    explicit Error(const arr_error_info& info) noexcept { keep(info.status, &info); }
    /// A status without details.
    explicit Error(Status status) noexcept { keep(static_cast<arr_status>(status), nullptr); }
    Error(const Error& other) noexcept { keep(static_cast<arr_status>(other.status()), other.info()); }
    /// `other` keeps its status.
    Error(Error&& other) noexcept : bits_(std::exchange(other.bits_, bare(static_cast<arr_status>(other.status())))) {}
    Error& operator=(Error other) noexcept {
        std::swap(bits_, other.bits_);
        return *this;
    }
    ~Error() { delete info(); }

    /// A wrong call that the wrapper refuses without asking the library.
    static Error of_usage(Status status, const char* function, std::string_view what) noexcept {
        // Does not call the library, which may have the wrong version.
        arr_error_info info{};
        info.struct_size = static_cast<std::uint32_t>(sizeof info);
        info.status = static_cast<arr_status>(status);
        info.category = ARR_CATEGORY_USAGE;
        const int length = std::snprintf(info.message, sizeof info.message, "%s: %.*s", function,
                                         static_cast<int>(what.size()), what.data());
        info.message_length = length < 0 ? 0 : static_cast<std::uint32_t>(length);
        return Error(info);
    }

    Status status() const noexcept {
        return static_cast<Status>(info() ? info()->status : static_cast<arr_status>(bits_ >> 1));
    }
    Category category() const noexcept { return info() ? static_cast<Category>(info()->category) : category_of(status()); }
    /// HTTP status of the service's reply; 0 if there was none.
    int http_status() const noexcept { return info() ? info()->http_status : 0; }
    /// How long the service asks to wait before the next request; 0 if it did not say.
    std::chrono::milliseconds retry_after() const noexcept {
        return std::chrono::milliseconds(info() ? info()->retry_after_ms : 0);
    }
    /// Whether the same call may succeed later.
    bool retryable() const noexcept { return info() && info()->retryable != 0; }
    /// Whether the service may have carried out the failed request.
    bool outcome_unknown() const noexcept { return info() && info()->outcome_unknown != 0; }
    /// The service's own error code, for example "BadRequest"; empty if it sent none.
    std::string_view service_code() const noexcept { return info() ? detail::text_in(info()->service_code) : ""; }
    /// MS-CV of the reply, with which the service's operators find the request; empty if there was no reply.
    std::string_view correlation_vector() const noexcept {
        return info() ? detail::text_in(info()->correlation_vector) : "";
    }
    /// What failed, why, and what to do; starts with the C function's name. Option names are in backticks, spelled
    /// as their setters. Never contains a key or a token.
    std::string_view message() const noexcept { return info() ? detail::text_in(info()->message) : what(); }
    /// The message for C.
    const char* what() const noexcept { return info() ? info()->message : bits_ == 0 ? "" : to_string(status()); }
    /// Length of the message before it was cut to 511 bytes.
    std::size_t message_length() const noexcept { return info() ? info()->message_length : message().size(); }

    /// All details for C.
    arr_error_info raw() const noexcept {
        if (info()) {
            return *info();
        }
        arr_error_info all{};
        all.struct_size = static_cast<std::uint32_t>(sizeof all);
        all.status = static_cast<arr_status>(status());
        all.category = static_cast<arr_category>(category());
        all.message_length = static_cast<std::uint32_t>(message().copy(all.message, sizeof all.message - 1));
        return all;
    }

private:
    static constexpr std::uintptr_t bare(arr_status status) noexcept {
        return status == ARR_OK ? 0 : std::uintptr_t{static_cast<std::uint32_t>(status)} << 1 | 1;
    }
    /// Null after a success, and for a status without details.
    const arr_error_info* info() const noexcept {
        return bits_ & 1 ? nullptr : reinterpret_cast<const arr_error_info*>(bits_);
    }
    void keep(arr_status status, const arr_error_info* info) noexcept {
        bits_ = bare(status);
        if (status != ARR_OK && info != nullptr) {
            if (auto* copy = new (std::nothrow) arr_error_info(*info)) {
                detail::name_options(*copy);
                bits_ = reinterpret_cast<std::uintptr_t>(copy);
            }
        }
    }

    /// 0 after a success. Otherwise the address of the details; or, as an odd number, the status.
    std::uintptr_t bits_ = 0;
};

static_assert(sizeof(Error) == sizeof(void*), "an Error is as large as a pointer");

namespace detail {

/// An initialized struct, for a C function to fill.
inline arr_error_info error_info() noexcept {
    arr_error_info info;
    arr_error_info_init(&info, sizeof info);
    return info;
}

}  // namespace detail
}  // namespace arr
