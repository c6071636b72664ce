// Whether the program and the loaded library fit together. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "result.hpp"

#include <cstdint>
#include <cstdio>
#include <string_view>

namespace arr {

/// The version of the loaded library, for example "0.1.0".
inline std::string_view version() noexcept {
    return arr_version_string();
}

/// The version of the loaded library's binary interface.
inline std::uint32_t abi_version() noexcept {
    return arr_abi_version();
}

/// Whether the loaded library has the binary interface that this program was compiled for. Client::create() asks this first.
///
/// Fails with Status::unsupported, and names both versions and what to do. Threads: any.
inline Result<void> check_version() noexcept {
    if (abi_version() == ARR_ABI_VERSION) {
        return {};
    }
    char text[400];
    const int length = std::snprintf(
        text, sizeof text,
        "this program was compiled for arr_session %u.%u.%u with ABI version %u, but the library that was loaded is %s with "
        "ABI version %u: ship the library that belongs to the header, or compile the program anew with the library's header",
        static_cast<unsigned>(ARR_VERSION_MAJOR), static_cast<unsigned>(ARR_VERSION_MINOR),
        static_cast<unsigned>(ARR_VERSION_PATCH), static_cast<unsigned>(ARR_ABI_VERSION), arr_version_string(),
        static_cast<unsigned>(abi_version()));
    const std::size_t shown = length < 0 ? 0 : static_cast<std::size_t>(length);
    return Error::of_usage(Status::unsupported, "arr_abi_version",
                           std::string_view(text, shown < sizeof text ? shown : sizeof text - 1));
}

}  // namespace arr
