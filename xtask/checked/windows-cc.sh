#!/bin/bash
# A C compiler for type-checking only: ring's build script compiles its C for Windows, but the result is never linked. It always
# uses MinGW's headers.
arguments=()
target=x86_64-w64-mingw32
for argument in "$@"; do
    case "$argument" in
    --target=aarch64-*) target=aarch64-w64-mingw32 ;;
    --target=*) ;;
    *) arguments+=("$argument") ;;
    esac
done
exec clang-14 "--target=$target" -isystem /usr/share/mingw-w64/include "${arguments[@]}"
