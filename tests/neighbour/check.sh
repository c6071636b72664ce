#!/bin/sh
# Links the packaged static library in the folder $1 with another Rust library, in both orders, and into a Rust program, with
# each linker: no name is defined twice, and each library catches its own panics. Builds in $2. The arguments after $3 are a
# cargo command that builds into $3. $CC compiles; $RUN runs the programs, or is `true` if they cannot run here.
set -eu
package=$1 folder=$2 made=$3
shift 3
here=tests/neighbour
case "$CC" in
    *mingw*) linkers=bfd ;;
    *windows*) linkers=lld ;;
    *) linkers="bfd gold lld" ;;
esac
# GCC calls lld by this name.
ln -sf "$(command -v ld.lld-14)" "$folder/ld.lld"

# The library defines only the header's functions, private names, and names of imports.
llvm-nm-14 -A --defined-only --extern-only "$package/lib/static/libarr_session.a" >"$folder/names"
if grep -vE ' arr_|\.(dll|exe|sys)[^:]*: |^$' "$folder/names"; then
    exit 1
fi

export PKG_CONFIG_PATH="$package/lib/pkgconfig"
flags=$(pkg-config --cflags --libs arr_session-static)
strict="-std=c99 -Wall -Wextra -Wpedantic -Werror"
eval '"$CC"' $strict -c "$here/library.c" -o '"$folder/library.o"' $(pkg-config --cflags arr_session-static)
# rustc links archives, not objects.
rm -f "$folder/liblibrary.a"
llvm-ar-14 rcs "$folder/liblibrary.a" "$folder/library.o"

# A plugin that is linked as documented exports none of the names. zig does not support the option.
if [ "$linkers" != lld ]; then
    eval '"$CC"' $strict -fPIC -shared "$here/library.c" -o '"$folder/plugin.dll"' -Wl,--exclude-libs,ALL $flags
    llvm-readobj-14 --dyn-syms --coff-exports "$folder/plugin.dll" >"$folder/shown"
    if grep 'Name: arr_' "$folder/shown"; then
        exit 1
    fi
fi

"$@" --release --locked --package arr-neighbour --lib
neighbour="$made/libarr_neighbour.a"
for linker in $linkers; do
    for libraries in "$flags \"\$neighbour\" $flags" "\"\$neighbour\" $flags"; do
        echo "$linker: $libraries"
        eval '"$CC"' $strict '"-B$folder"' -fuse-ld=$linker "$here/program.c" '"$folder/library.o"' $libraries -o '"$folder/beside.exe"'
        eval $RUN '"$folder/beside.exe"'
    done
    echo "$linker: a Rust program"
    link="-Clinker=$CC|-Clink-arg=-B$folder|-Clink-arg=-fuse-ld=$linker|-L$folder|-L$package/lib/static|-lstatic=library"
    for library in $(pkg-config --libs-only-l arr_session-static | sed 's/-larr_session/-lstatic=arr_session/'); do
        link="$link|$library"
    done
    (
        IFS="|"
        "$@" --release --locked --package arr-neighbour --bin arr-neighbour-program --features program -- $link
    )
    program="$made/arr-neighbour-program"
    [ -e "$program" ] || program="$program.exe"
    eval $RUN '"$program"'
done
