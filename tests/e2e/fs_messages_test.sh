#!/bin/sh
# wipy fs given what it cannot use: the exit code, and a message that names
# the input and says what is wrong; the chip stays as it was.
. "$(dirname "$0")/board.sh" "$1"
PATH=$PATH:/usr/sbin:/sbin

board_start
board_stop
cd "$work"
cp "$flash" chip && cp chip before
echo x >file && mkdir folder && head -c 100000 /dev/urandom >junk
head -c 5000000 /dev/urandom >big

# says CODE "PATTERN" ARGUMENTS: and nothing on standard output.
says() {
    code=$1 pattern=$2
    shift 2
    got=0
    "$wipy" fs "$@" >out 2>err || got=$?
    [ "$got" -eq "$code" ] || fail "fs $*: exit code $got, not $code: $(cat err)"
    grep -q -e "$pattern" err || fail "fs $*: $(cat err)"
    [ ! -s out ] || fail "fs $*: printed $(cat out)"
}

says 2 "there is no 'frob'" frob chip
says 2 "ls wants CHIP" ls
says 2 "'--bogus' is not understood" ls chip --bogus
says 3 "none: No such file.*wipy run" ls none
says 3 "folder: Is a directory" ls folder
says 3 "junk: not the size of a flash chip" ls junk
says 1 "there is no '/flash/none'" ls chip none
says 1 "there is no '/flash/none'" cat chip none
says 1 "'/lib' is a folder" cat chip lib
says 1 "there is no '/flash/none'" get chip none x
says 3 "nowhere/x: No such file" get chip main.py nowhere/x
says 3 "none: No such file" put chip none x
says 3 "folder: is a directory" put chip folder x
says 1 "'a?b' has a character FAT does not allow: '?'" put chip file 'a?b'
says 1 "'x.' ends with a dot" put chip file x.
says 1 "is not UTF-8" put chip file "$(printf 'a\377')"
says 1 "longer than 255 bytes" put chip file "$(head -c 256 /dev/zero | tr '\0' a)"
says 1 "'/flash/lib/none'" put chip file lib/none/x
says 1 "chip: /flash is full" put chip big x
[ "$(wc -l <err)" -eq 1 ] || fail "fs put says it twice: $(cat err)"
says 7 "firmware images go through the updater" put chip file sys/appimg.bin
says 1 "there is no '/flash/none'" rm chip none
says 1 "there is no volume '/etc'" cat chip ../../etc/passwd
says 3 "nowhere/x: No such file" export chip nowhere/x
says 3 "folder: Is a directory" export chip folder
says 3 "none: No such file" import chip none
says 3 "folder: is a directory" import chip folder
says 3 "junk: no FAT or exFAT volume" import chip junk
truncate -s 60M image && mkfs.fat -F 32 -s 1 image >/dev/null
mcopy -i image big ::big
says 1 "/flash is full" import chip image
check "what is refused changes nothing" cmp chip before

check "a file alone, as JSON" sh -c "'$wipy' fs ls chip main.py --json |
    python3 -c 'import json, sys
(e,) = json.load(sys.stdin)
assert e[\"name\"] == \"main.py\", e'"

# /flash of somebody else, and none.
head -c 4194304 /dev/urandom | dd of=chip bs=4096 seek=1024 conv=notrunc 2>/dev/null
cp chip before
says 1 "no volume of ours" ls chip
grep -q "wipy fs import" err || fail "ls does not say what to do: $(cat err)"
says 1 "no volume of ours" put chip file x
says 1 "no volume of ours.*import" export chip x
says 6 "no volume of ours" check chip
check "a foreign /flash is not touched" cmp chip before
mkfs.fat -F 32 -s 1 image >/dev/null
mcopy -i image file ::file
check "import makes it anew" "$wipy" fs import chip image
check "with the image's files" [ "$("$wipy" fs cat chip file)" = x ]
