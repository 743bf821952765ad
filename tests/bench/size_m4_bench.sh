#!/bin/sh
# Code of core/boot and core/update for a Cortex-M4, -Os, without the crypto
# library: at most 8 KiB. Judged with arm-none-eabi-gcc, what firmware of this
# kind is built with (Debian: gcc-arm-none-eabi), or with clang when there is
# none; with both, both are shown. musl's headers stand in for a C library.
#   -v  lists the functions by size
set -eu
cd "$(dirname "$0")/../.."
LIMIT=8192
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cpu="-mcpu=cortex-m4 -mthumb -Os -std=c11 -ffunction-sections -ffreestanding"

sections() { # FILE...: name and bytes of each section
    for tool in arm-none-eabi-size llvm-size llvm-size-14 size; do
        command -v "$tool" >/dev/null && break
    done
    "$tool" -A "$@" | awk '$1 ~ /^\./ { print $1, $2 }'
}

measure() { # NAME COMMAND...: prints, and leaves the code's bytes in $code
    name=$1
    shift
    for file in core/boot/*.c core/update/*.c; do
        "$@" $cpu -Icore -I. -isystem "/usr/include/$(uname -m)-linux-musl" \
            -isystem /usr/include/bearssl \
            -c "$file" -o "$work/$(echo "$file" | tr / -).o"
    done
    sections "$work"/*.o >"$work/sections"
    code=$(awk '$1 ~ /^\.text/ { n += $2 } END { print n }' "$work/sections")
    data=$(awk '$1 ~ /^\.(rodata|ARM\.ex)/ { n += $2 } END { print n }' \
        "$work/sections")
    printf '%-52s %10.3f KiB\n' "constants and sentences, $name" \
        "$(echo "$data" | awk '{ print $1 / 1024 }')"
    printf '%-52s %10.3f KiB' "core/boot + core/update, $name" \
        "$(echo "$code" | awk '{ print $1 / 1024 }')"
}

judged=
for compiler in arm-none-eabi-gcc clang; do
    command -v "$compiler" >/dev/null || continue
    case $compiler in
    clang) measure clang clang --target=thumbv7em-none-eabi ;;
    *) measure gcc arm-none-eabi-gcc ;;
    esac
    if [ -z "$judged" ]; then
        judged=$code
        [ "$code" -le $LIMIT ] && word=ok || word=MISSED
        echo " (at most 8: $word)"
        [ "${1:-}" = -v ] && sort -k2nr "$work/sections" |
            sed -n 's/^\.text\.//p' | head -100
    else
        echo
    fi
done
if [ -z "$judged" ]; then
    echo "NOT MEASURED: no compiler for Cortex-M4. Install one:" \
        "deps/install bench (gcc-arm-none-eabi)"
    exit 1
fi
[ "$judged" -le $LIMIT ]
