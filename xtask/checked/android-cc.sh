#!/bin/bash
# A C compiler and linker for Android without the NDK: it has glibc's headers, which are near enough for ring's C, and links with
# stand-ins that have no code. Nothing that it makes is ever run.
exec clang-14 --target=aarch64-linux-android24 -isystem /usr/aarch64-linux-gnu/include "$@"
