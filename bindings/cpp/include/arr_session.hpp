// arr_session.hpp - rendering sessions of Azure Remote Rendering, for C++17 and later.
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Thin classes over arr_session.h, which stays the reference for what a call does, sends and costs. docs/cpp.md is the guide.
//
// RESULTS     Whatever can fail returns arr::Result<T>: a value, or an arr::Error that says what to do. No exception is
//             thrown and none is needed: -fno-exceptions and -fno-rtti are fine. With exceptions there is
//             value_or_throw() besides.
//
// HANDLES     arr::Client, arr::Session, arr::Operation and arr::SessionList are as large as a pointer, are moved and not
//             copied, and free their handle when they end. Freeing never blocks and never stops a session. One that is
//             empty, was moved from or released answers every call by Status::invalid_handle.
//
// TEXTS       go in as std::string_view, which may be a part of something larger, and are copied. They come out as views of
//             the object they were asked of, and live as long as it does; each is followed by a NUL where it stands.
//
// TIME        is std::chrono. See time.hpp for what is rounded, and for what does not fit.
//
// THREADS     A const member function may be called from any thread, several at a time, on one object. Moving and ending
//             an object is for one thread, as with every C++ object.
#pragma once

// Before anything that an older standard does not have: this is the first thing that a compiler says then.
#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "arr_session.hpp needs C++17 or later: compile with -std=c++17 (MSVC: /std:c++17)"
#endif
#ifdef Status
#error "Status is a macro, which Xlib.h makes it: #undef Status before arr_session.hpp is included"
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
