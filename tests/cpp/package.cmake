# Installs the package for CMake and pkg-config, and moves it. Fails if a file names the original folder, or if CMake chooses
# the wrong one of several packages. Leaves `plain/moved here`, with the library as cargo builds it, and `named/moved here`,
# with a SONAME as in the released packages.
#
#   cmake -D LIBRARIES=target/release -D FOLDER=target/package -P tests/cpp/package.cmake
cmake_minimum_required(VERSION 3.19)
get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(configure "${CMAKE_COMMAND}" -G Ninja --no-warn-unused-cli)

# The path has a space.
function(install_and_move name libraries)
  set(folder "${FOLDER}/${name}")
  file(REMOVE_RECURSE "${folder}")
  execute_process(
    COMMAND ${configure} -S "${root}/bindings/cpp" -B "${folder}/build" "-DARR_SESSION_LIBRARY_DIR=${libraries}" ${ARGN}
    COMMAND_ERROR_IS_FATAL ANY)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" --install "${folder}/build" --prefix "${folder}/first"
    COMMAND_ERROR_IS_FATAL ANY)
  file(RENAME "${folder}/first" "${folder}/moved here")
endfunction()

install_and_move(plain "${LIBRARIES}")

file(STRINGS "${root}/include/arr_session.h" abi REGEX "^#define ARR_ABI_VERSION ")
string(REGEX MATCH "[0-9]+$" abi "${abi}")
set(soname libarr_session.so.${abi})
set(named "${FOLDER}/library")
file(REMOVE_RECURSE "${named}")
file(MAKE_DIRECTORY "${named}")
file(COPY "${LIBRARIES}/libarr_session.a" DESTINATION "${named}")
execute_process(
  COMMAND cc -shared -o ${soname} -Wl,-soname,${soname},--whole-archive libarr_session.a -Wl,--no-whole-archive
    -lgcc_s -lpthread -ldl -lm
  WORKING_DIRECTORY "${named}" COMMAND_ERROR_IS_FATAL ANY)
file(CREATE_LINK ${soname} "${named}/libarr_session.so" SYMBOLIC)
install_and_move(named "${named}")

# No text names the folder where it was built or first installed.
foreach(name plain named)
  file(GLOB_RECURSE texts "${FOLDER}/${name}/moved here/*")
  list(FILTER texts EXCLUDE REGEX "/libarr_session[^/]*$")
  list(LENGTH texts count)
  if(count LESS 20)
    message(FATAL_ERROR "Only ${count} texts are installed")
  endif()
  foreach(file IN LISTS texts)
    file(READ "${file}" text)
    foreach(place "${root}" "${LIBRARIES}" "${FOLDER}")
      string(FIND "${text}" "${place}" position)
      if(NOT position EQUAL -1)
        message(FATAL_ERROR "${file} names ${place}")
      endif()
    endforeach()
  endforeach()
endforeach()

# Files that work in one place only are not installed.
execute_process(
  COMMAND ${configure} -S "${root}/bindings/cpp" -B "${FOLDER}/fixed" "-DARR_SESSION_LIBRARY_DIR=${LIBRARIES}"
    -DCMAKE_INSTALL_INCLUDEDIR=/fixed
  OUTPUT_QUIET ERROR_VARIABLE said)
if(NOT said MATCHES "CMAKE_INSTALL_INCLUDEDIR must be relative")
  message(FATAL_ERROR "Headers in a fixed folder are not refused: ${said}")
endif()

# Among several packages, CMake takes the first for the project's system and processor. There is one for this machine; a copy
# marked for another processor; and one that is found through a link without headers beside it.
cmake_host_system_information(RESULT platform QUERY OS_PLATFORM)
if(platform MATCHES "aarch64|arm64")
  set(other x86_64)
  set(other_spelt AMD64)
  set(this_spelt ARM64)
else()
  set(other aarch64)
  set(other_spelt ARM64)
  set(this_spelt x64)
endif()
# The last takes precedence over the compiler's processor, which differs.
install_and_move(foreign "${named}"
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=${other} -DCMAKE_OSX_ARCHITECTURES=${other})
file(MAKE_DIRECTORY "${FOLDER}/linked")
file(CREATE_LINK "${FOLDER}/named/moved here/lib" "${FOLDER}/linked/lib" SYMBOLIC)
set(here_prefix "${FOLDER}/named/moved here")
set(foreign_prefix "${FOLDER}/foreign/moved here")
set(linked_prefix "${FOLDER}/linked")

# The package found with this variable, as a toolchain sets it, among these packages; or `none`.
function(expect_found expected said)
  set(prefixes "")
  foreach(package IN LISTS ARGN)
    list(APPEND prefixes "${${package}_prefix}")
  endforeach()
  if(NOT DEFINED languages)
    set(languages C)
  endif()
  execute_process(
    COMMAND ${configure} -S "${root}/tests/cpp/finder" -B "${FOLDER}/finder-${languages}" -Uarr_session_DIR
      -DLANGUAGES=${languages} "-DSAID=${said}" "-DCMAKE_PREFIX_PATH=${prefixes}"
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(wanted "found in ${${expected}_prefix}/lib/cmake/arr_session.")
  if(expected STREQUAL "none")
    set(wanted "not accepted")
  endif()
  string(FIND "${output}" "${wanted}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "CMake with `${said}`, among ${ARGN}: not `${wanted}`:\n${output}")
  endif()
endfunction()
expect_found(here "" foreign here)
expect_found(none "" foreign)
expect_found(linked "" linked)
expect_found(here CMAKE_SYSTEM_PROCESSOR=${this_spelt} foreign here)
expect_found(foreign CMAKE_SYSTEM_PROCESSOR=${other_spelt} here foreign)
expect_found(none CMAKE_SYSTEM_PROCESSOR=riscv64 here foreign)
expect_found(foreign CMAKE_SYSTEM_PROCESSOR= foreign here)
# Set by Visual Studio.
expect_found(foreign CMAKE_C_COMPILER_ARCHITECTURE_ID=${other_spelt} here foreign)
expect_found(foreign CMAKE_VS_PLATFORM_NAME=${other_spelt} here foreign)
# This may be for a universal binary.
expect_found(foreign "CMAKE_OSX_ARCHITECTURES=arm64;x86_64" foreign here)
expect_found(none CMAKE_SYSTEM_NAME=Android here)
# A project that compiles nothing can use any.
set(languages NONE)
expect_found(foreign "" foreign here)
