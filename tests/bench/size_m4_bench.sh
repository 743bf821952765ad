#!/bin/sh
# Text size of core/boot and core/update for a Cortex-M4, -Os, without crypto.
# Uses arm-none-eabi-gcc, or clang with musl's headers.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if command -v arm-none-eabi-gcc >/dev/null; then
    compile="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb"
    size=arm-none-eabi-size
elif command -v clang >/dev/null; then
    compile="clang --target=thumbv7em-none-eabi -mcpu=cortex-m4 \
        -isystem /usr/include/$(uname -m)-linux-musl"
    size=$(command -v llvm-size || command -v llvm-size-14 || echo size)
else
    echo "size_m4: needs arm-none-eabi-gcc or clang"
    exit 0
fi
for room in boot update; do
    for file in core/$room/*.c; do
        $compile -Os -std=c11 -ffunction-sections -ffreestanding -Icore -I. \
            -isystem /usr/include/bearssl -isystem build/cpu-include \
            -c "$file" -o "$work/$room-$(basename "$file" .c).o"
    done
done
$size -A "$work"/*.o | awk '
    $1 ~ /^\.text/ { code += $2 }
    $1 ~ /^\.(rodata|ARM\.ex)/ { data += $2 }
    END { printf "%-52s %10.3f KiB\n", "constants and sentences", data / 1024 
        printf "%-52s %10.3f KiB (at most 8: %s)\n",
        "core/boot + core/update for Cortex-M4, code", code / 1024,
        code <= 8192 ? "ok" : "MISSED" }'
