#!/bin/sh
# Compares the header $1 with the ABI's baseline $2, using abidiff in the folder $3: existing programs must keep working.
# Functions may be added, and fields at the end of a struct that abi/appended.ini names. If there is no baseline, it is written,
# once for each ARR_ABI_VERSION.
set -eu
header=$1 baseline=$2 folder=$3
# abidiff compares libraries with debug information, so each declaration becomes a function that is never called.
cc -E -P -DARR_API=FUNCTION -DARR_CALL= -DARR_NODISCARD= "$header" |
    sed -z -E 's/FUNCTION([^;]*);/\1 { __builtin_trap(); }/g' >"$folder/frozen.c"
# By its name alone, which the baseline repeats.
(cd "$folder" && cc -w -g -shared -fPIC frozen.c -o frozen.so)
if [ ! -e "$baseline" ]; then
    abidw --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed "$folder/frozen.so" >"$baseline"
    echo "wrote $baseline"
fi
# abidiff calls renamed fields and types "harmless".
if ! abidiff --harmless --no-added-syms --suppressions "${baseline%/*}/appended.ini" "$baseline" "$folder/frozen.so"; then
    echo "existing programs would break: see docs/platforms.md" >&2
    exit 1
fi
