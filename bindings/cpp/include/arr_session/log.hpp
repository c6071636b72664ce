// A line of the log. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "enums.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arr {

/// A line of the log: an arr_log_entry. Views of it live as long as the object. Allocates nothing.
class LogEntry {
public:
    /// An empty line.
    LogEntry() noexcept { arr_log_entry_init(&raw_, sizeof raw_); }

    LogLevel level() const noexcept { return static_cast<LogLevel>(raw_.level); }
    /// When it was written.
    std::chrono::system_clock::time_point time() const noexcept {
        const auto since_1970 = std::chrono::milliseconds(static_cast<std::int64_t>(raw_.unix_time_ms));
        return std::chrono::system_clock::time_point(
            std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970));
    }
    /// Lines lost before this one because they were not pulled in time.
    std::uint64_t lost() const noexcept { return raw_.lost; }
    /// MS-CV of the reply that the line is about; empty if there is none.
    std::string_view correlation_vector() const noexcept { return detail::text_in(raw_.correlation_vector); }
    /// What happened. Never contains a key, a token or a body.
    std::string_view message() const noexcept { return detail::text_in(raw_.message); }
    /// Length of the message before it was cut to 511 bytes.
    std::size_t message_length() const noexcept { return raw_.message_length; }

    const arr_log_entry& raw() const noexcept { return raw_; }
    /// For C functions.
    arr_log_entry* out() noexcept { return &raw_; }

private:
    arr_log_entry raw_;
};

}  // namespace arr
