// Texts between std::string_view and C. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <arr_session.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace arr {
namespace detail {

/// A text that stands in an array, up to its NUL.
template <std::size_t Capacity>
std::string_view text_in(const char (&array)[Capacity]) noexcept {
    const std::string_view whole(array, Capacity);
    return whole.substr(0, whole.find('\0'));
}

/// Whether C would read all of a text: it would end it at a NUL inside, and act on something else than was meant.
inline bool is_whole_in_c(std::string_view text) noexcept {
    return text.find('\0') == std::string_view::npos;
}

}  // namespace detail
}  // namespace arr
