// What C++ takes from the heap and gives back to it, on the thread that asks. The library's own part is seen by the C tests.
#pragma once

#include <string_view>

namespace heap {

/// While it is on, each allocation is counted.
inline thread_local bool counting = false;
inline thread_local unsigned long allocations = 0;

/// While it is not empty, each block that is given back with this text in it is counted.
inline thread_local std::string_view hunted;
inline thread_local unsigned long found = 0;

}  // namespace heap
