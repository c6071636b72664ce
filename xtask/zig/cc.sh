#!/bin/bash
# cc.sh ZIG TARGET ARGUMENTS...: zig as the C compiler and linker that rustc calls, without what rustc says for another one:
# libraries that zig brings itself, and switches that it does not know.
#
# zig compiles parts of C libraries that it links, with debug information. Where they lie has to be the same on every machine:
# below a file descriptor, and not below the folder that this is called in.
zig=$1 target=$2
shift 2
exec 9<"$(dirname "$zig")"
export ZIG_LIB_DIR=/proc/self/fd/9/lib
arguments=()
links=1
for argument in "$@"; do
    case "$argument" in
    -c | -S | -E) links=0 && arguments+=("$argument") ;;
    # The unwinder is zig's own, whatever it is called elsewhere.
    -lunwind | -l:libunwind.a | -lgcc_eh | -lgcc_s | -lgcc) ;;
    -lwindows | -lmingwex | -lmingw32 | -lmsvcrt) ;;
    # Only rustc says so, whose paths all begin at the root.
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
