// Texts that are wiped from memory. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace arr {
namespace detail {

/// A text that is wiped when it is destroyed. It is on the heap, so moving it leaves no copy behind.
class Secret {
public:
    Secret() noexcept = default;
    Secret(std::size_t size, char fill) : bytes_(size, fill), size_(size) {}
    explicit Secret(std::string_view text) : Secret(text.size() + 1, '\0') {
        size_ = text.copy(bytes_.data(), text.size());
    }
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {
        other.bytes_.clear();
    }
    /// Also for copies: `other` takes and wipes the old text.
    Secret& operator=(Secret other) noexcept {
        bytes_.swap(other.bytes_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Secret() { wipe(); }

    char* data() noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return size_; }
    /// Makes it shorter. The rest stays in place and is wiped at the end.
    void resize(std::size_t size) noexcept { size_ = size; }
    std::string_view view() const noexcept { return std::string_view(bytes_.data(), size_); }
    /// For C, if it was made from a text; "" if it is empty.
    const char* c_str() const noexcept { return bytes_.empty() ? "" : bytes_.data(); }

private:
    void wipe() noexcept {
        // Compilers remove a plain memset before the end of an object.
        for (char& byte : bytes_) {
            *const_cast<volatile char*>(&byte) = '\0';
        }
    }

    std::vector<char> bytes_;
    std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace arr
