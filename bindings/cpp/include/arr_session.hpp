// arr_session.hpp - remote rendering sessions, for C++17 and later
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Thin classes over arr_session.h, which is the reference for each call. docs/cpp.md is the guide.
//
// Results   A function that can fail returns arr::Result<T>: a value or an arr::Error. The headers neither throw nor need
//           exceptions or RTTI (-fno-exceptions, -fno-rtti). With exceptions enabled there is also value_or_throw().
//
// Handles   arr::Client, arr::Session, arr::Operation and arr::SessionList are as large as a pointer, can be moved but not
//           copied, and free their handle when they are destroyed. Freeing never blocks, and does not stop a session.
//           Calls on an empty, moved-from or released object fail with Status::invalid_handle.
//
// Texts     are passed as std::string_view, which may be part of a larger text, and are copied. They are returned as views
//           that live as long as the object, each followed by a NUL.
//
// Times     are std::chrono durations. time.hpp says how they are rounded and which do not fit.
//
// Threads   Const member functions are thread-safe, also on one object. Moving and destroying an object is not, as with
//           every C++ object.
#pragma once

// Comes first, so that with an older standard this is the compiler's first error.
#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "arr_session.hpp needs C++17 or later: compile with -std=c++17 (MSVC: /std:c++17)"
#endif
#ifdef Status
#error "Status is a macro, probably from Xlib.h: #undef Status before you include arr_session.hpp"
#endif

#include "arr_session/client.hpp"
#include "arr_session/enums.hpp"
#include "arr_session/error.hpp"
#include "arr_session/event.hpp"
#include "arr_session/handle.hpp"
#include "arr_session/log.hpp"
#include "arr_session/operation.hpp"
#include "arr_session/options.hpp"
#include "arr_session/properties.hpp"
#include "arr_session/result.hpp"
#include "arr_session/secret.hpp"
#include "arr_session/session.hpp"
#include "arr_session/session_list.hpp"
#include "arr_session/text.hpp"
#include "arr_session/time.hpp"
#include "arr_session/token.hpp"
#include "arr_session/version.hpp"
