// An access token. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace arr {
namespace detail {

/// A text that is wiped when it goes. It stands on the heap, where moving it leaves no copy behind.
class Secret {
public:
    Secret(std::size_t size, char fill) : bytes_(size, fill), size_(size) {}
    Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {
        other.bytes_.clear();
    }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            wipe();
            bytes_ = std::move(other.bytes_);
            size_ = std::exchange(other.size_, 0);
            other.bytes_.clear();
        }
        return *this;
    }
    ~Secret() { wipe(); }

    char* data() noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return size_; }
    /// Makes it shorter; what stood there is left to be wiped.
    void resize(std::size_t size) noexcept { size_ = size; }
    std::string_view view() const noexcept { return std::string_view(bytes_.data(), size_); }

private:
    void wipe() noexcept {
        // A plain memset before the end of an object is taken out by compilers.
        for (char& byte : bytes_) {
            *const_cast<volatile char*>(&byte) = '\0';
        }
    }

    std::vector<char> bytes_;
    std::size_t size_;
};

}  // namespace detail

/// An access token: what the rendering connection is made with. A secret: keep it out of logs. It is wiped when it ends.
class Token {
public:
    Token(detail::Secret text, std::uint32_t remaining_seconds) noexcept
        : text_(std::move(text)), remaining_(remaining_seconds) {}

    /// The token, followed by a NUL. Lives as long as this object.
    std::string_view text() const noexcept { return text_.view(); }

    /// How long it was good when it came; nothing if it does not say.
    std::optional<std::chrono::seconds> remaining() const noexcept {
        return remaining_ == 0 ? std::nullopt : std::optional(std::chrono::seconds(remaining_));
    }

private:
    detail::Secret text_;
    std::uint32_t remaining_;
};

namespace detail {

/// Enough for the public service's tokens, so that one call does.
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
