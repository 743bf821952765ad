#!/bin/sh
# The files of a board that is off: wipy fs with mtools and fsck.fat as
# witnesses, and what a board says to a chip whose files were changed.
. "$(dirname "$0")/board.sh" "$1"
PATH=$PATH:/usr/sbin:/sbin

board_start
busy=0
"$wipy" fs ls "$flash" 2>"$work/err" || busy=$?
check "a running board keeps its chip for itself" [ "$busy" -eq 4 ]
check "and the message says so" grep -q "a board is using this chip" "$work/err"
board_stop

check "ls shows the first files" \
    sh -c "'$wipy' fs ls '$flash' | grep -q main.py"
check "check finds it sound" "$wipy" fs check "$flash"
head -c 300000 /dev/urandom >"$work/data"
check "put a file" "$wipy" fs put "$flash" "$work/data" lib/data.bin
check "put over main.py" sh -c "echo 'print(1)' >'$work/main.py' &&
    '$wipy' fs put '$flash' '$work/main.py' /flash"
chmod 640 "$flash"
mv "$flash" "$work/real.flash" && ln -s real.flash "$flash"
check "put through a symbolic link" sh -c "
    '$wipy' fs put '$flash' '$work/data' lib/link.bin && [ -L '$flash' ]"
check "the file keeps its mode" [ "$(stat -c %a "$work/real.flash")" = 640 ]
check "and no copy is left" [ -z "$(ls "$work"/real.flash.?* 2>/dev/null)" ]
mv -f "$work/real.flash" "$flash"
check "get it back" sh -c "'$wipy' fs get '$flash' lib/data.bin '$work/back' &&
    cmp '$work/data' '$work/back'"
check "cat" sh -c "[ \"\$('$wipy' fs cat '$flash' /flash/main.py)\" = 'print(1)' ]"
check "firmware names are refused" sh -c "
    ! '$wipy' fs put '$flash' '$work/data' sys/appimg.bin 2>/dev/null"

check "export" "$wipy" fs export "$flash" "$work/flash.img"
check "fsck.fat accepts the image" fsck.fat -n "$work/flash.img"
check "mtools read it" sh -c "mcopy -n -i '$work/flash.img' ::lib/data.bin '$work/m' &&
    cmp '$work/data' '$work/m'"
check "mtools change it" sh -c "echo fromapc >'$work/pc' &&
    mcopy -i '$work/flash.img' '$work/pc' '::lib/a name from a PC.txt' &&
    mdel -i '$work/flash.img' ::boot.py"
check "import" "$wipy" fs import "$flash" "$work/flash.img"
check "the PC's file is there" sh -c "
    [ \"\$('$wipy' fs cat '$flash' 'lib/a name from a PC.txt')\" = fromapc ]"
check "what the PC deleted is not" sh -c "
    ! '$wipy' fs cat '$flash' boot.py 2>/dev/null"
check "the rest is" sh -c "'$wipy' fs get '$flash' lib/data.bin '$work/back' &&
    cmp '$work/data' '$work/back'"
truncate -s 16M "$work/ex.img" && mkfs.exfat "$work/ex.img" >/dev/null
check "an exFAT image too" "$wipy" fs import "$flash" "$work/ex.img"
check "which was empty" [ -z "$("$wipy" fs ls "$flash")" ]
check "import again" "$wipy" fs import "$flash" "$work/flash.img"
cp "$flash" "$work/before"
# A folder that begins behind the end of the volume.
cp "$work/flash.img" "$work/torn.img"
mmd -i "$work/torn.img" ::torn
at=$(grep -abo 'TORN       ' "$work/torn.img" | head -1 | cut -d: -f1)
printf '\360\177' | dd of="$work/torn.img" bs=1 seek=$((at + 26)) conv=notrunc \
    2>/dev/null
torn=0
"$wipy" fs import "$flash" "$work/torn.img" 2>"$work/err" || torn=$?
check "an image with a damaged folder is refused" [ "$torn" -eq 1 ]
check "and the message names it" grep -q "torn" "$work/err"
check "the chip is as before" cmp "$flash" "$work/before"
head -c 100000 /dev/urandom >"$work/junk"
check "junk is refused" sh -c "! '$wipy' fs import '$flash' '$work/junk' 2>/dev/null"
truncate -s 5M "$work/big"
check "too much is refused" sh -c "! '$wipy' fs put '$flash' '$work/big' b 2>/dev/null"
check "and nothing changed" cmp "$flash" "$work/before"

board_start
check "the board runs main.py from the import" sh -c "
    '$wipy' status --flash '$flash' >/dev/null"
board_stop
check "boot.py was made again" "$wipy" fs cat "$flash" boot.py
check "still sound" "$wipy" fs check "$flash"

# A damaged volume: said, not formatted.
"$wipy" fs export "$flash" "$work/image"
dd if=/dev/urandom of="$flash" bs=4096 seek=1024 count=1024 conv=notrunc \
    2>/dev/null
damaged=0
"$wipy" fs check "$flash" >"$work/out" 2>&1 || damaged=$?
check "damage is found" [ "$damaged" -eq 6 ]
cp "$flash" "$work/before"
board_start
board_stop
cmp -s -i 4194304 "$flash" "$work/before" || fail "a damaged /flash was written"
echo "ok: a board leaves a damaged /flash alone"
