// Observes C++ allocations of the current thread. The C tests observe the library's.
#pragma once

#include <string_view>

namespace heap {

/// While true, each allocation is counted.
inline thread_local bool counting = false;
inline thread_local unsigned long allocations = 0;

/// While true, nothrow allocations fail.
inline thread_local bool exhausted = false;

/// While not empty, each freed block that contains this text is counted.
inline thread_local std::string_view hunted;
inline thread_local unsigned long found = 0;

}  // namespace heap
