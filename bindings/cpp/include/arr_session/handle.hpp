// The base of Client, Session, Operation and SessionList. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <arr_session.h>

#include <utility>

namespace arr {
namespace detail {

inline void free_handle(arr_client* client) noexcept { arr_client_free(client); }
inline void free_handle(arr_session* session) noexcept { arr_session_free(session); }
inline void free_handle(arr_session_list* list) noexcept { arr_session_list_free(list); }
inline void free_handle(arr_operation* operation) noexcept { arr_operation_free(operation); }

/// Owns a handle: can be moved, not copied, and frees the handle when it is destroyed. Derived is the class that
/// users see. (Not a std::unique_ptr, because <memory> is as large as all else that these headers include.)
template <typename Derived, typename Raw>
class Owner {
public:
    using raw_type = Raw;

    /// Whether there is a handle. Its object may still have ended; then calls fail.
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /// The handle, for C functions. This object keeps ownership.
    Raw* get() const noexcept { return handle_; }

    /// Releases ownership: the caller must free the handle. This object becomes empty.
    [[nodiscard]] Raw* release() noexcept { return std::exchange(handle_, nullptr); }

    /// Frees the handle now. This object becomes empty.
    void reset() noexcept { free_handle(release()); }

    /// Takes ownership of a handle from a C function.
    static Derived adopt(Raw* raw) noexcept {
        Derived owner;
        owner.handle_ = raw;
        return owner;
    }

protected:
    Owner() noexcept = default;
    ~Owner() { free_handle(handle_); }
    Owner(Owner&& other) noexcept : handle_(other.release()) {}
    Owner& operator=(Owner&& other) noexcept {
        free_handle(std::exchange(handle_, other.release()));
        return *this;
    }

private:
    Raw* handle_ = nullptr;
};

}  // namespace detail
}  // namespace arr
