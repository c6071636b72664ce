#!/bin/bash
# A C compiler and linker for Android without the NDK, for checks only: glibc's headers, which suffice for ring's C, and libraries
# without code. Its output is never run.
exec clang-14 --target=aarch64-linux-android24 -isystem /usr/aarch64-linux-gnu/include "$@"
