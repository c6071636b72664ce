// The version of the loaded library. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "result.hpp"

#include <cstdint>
#include <cstdio>
#include <string_view>

namespace arr {

/// Version of the loaded library, for example "0.1.0".
inline std::string_view version() noexcept {
    return arr_version_string();
}

/// The same as a number: major * 1000000 + minor * 1000 + patch.
inline std::uint32_t version_number() noexcept {
    return arr_version_number();
}

/// ABI version of the loaded library.
inline std::uint32_t abi_version() noexcept {
    return arr_abi_version();
}

/// Checks that the loaded library has the ABI that this program was compiled for. Client::create() calls it first.
///
/// Fails with Status::unsupported; the message has both versions and what to do. Thread-safe.
inline Result<void> check_version() noexcept {
    if (abi_version() == ARR_ABI_VERSION) {
        return {};
    }
    char text[400];
    const int length = std::snprintf(
        text, sizeof text,
        "this program was compiled for arr_session %u.%u.%u with ABI version %u, but the loaded library is %s with ABI "
        "version %u; ship the library that belongs to the header, or recompile the program with the library's header",
        static_cast<unsigned>(ARR_VERSION_MAJOR), static_cast<unsigned>(ARR_VERSION_MINOR),
        static_cast<unsigned>(ARR_VERSION_PATCH), static_cast<unsigned>(ARR_ABI_VERSION), arr_version_string(),
        static_cast<unsigned>(abi_version()));
    const std::size_t shown = length < 0 ? 0 : static_cast<std::size_t>(length);
    return Error::of_usage(Status::unsupported, "arr_abi_version",
                           std::string_view(text, shown < sizeof text ? shown : sizeof text - 1));
}

}  // namespace arr
