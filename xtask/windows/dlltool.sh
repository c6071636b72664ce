#!/bin/bash
# dlltool.sh DLLTOOL ARGUMENTS...: binutils' dlltool, which names symbols after the path that the library is written to. rustc's
# begins with the checkout's and has a random part, so that the library would have other bytes each time. Here the name follows
# from what is asked for: two libraries share it only if they are the same.
set -euo pipefail
dlltool=$1
shift
library='' definition=''
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
    -l) library=${2:?-l is followed by nothing} ;;
    -d) definition=${2:?-d is followed by nothing} ;;
    # It cannot have blanks, as paths may. Here all is in a folder of its own.
    --temp-prefix) arguments+=("$1" "$(basename "$2")") ;;
    *) arguments+=("$1") && shift && continue ;;
    esac
    shift 2
done
if [ -z "$library" ] || [ ! -r "$definition" ]; then
    echo "dlltool.sh: it takes -l LIBRARY and -d DEFINITION, and \`$definition\` is no file" >&2
    exit 2
fi
library=$(realpath --canonicalize-missing "$library")
definition=$(realpath "$definition")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
name=$(basename "$library")
name="${name%%.*}-$(sha256sum <"$definition" | head -c 16).lib"
cd "$folder"
"$dlltool" "${arguments[@]}" -d "$definition" -l "$name"
mv "$name" "$library"
