#!/bin/bash
# cc.sh ZIG TARGET ARGUMENTS...: zig as the C compiler and linker that rustc calls, without what rustc says for another one:
# libraries that zig brings itself, and switches that it does not know.
zig=$1 target=$2
shift 2
arguments=()
links=1
for argument in "$@"; do
    case "$argument" in
    -c | -S | -E) links=0 && arguments+=("$argument") ;;
    # The unwinder is zig's own, whatever it is called elsewhere.
    -lunwind | -l:libunwind.a | -lgcc_eh | -lgcc_s | -lgcc) ;;
    -lwindows | -lmingwex | -lmingw32 | -lmsvcrt) ;;
    -nodefaultlibs | -nolibc | -Wl,-Bstatic | -Wl,-Bdynamic) ;;
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
