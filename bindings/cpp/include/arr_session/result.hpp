// A value, or the error. SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "error.hpp"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// 1 if this file is compiled with exceptions enabled.
#define ARR_CPP_EXCEPTIONS 1
#include <exception>
#else
#define ARR_CPP_EXCEPTIONS 0
#endif

namespace arr {

#if ARR_CPP_EXCEPTIONS
/// Thrown by value_or_throw() only.
class Exception : public std::exception {
public:
    explicit Exception(Error error) noexcept : error_(std::move(error)) {}
    const Error& error() const noexcept { return error_; }
    const char* what() const noexcept override { return error_.what(); }

private:
    Error error_;
};
#endif

namespace detail {

/// The program uses a value that is not there. It cannot continue sensibly, so it ends.
[[noreturn]] inline void no_value(const Error& error) noexcept {
    std::fprintf(stderr, "arr::Result has no value: %s\n", error.what());
    std::abort();
}

}  // namespace detail

/// A T, or the Error that says why there is none. Check it first: without a value, value(), * and -> print the
/// error's message on standard error and call std::abort().
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    /// A failure. If `error` is of a success, for example taken from the wrong Result, it becomes
    /// Status::invalid_argument.
    Result(Error error) noexcept
        : error_(error.status() != Status::ok
                     ? std::move(error)
                     : Error::of_usage(Status::invalid_argument, "arr::Result", "made from the error of a success; return a value")) {}

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
    /// For a temporary, returns the value itself, so `for (const auto& each : *client.list_sessions())` is safe.
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

    /// Why there is no value; Status::ok if there is one.
    const Error& error() const& noexcept { return error_; }
    Error error() && noexcept { return std::move(error_); }
    Status status() const noexcept { return error_.status(); }

#if ARR_CPP_EXCEPTIONS
    /// The value, or throws an arr::Exception. Only with exceptions enabled.
    T value_or_throw() && {
        if (!has_value()) {
            throw Exception(std::move(error_));
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

/// A success, or the Error that says why it is not.
template <>
class [[nodiscard]] Result<void> {
public:
    /// A success.
    Result() noexcept = default;
    /// A failure, or a success if the status says so.
    Result(Error error) noexcept : error_(std::move(error)) {}

    bool has_value() const noexcept { return error_.status() == Status::ok; }
    explicit operator bool() const noexcept { return has_value(); }

    const Error& error() const& noexcept { return error_; }
    Error error() && noexcept { return std::move(error_); }
    Status status() const noexcept { return error_.status(); }

#if ARR_CPP_EXCEPTIONS
    /// Throws an arr::Exception on failure. Only with exceptions enabled.
    void value_or_throw() && {
        if (!has_value()) {
            throw Exception(std::move(error_));
        }
    }
#endif

private:
    Error error_;
};

namespace detail {

/// For a C call without a result: call(arr_error_info*).
template <typename Call>
Result<void> attempt(Call&& call) {
    arr_error_info error = error_info();
    call(&error);
    return Error(error);
}

/// For calls made in every frame: a timeout needs no heap.
inline Error quiet_error(arr_status status, const arr_error_info& error) noexcept {
    return status == ARR_ERROR_TIMEOUT ? Error(Status::timeout) : Error(error);
}

/// For a C call that fills a value: call(Out*, arr_error_info*). Returns Value(out).
template <typename Value, typename Out, typename Call>
Result<Value> filled(Out out, Call&& call) {
    arr_error_info error = error_info();
    if (call(&out, &error) != ARR_OK) {
        return Error(error);
    }
    return Value(std::move(out));
}

/// For a C call that fills a wrapped struct: call(C struct*, arr_error_info*).
template <typename Wrapper, typename Call>
Result<Wrapper> filled_struct(Call&& call) {
    arr_error_info error = error_info();
    Wrapper wrapper;
    if (call(wrapper.out(), &error) != ARR_OK) {
        return Error(error);
    }
    return wrapper;
}

/// For a C call that returns a handle: call(C handle**, arr_error_info*).
template <typename Owner, typename Call>
Result<Owner> owned(Call&& call) {
    arr_error_info error = error_info();
    typename Owner::raw_type* raw = nullptr;
    if (call(&raw, &error) != ARR_OK) {
        return Error(error);
    }
    return Owner::adopt(raw);
}

/// For a C call that takes a NUL-terminated text: call(const char*) returns a Result. It reads a Copy of the text.
template <typename Copy = std::string, typename Call>
auto with_text(const char* function, std::string_view text, Call&& call) -> decltype(call("")) {
    if (!is_whole_in_c(text)) {
        return Error::of_usage(Status::invalid_argument, function, "the text has an embedded NUL");
    }
    return call(Copy(text).c_str());
}

/// For a C call that writes a text to a buffer: call(char*, capacity, needed*, arr_error_info*). Calls it again if
/// the buffer was too small.
template <typename Text, typename Call>
Result<Text> text_from(std::size_t capacity, Call&& call) {
    for (;;) {
        arr_error_info error = error_info();
        Text text(capacity, '\0');
        std::size_t needed = 0;
        const arr_status status = call(text.data(), text.size(), &needed, &error);
        if (status == ARR_OK) {
            text.resize(needed == 0 ? 0 : needed - 1);
            return text;
        }
        if (status != ARR_ERROR_BUFFER_TOO_SMALL || needed <= capacity) {
            return Error(error);
        }
        capacity = needed;
    }
}

}  // namespace detail
}  // namespace arr
