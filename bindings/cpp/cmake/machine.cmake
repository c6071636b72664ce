# The target of the project that reads this: arr_system, and arr_processor, which is x64, arm64 or another lower-case name. Each
# is empty if it is unknown.
set(arr_system "")
set(arr_processor "")
get_property(arr_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if(NOT arr_languages MATCHES "^(NONE)?$")
  set(arr_system "${CMAKE_SYSTEM_NAME}")
  # The requested processor, then the compiler's. With Visual Studio, the last of these is the processor that CMake runs on.
  set(arr_sources ${arr_languages})
  list(TRANSFORM arr_sources REPLACE "(.+)" "CMAKE_\\1_COMPILER_ARCHITECTURE_ID")
  foreach(arr_source CMAKE_OSX_ARCHITECTURES ${arr_sources} CMAKE_VS_PLATFORM_NAME CMAKE_SYSTEM_PROCESSOR)
    if(arr_processor STREQUAL "")
      set(arr_processor "${${arr_source}}")
    endif()
  endforeach()
endif()
string(TOLOWER "${arr_processor}" arr_processor)
if(arr_processor MATCHES "^(x86_64|amd64)$")
  set(arr_processor x64)
elseif(arr_processor STREQUAL "aarch64")
  set(arr_processor arm64)
elseif(arr_processor MATCHES ";")
  # Several processors.
  set(arr_processor "")
endif()
# UWP uses the same libraries.
if(arr_system STREQUAL "WindowsStore")
  set(arr_system Windows)
endif()
