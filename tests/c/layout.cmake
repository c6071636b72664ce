# Writes the source `layout` from abi/layout.txt. It compiles as C and C++ if structs have that layout. C99 has no static
# assertions, so a typedef of an array with negative size names what is wrong.
set(layout "${CMAKE_CURRENT_BINARY_DIR}/layout.c")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${root}/abi/layout.txt")
file(STRINGS "${root}/abi/layout.txt" lines)
set(source [[
#include <arr_session.h>
#include <stddef.h>
#ifdef __cplusplus
#define CHECK(name, condition) static_assert(condition, #name)
#else
#define CHECK(name, condition) typedef char name[(condition) ? 1 : -1]
#endif
]])
foreach(line IN LISTS lines)
  if(line MATCHES "^struct ([a-z_]+) ([0-9]+) ([0-9]+)$")
    set(struct ${CMAKE_MATCH_1})
    string(APPEND source "struct behind_${struct} { char byte; ${struct} it; };\n"
      "CHECK(${struct}_is_aligned_to_${CMAKE_MATCH_3}, offsetof(struct behind_${struct}, it) == ${CMAKE_MATCH_3});\n"
      "CHECK(${struct}_has_${CMAKE_MATCH_2}_bytes, sizeof(${struct}) == ${CMAKE_MATCH_2});\n")
  elseif(line MATCHES "^  ([a-z0-9_]+) ([0-9]+) ([0-9]+)$")
    set(field ${CMAKE_MATCH_1})
    string(APPEND source
      "CHECK(${struct}_${field}_is_at_${CMAKE_MATCH_2}, offsetof(${struct}, ${field}) == ${CMAKE_MATCH_2});\n"
      "CHECK(${struct}_${field}_has_${CMAKE_MATCH_3}_bytes, sizeof(((${struct} *)0)->${field}) == ${CMAKE_MATCH_3});\n")
  elseif(NOT line MATCHES "^(#.*)?$")
    message(FATAL_ERROR "abi/layout.txt has the line `${line}`, which cannot be read")
  endif()
endforeach()
file(CONFIGURE OUTPUT "${layout}" CONTENT "${source}" @ONLY)
