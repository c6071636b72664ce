// What Client, Session, Operation and SessionList have in common. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <arr_session.h>

#include <memory>

namespace arr {
namespace detail {

inline void free_handle(arr_client* client) noexcept { arr_client_free(client); }
inline void free_handle(arr_session* session) noexcept { arr_session_free(session); }
inline void free_handle(arr_session_list* list) noexcept { arr_session_list_free(list); }
inline void free_handle(arr_operation* operation) noexcept { arr_operation_free(operation); }

struct FreeHandle {
    template <typename Raw>
    void operator()(Raw* raw) const noexcept {
        free_handle(raw);
    }
};

/// Owns a handle: moved, not copied, freed at its end. Derived is the class that users see.
template <typename Derived, typename Raw>
class Owner {
public:
    using raw_type = Raw;

    /// Whether there is a handle. It may have ended all the same: its calls say so.
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /// The handle, for C functions. It stays with this object.
    Raw* get() const noexcept { return handle_.get(); }

    /// Gives the handle away: whoever takes it frees it. This object is empty afterwards.
    [[nodiscard]] Raw* release() noexcept { return handle_.release(); }

    /// Frees the handle now. This object is empty afterwards.
    void reset() noexcept { handle_.reset(); }

    /// Takes a handle that a C function has given, to free it.
    static Derived adopt(Raw* raw) noexcept {
        Derived owner;
        owner.handle_.reset(raw);
        return owner;
    }

protected:
    Owner() noexcept = default;
    ~Owner() = default;
    Owner(Owner&&) noexcept = default;
    Owner& operator=(Owner&&) noexcept = default;

private:
    std::unique_ptr<Raw, FreeHandle> handle_;
};

}  // namespace detail
}  // namespace arr
