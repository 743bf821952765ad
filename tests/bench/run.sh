#!/bin/sh
# Every benchmark, one after the other; one that misses a limit of its own
# does not keep the others from running. usage: run.sh BUILD_DIR
set -u
build=$(cd "${1:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
missed=

measure() {
    echo
    echo "== $(basename "$1")"
    "$@" || missed="$missed $(basename "$1")"
}

for program in "$build"/tests/*_bench; do
    [ -x "$program" ] || continue
    case $program in
    */ota_bench) measure "$program" "$build/appimg.bin" "$build/bootloader.bin" ;;
    *) measure "$program" ;;
    esac
done
for script in "$here"/*_bench.py "$here"/*_bench.sh "$here"/*_bench.mjs; do
    [ -x "$script" ] && measure "$script" "$build"
done
[ -z "$missed" ] || {
    echo
    echo "missed a limit or failed:$missed"
    exit 1
}
