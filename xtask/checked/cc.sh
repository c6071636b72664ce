#!/bin/bash
# A C compiler for type-checking only: ring's build script compiles its C for the target, and nobody links what comes of it.
# For Windows there are MinGW's headers, whatever the target's own compiler would have; for Android, glibc's.
arguments=()
target=
for argument in "$@"; do
    case "$argument" in
    --target=*) target=${argument#--target=} ;;
    *) arguments+=("$argument") ;;
    esac
done
case "$target" in
*android*) set -- "--target=$target" -isystem /usr/aarch64-linux-gnu/include ;;
aarch64-*) set -- --target=aarch64-w64-mingw32 -isystem /usr/share/mingw-w64/include ;;
*) set -- --target=x86_64-w64-mingw32 -isystem /usr/share/mingw-w64/include ;;
esac
exec clang-14 "$@" "${arguments[@]}"
