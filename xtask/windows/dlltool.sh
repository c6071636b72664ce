#!/bin/bash
# dlltool.sh DLLTOOL ARGUMENTS...: binutils' dlltool, with reproducible output. dlltool names symbols after the library's path, and
# rustc passes a path in the checkout with a random part. Here the name follows from the definition file, so only equal libraries
# share it.
set -euo pipefail
dlltool=$1
shift
library='' definition=''
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
    -l) library=${2:?-l is followed by nothing} ;;
    -d) definition=${2:?-d is followed by nothing} ;;
    # It cannot contain blanks, unlike paths. Here the folder is unique already.
    --temp-prefix) arguments+=("$1" "$(basename "$2")") ;;
    *) arguments+=("$1") && shift && continue ;;
    esac
    shift 2
done
if [ -z "$library" ] || [ ! -r "$definition" ]; then
    echo "dlltool.sh: it needs -l LIBRARY and -d DEFINITION; \`$definition\` is not a file" >&2
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
