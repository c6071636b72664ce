# Binding generators read the header. LuaJIT and Python's cffi load its declarations and run a life cycle and a frame loop;
# bindgen and SWIG see every function and constant. The environment specifies the emulator.
# Arguments: the workspace's root, the shared library, a folder to write to.
set -eu
root=$1 library=$2 folder=$3
header=$root/include/arr_session.h
# Removes the attributes for compilers: calling convention, export, nodiscard.
bare='-DARR_API= -DARR_CALL= -DARR_NODISCARD='

cc -std=c99 -E -P $bare "$header" >"$folder/declarations.h"
cc -std=c99 -E -dM $bare "$header" | grep '^#define ARR_.* ' >"$folder/constants.h"
sed -n 's/^\(arr_[a-z0-9_]*\)(.*/\1/p' "$root/abi/symbols.txt" >"$folder/functions.txt"
grep '^ARR_' "$root/abi/constants.txt" >"$folder/constants.txt"
for program in 'luajit lifecycle.lua' '/usr/bin/python3 lifecycle.py'; do
    (cd "$(dirname "$0")" && $program "$folder" "$library")
done

bindgen "$header" --output "$folder/bindings.rs" -- -std=c99 $bare
printf '%%module arr\n%%include <stdint.i>\n%%include "%s"\n' "$header" >"$folder/arr.i"
swig -python -w451 $bare -outdir "$folder" -o "$folder/swig.c" "$folder/arr.i"

status=0
seen() { # seen FILE NAME TEXT: fails unless the generator's file contains this text
    grep -qF -- "$3" "$folder/$1" || { echo "$1 has no $2" >&2; status=1; }
}
while read -r name; do
    seen bindings.rs "$name" "pub fn $name("
    seen swig.c "$name" "_wrap_$name("
done <"$folder/functions.txt"
while read -r name value; do
    seen bindings.rs "$name" "pub const $name: "
    seen swig.c "$name" "SWIG_Python_SetConstant(d, \"$name\","
done <"$folder/constants.txt"
echo "$(wc -l <"$folder/functions.txt") functions and $(wc -l <"$folder/constants.txt") constants"
exit $status
