#!/bin/sh
# The thread's command, `make V=1 BOARD=WIPY flash`, literally: it builds, says
# what goes where and why, shows the command and flashes the running board, or
# PORT=. Argument: the build folder.
. "$(dirname "$0")/board.sh" "$1"
root=$(cd "$(dirname "$0")/../.." && pwd)

flash_by_make() {
    make -C "$root" BUILD="$build" FLASH="$flash" V=1 BOARD=WIPY flash "$@" \
        >"$work/said" 2>&1
}

says() {
    check "says: $1" grep -qE "$1" "$work/said"
}

board_start
"$wipy" erase --flash "$flash" factory --after no_reset >/dev/null 2>&1
check "make V=1 BOARD=WIPY flash" flash_by_make
says '^  0x001000  bootloader\.bin +[0-9]+ bytes  bootloader'
says '^  0x008000  partitions\.bin '
says '^  0x010000  appimg\.bin '
says '^appimg\.bin is wipy\.bin \([0-9]+ bytes\) plus 32 bytes: the MD5'
says '^  wipy flash --chip esp32 --port rfc2217://.* 0x10000 appimg\.bin$'
says '^  esptool\.py --chip esp32 --port rfc2217://.* 0x10000 appimg\.bin '
says '^Port rfc2217://.* \(the running board of '
says '^0x010000 factory .*, verified$'
says '^Next start: factory'
board_ready
check "what is there is appimg.bin" "$wipy" verify -q --flash "$flash" \
    factory "$build/appimg.bin"
board_ready
check "with PORT=" flash_by_make PORT="rfc2217://$serial"
says '^Next start: factory'
check "then it finds no port" sh -c "! grep -q '^Port ' '$work/said'"
if flash_by_make PORT=rfc2217://127.0.0.1:1; then
    echo "FAILED: a port where nobody is" && exit 1
fi
says '^wipy: rfc2217://127\.0\.0\.1:1: '
if make -C "$root" BOARD=LOPY flash >"$work/said" 2>&1; then
    echo "FAILED: BOARD=LOPY" && exit 1
fi
says 'BOARD=LOPY is not known: it is WIPY'
board_stop
