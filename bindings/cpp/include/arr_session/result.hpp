// A value, or why there is none. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "error.hpp"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// 1 if this file is compiled with exceptions.
#define ARR_CPP_EXCEPTIONS 1
#include <exception>
#else
#define ARR_CPP_EXCEPTIONS 0
#endif

namespace arr {

#if ARR_CPP_EXCEPTIONS
/// What value_or_throw() throws. The library itself throws nothing.
class Exception : public std::exception {
public:
    explicit Exception(const Error& error) noexcept : error_(error) {}
    const Error& error() const noexcept { return error_; }
    const char* what() const noexcept override { return error_.what(); }

private:
    Error error_;
};
#endif

namespace detail {

/// Somebody takes a value that is not there. There is no good way on, and a silent one would be worse.
[[noreturn]] inline void no_value(const Error& error) noexcept {
    std::fprintf(stderr, "arr::Result has no value: %s\n", error.what());
    std::abort();
}

}  // namespace detail

/// A T, or the Error that tells why there is none. Look before you take: value(), * and -> end the program, by
/// std::abort() and with the message on standard error, if there is no value.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    /// A failure. The error of a success, as of the wrong one of two results, makes one too, which says so.
    Result(const Error& error) noexcept
        : error_(error.status() != Status::ok
                     ? error
                     : Error::of_usage(Status::invalid_argument, "arr::Result", "made from the error of a success: give a value")) {}

    bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & {
        require_value();
        return *value_;
    }
    const T& value() const& {
        require_value();
        return *value_;
    }
    /// Of a result that is about to end, the value itself: `for (const auto& each : *client.list_sessions())` is safe.
    T value() && {
        require_value();
        return std::move(*value_);
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    template <typename Other>
    T value_or(Other&& other) && {
        return has_value() ? std::move(*value_) : static_cast<T>(std::forward<Other>(other));
    }

    /// Why there is no value; says Status::ok if there is one.
    const Error& error() const& noexcept { return error_; }
    Error error() && noexcept { return error_; }
    Status status() const noexcept { return error_.status(); }

#if ARR_CPP_EXCEPTIONS
    /// The value, or an arr::Exception. Only where exceptions are on.
    T value_or_throw() && {
        if (!has_value()) {
            throw Exception(error_);
        }
        return std::move(*value_);
    }
#endif

private:
    void require_value() const noexcept {
        if (!has_value()) {
            detail::no_value(error_);
        }
    }

    Error error_;
    std::optional<T> value_;
};

/// A success, or the Error that tells why it is none.
template <>
class [[nodiscard]] Result<void> {
public:
    /// A success.
    Result() noexcept = default;
    /// A failure, or a success if the status says so.
    Result(const Error& error) noexcept : error_(error) {}

    bool has_value() const noexcept { return error_.status() == Status::ok; }
    explicit operator bool() const noexcept { return has_value(); }

    const Error& error() const& noexcept { return error_; }
    Error error() && noexcept { return error_; }
    Status status() const noexcept { return error_.status(); }

#if ARR_CPP_EXCEPTIONS
    /// Nothing, or an arr::Exception. Only where exceptions are on.
    void value_or_throw() && {
        if (!has_value()) {
            throw Exception(error_);
        }
    }
#endif

private:
    Error error_;
};

namespace detail {

/// Makes a C call that has no result but its success: call(arr_error_info*).
template <typename Call>
Result<void> attempt(Call&& call) {
    Error error;
    call(error.out());
    return error;
}

/// Makes a C call that fills something: call(Out*, arr_error_info*). Gives Value(out) if it succeeds.
template <typename Value, typename Out, typename Call>
Result<Value> filled(Out out, Call&& call) {
    Error error;
    if (call(&out, error.out()) != ARR_OK) {
        return error;
    }
    return Value(std::move(out));
}

/// Makes a C call that fills a wrapped struct: call(C struct*, arr_error_info*).
template <typename Wrapper, typename Call>
Result<Wrapper> filled_struct(Call&& call) {
    Error error;
    Wrapper wrapper;
    if (call(wrapper.out(), error.out()) != ARR_OK) {
        return error;
    }
    return wrapper;
}

/// Makes a C call that gives a handle: call(C handle**, arr_error_info*).
template <typename Owner, typename Call>
Result<Owner> owned(Call&& call) {
    Error error;
    typename Owner::raw_type* raw = nullptr;
    if (call(&raw, error.out()) != ARR_OK) {
        return error;
    }
    return Owner::adopt(raw);
}

/// Makes a C call that takes a text, NUL-terminated: call(const char*) gives a Result. It reads a Copy of the text.
template <typename Copy = std::string, typename Call>
auto with_text(const char* function, std::string_view text, Call&& call) -> decltype(call("")) {
    if (!is_whole_in_c(text)) {
        return Error::of_usage(Status::invalid_argument, function, "the text has a NUL inside");
    }
    return call(Copy(text).c_str());
}

/// Makes a C call that writes a text to a buffer: call(char*, capacity, needed*, arr_error_info*), once more if it was short.
template <typename Text, typename Call>
Result<Text> text_from(std::size_t capacity, Call&& call) {
    for (;;) {
        Error error;
        Text text(capacity, '\0');
        std::size_t needed = 0;
        const arr_status status = call(text.data(), text.size(), &needed, error.out());
        if (status == ARR_OK) {
            text.resize(needed == 0 ? 0 : needed - 1);
            return text;
        }
        if (status != ARR_ERROR_BUFFER_TOO_SMALL || needed <= capacity) {
            return error;
        }
        capacity = needed;
    }
}

}  // namespace detail
}  // namespace arr
