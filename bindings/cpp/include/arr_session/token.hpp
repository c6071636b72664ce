// An access token. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "result.hpp"
#include "secret.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace arr {
/// An access token for the rendering connection. It is a secret: keep it out of logs. It is wiped when it is
/// destroyed.
class Token {
public:
    Token(detail::Secret text, std::uint32_t remaining_seconds) noexcept
        : text_(std::move(text)), remaining_(remaining_seconds) {}
    // Move-only, so that a secret is not copied by accident.
    Token(Token&&) noexcept = default;
    Token& operator=(Token&&) noexcept = default;

    /// The token, followed by a NUL. Lives as long as the object.
    std::string_view text() const noexcept { return text_.view(); }

    /// How long the token was valid when it was returned: zero if it had expired; nothing if it does not say.
    std::optional<std::chrono::seconds> remaining() const noexcept {
        return remaining_ == ARR_TOKEN_EXPIRY_UNKNOWN ? std::nullopt : std::optional(std::chrono::seconds(remaining_));
    }

private:
    detail::Secret text_;
    std::uint32_t remaining_;
};

namespace detail {

/// Enough for the public service's tokens, so that one call suffices.
inline constexpr std::size_t token_capacity = 4096;

/// call(char*, capacity, needed*, remaining_seconds*, arr_error_info*)
template <typename Call>
Result<Token> token_from(Call&& call) {
    std::uint32_t remaining = 0;
    auto text = text_from<Secret>(token_capacity, [&](char* buffer, std::size_t capacity, std::size_t* needed,
                                                      arr_error_info* error) {
        return call(buffer, capacity, needed, &remaining, error);
    });
    if (!text) {
        return text.error();
    }
    return Token(std::move(*text), remaining);
}

}  // namespace detail
}  // namespace arr
