#!/bin/sh
# Builds the quickstarts with the installed package in a shell: in the folder $1, expecting version $2.
# `eval`, because the package's path may have a space, which pkg-config escapes.
set -eu
flags() { pkg-config --cflags --libs "$1"; }
# Windows searches for libraries beside the program.
found_at() { case "$CC" in *mingw*) ;; *) echo "-Wl,-rpath,$(pkg-config --variable=libdir "$1")" ;; esac; }
eval $CC -std=c99 examples/c/quickstart.c -o '"$1/c_shared"' $(flags arr_session) $(found_at arr_session)
eval $CC -std=c99 examples/c/quickstart.c -o '"$1/c_static"' $(flags arr_session-static)
eval $CXX -std=c++17 examples/cpp/quickstart.cpp -o '"$1/cpp_shared"' $(flags arr_session) $(found_at arr_session)
eval $CXX -std=c++17 examples/cpp/quickstart.cpp -o '"$1/cpp_static"' $(flags arr_session-static)
test "$(pkg-config --modversion arr_session)" = "$2"
