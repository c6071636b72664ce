#!/bin/bash
# dlltool.sh DLLTOOL ARGUMENTS...: binutils' dlltool, which names symbols after the path that the library is written to. rustc's
# begins with the checkout's and has a random part, so that the library would have other bytes each time. Here the name follows
# from what is asked for: two libraries share it only if they are the same.
set -euo pipefail
dlltool=$1
shift
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
    -l) library=$(realpath --canonicalize-missing "$2") && shift 2 ;;
    -d) definition=$(realpath "$2") && arguments+=(-d "$definition") && shift 2 ;;
    *) arguments+=("$1") && shift ;;
    esac
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
name=$(basename "$library")
name="${name%%.*}-$(sha256sum <"$definition" | head -c 16).lib"
(cd "$folder" && "$dlltool" "${arguments[@]}" -l "$name")
mv "$folder/$name" "$library"
