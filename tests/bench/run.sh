#!/bin/sh
# Every benchmark, one after the other. usage: run.sh BUILD_DIR
set -eu
build=$(cd "${1:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
for program in "$build"/tests/*_bench; do
    [ -x "$program" ] || continue
    echo
    echo "== $(basename "$program")"
    case $program in
    */ota_bench) "$program" "$build/appimg.bin" "$build/bootloader.bin" ;;
    *) "$program" ;;
    esac
done
for script in "$here"/*_bench.py "$here"/*_bench.sh "$here"/*_bench.mjs; do
    [ -x "$script" ] || continue
    echo
    echo "== $(basename "$script")"
    "$script" "$build"
done
