#!/bin/bash
# cc.sh ZIG TARGET ARGUMENTS...: zig as the C compiler and linker for rustc, without arguments that rustc means for other linkers:
# libraries that zig provides, and switches that it does not know.
#
# zig compiles parts of the C libraries that it links, with debug information. Their paths must be the same on every machine: they
# go through a file descriptor, and are not relative to the current folder.
zig=$1 target=$2
shift 2
exec 9<"$(dirname "$zig")"
export ZIG_LIB_DIR=/proc/self/fd/9/lib
arguments=()
links=1
for argument in "$@"; do
    case "$argument" in
    -c | -S | -E) links=0 && arguments+=("$argument") ;;
    # zig has its own unwinder, under one name.
    -lunwind | -l:libunwind.a | -lgcc_eh | -lgcc_s | -lgcc) ;;
    -lwindows | -lmingwex | -lmingw32 | -lmsvcrt) ;;
    # Only rustc passes this, and all of its paths are absolute.
    -nodefaultlibs) cd / ;;
    -nolibc | -Wl,-Bstatic | -Wl,-Bdynamic) ;;
    --target=* | --unwindlib=* | -Wl,--disable-auto-image-base) ;;
    # The list of exports is an input, not an option.
    -Wl,*.def) arguments+=("${argument#-Wl,}") ;;
    *) arguments+=("$argument") ;;
    esac
done
if [ "$links" = 1 ]; then
    arguments+=(-lunwind)
fi
exec "$zig" cc -target "$target" "${arguments[@]}"
