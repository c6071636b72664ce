# The header causes none of clang's warnings, in every dialect of `language`, for every platform. It includes only <stdint.h>
# and <stddef.h>: there is no C library here, only the compiler's own headers.

set(every_warning -Weverything -Werror
  # Irrelevant for C++11 and later.
  -Wno-c++98-compat-pedantic)
set(dialects_C c99 c11 c17 c2x)
set(dialects_CXX c++11 c++14 c++17 c++20 c++2b)
set(as_C -xc)
set(as_CXX -xc++)
foreach(platform x86_64-linux-gnu aarch64-linux-gnu x86_64-pc-windows-msvc aarch64-pc-windows-msvc x86_64-w64-windows-gnu
    aarch64-linux-android28 arm64-apple-ios15 arm64-apple-macos12)
  set(microsoft "")
  if(platform MATCHES "msvc$")
    set(microsoft -fms-extensions)
  endif()
  foreach(dialect IN LISTS dialects_${language})
    execute_process(
      COMMAND "${CMAKE_${language}_COMPILER}" --target=${platform} ${as_${language}} -std=${dialect} ${every_warning}
        ${microsoft} -ffreestanding -nostdlibinc -fsyntax-only "-I${root}/include" "${twice}"
      RESULT_VARIABLE failed ERROR_VARIABLE said)
    if(failed)
      message(SEND_ERROR "arr_session.h as ${dialect} for ${platform}:\n${said}")
    endif()
  endforeach()
endforeach()

# Every function is __cdecl even if the program's default is another (/Gv).
if(language STREQUAL "CXX")
  file(STRINGS "${root}/abi/symbols.txt" functions REGEX "^arr_")
  list(TRANSFORM functions REPLACE "^([a-z0-9_]+).*" "is_cdecl(&\\1)")
  list(JOIN functions ",\n" functions)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/conventions.cpp")
  file(WRITE "${source}" "#include <arr_session.h>\ntemplate <typename Result, typename... Arguments>\n"
    "int is_cdecl(Result(__cdecl*)(Arguments...));\nint all[] = {${functions}};\n")
  execute_process(
    COMMAND "${CMAKE_CXX_COMPILER}" --driver-mode=cl --target=x86_64-pc-windows-msvc /Gv /Zs -Xclang -ffreestanding
      "/I${root}/include" -- "${source}"
    RESULT_VARIABLE failed ERROR_VARIABLE said OUTPUT_VARIABLE said)
  if(failed)
    message(SEND_ERROR "With /Gv not every function is __cdecl:\n${said}")
  endif()
endif()
