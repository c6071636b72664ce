// Converts texts between std::string_view and C. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <arr_session.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace arr {
namespace detail {

/// The text in an array, up to its NUL.
template <std::size_t Capacity>
std::string_view text_in(const char (&array)[Capacity]) noexcept {
    const std::string_view whole(array, Capacity);
    return whole.substr(0, whole.find('\0'));
}

/// Whether C would read the whole text: it stops at an embedded NUL.
inline bool is_whole_in_c(std::string_view text) noexcept {
    return text.find('\0') == std::string_view::npos;
}

/// Renames the options in the message of a filled C struct to their C++ names, which have no unit:
/// `call_timeout_ms` becomes `call_timeout`. Option names are in backticks.
template <typename Filled>
void name_options(Filled& filled) noexcept {
    char* to = filled.message;
    for (const char* from = filled.message; *from != '\0'; ++from, ++to) {
        for (const char* unit : {"_ms`", "_seconds`"}) {
            const std::size_t length = std::strlen(unit);
            if (std::strncmp(from, unit, length) == 0) {
                from += length - 1;
                filled.message_length -= static_cast<std::uint32_t>(length - 1);
            }
        }
        *to = *from;
    }
    *to = '\0';
}

}  // namespace detail
}  // namespace arr
