#!/bin/sh
# wipy image, slots, log, keys at the command line: what users and scripts
# rely on, and what a wrong file or option is told. usage: image_test.sh BUILD
set -eu
build=$(cd "$1" && pwd)
wipy=$build/wipy
work=$(mktemp -d "${TMPDIR:-/tmp}/wipy-$$-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# expect CODE TEXT COMMAND...: exit code, and TEXT somewhere in the output
expect() {
    want=$1 text=$2
    shift 2
    code=0
    "$@" >out 2>&1 || code=$?
    if [ "$code" != "$want" ] ||
        { [ -n "$text" ] && ! grep -qF -- "$text" out; }; then
        echo "FAILED: $* ended with $code (wanted $want) and did not say '$text':"
        cat out
        exit 1
    fi
}

# The images of the build are good, and say what they are.
expect 0 "virtual board" "$wipy" image info "$build/appimg.bin"
expect 0 "0x400d0128" "$wipy" image info "$build/bootloader.bin"
expect 0 ": good" "$wipy" image verify "$build/appimg.bin"
expect 0 ": good" "$wipy" image verify "$build/wipy.bin"
expect 0 '"md5_tail": true' "$wipy" image verify "$build/mcuimg.bin" --json
cmp "$build/appimg.bin" "$build/mcuimg.bin"

# appimg.bin is wipy.bin and its MD5, as everybody's md5sum makes it.
size=$(stat -c %s "$build/wipy.bin")
head -c "$size" "$build/appimg.bin" | cmp - "$build/wipy.bin"
[ "$(tail -c 32 "$build/appimg.bin")" = "$(md5sum <"$build/wipy.bin" | cut -c1-32)" ]
# Its SHA-256 is appended, and what the tool says.
sum=$(head -c $((size - 32)) "$build/wipy.bin" | sha256sum | cut -c1-64)
expect 0 "$sum" "$wipy" image info "$build/wipy.bin"

# Damage is found, whatever it is.
cp "$build/appimg.bin" bad.bin
printf x | dd of=bad.bin bs=1 seek=200000 conv=notrunc 2>/dev/null
expect 6 "does not match" "$wipy" image verify bad.bin
head -c 1000 "$build/appimg.bin" >short.bin
expect 6 "cut short" "$wipy" image verify short.bin
expect 6 "a partition table: show it with" \
    "$wipy" image verify "$build/partitions.bin"
expect 6 "an ELF executable" "$wipy" image info "$wipy"
echo "a text" >text
expect 6 "; give a file made by" "$wipy" image info text
expect 3 "No such file" "$wipy" image verify missing.bin
expect 3 "is a directory" "$wipy" image info .
: >empty
expect 6 "nothing in it" "$wipy" image info empty

# Keys and signatures.
expect 0 "" "$wipy" image keygen private.pem public.pem
[ "$(stat -c %a private.pem)" = 600 ]
cp "$build/appimg.bin" signed.bin
expect 0 "" "$wipy" image sign signed.bin --key private.pem
expect 0 ": good" "$wipy" image verify signed.bin --key public.pem
expect 6 "not signed" "$wipy" image verify "$build/appimg.bin" --key public.pem
expect 0 "" "$wipy" image keygen other.pem other_public.pem
expect 6 "does not have" "$wipy" image verify signed.bin --key other_public.pem
expect 0 "" "$wipy" image sign signed.bin --key other.pem
expect 0 ": good" "$wipy" image verify signed.bin --key other_public.pem
expect 3 "no P-256 private key" "$wipy" image sign signed.bin --key public.pem
expect 3 "no public key" "$wipy" image verify signed.bin --key private.pem
expect 6 "does not match" "$wipy" image sign bad.bin --key private.pem
if command -v openssl >/dev/null; then
    openssl ec -in private.pem -pubout 2>/dev/null | diff -q - public.pem
fi

# Tables: text and binary, and what is wrong with a bad one.
expect 0 "ota_1, app, ota_1, 0x290000, 0x140000" "$wipy" image csv "$build/partitions.bin"
"$wipy" image csv "$build/partitions.bin" >table.csv
expect 0 "10 partitions" "$wipy" image table --csv table.csv --out table.bin
cmp table.bin "$build/partitions.bin"
sed 's/0x290000/0x280000/' table.csv >overlap.csv
expect 3 "overlap.csv: line 5: overlaps another row" \
    "$wipy" image table --csv overlap.csv --out x.bin
printf x | dd of=table.bin bs=1 seek=40 conv=notrunc 2>/dev/null
expect 3 "MD5 of the rows does not match" "$wipy" image csv table.bin
[ ! -e x.bin ]

# Code that is no firmware.
printf 'int main(void){return 0;}' >a.c
cc -o dynamic a.c
expect 3 "not a" "$wipy" image build --elf dynamic --out x.bin
expect 3 "not an ELF file" "$wipy" image build --elf a.c --out x.bin
musl-gcc -static -no-pie -o static a.c
expect 1 "over the limit" "$wipy" image build --elf static --out x.bin --limit 1000
expect 0 "free" "$wipy" image build --elf static --out x.bin --version 9.8.7
expect 0 "9.8.7" "$wipy" image info x.bin

# Scripts read what all of them say as one JSON object.
json() { # TRUTH ARGUMENT...: Python over the object j
    truth=$1
    shift
    expect 0 "{" "$wipy" image "$@" --json
    python3 -c "import json, sys; j = json.load(open('out')); assert $truth, j" || {
        echo "FAILED: image $*: not $truth"
        exit 1
    }
}
json "j['good'] and j['offset'] == 0x10000 and j['free'] == 0x140000 - j['length']" \
    build --elf static --out x.bin --appimg y.bin --version 9.8.8
json "j['version'] == '9.8.8' and j['md5_tail']" info y.bin
json "j['kind'] == 'bootloader' and j['offset'] == 0x1000 and j['appimg'] is None" \
    build --elf static --out x.bin --bootloader
json "len(j['partitions']) == 10 and j['offset'] == 0x8000" table --out t.bin
json "j['partitions'][1] == {'name': 'factory', 'type_name': 'app', 'type': 0,
    'subtype_name': 'factory', 'subtype': 0, 'offset': 0x10000,
    'size': 0x140000, 'flags': 0} and j['md5']" csv t.bin
json "len(j['key_id']) == 16" keygen json.pem json_public.pem
json "j['signed'] and len(j['key_id']) == 16" sign y.bin --key json.pem
json "j['good'] and j['full_length'] == $(stat -c %s y.bin)" \
    verify y.bin --key json_public.pem
cp json.pem kept.pem
expect 7 "holds a private key" "$wipy" image keygen json.pem new.pem
expect 7 "holds a private key" "$wipy" image keygen new.pem json.pem
{ printf -- '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n'
  printf -- '-----END EC PARAMETERS-----\n'; cat json.pem; } >behind.pem
expect 7 "holds a private key" "$wipy" image keygen behind.pem new.pem
expect 2 "need a file each" "$wipy" image keygen same.pem same.pem
[ ! -e same.pem ]
expect 2 "takes no value" "$wipy" image info "$build/appimg.bin" --json=no
expect 2 "no --out" "$wipy" image csv "$build/partitions.bin" --out t.csv
cmp json.pem kept.pem
[ ! -e new.pem ]

# A chip that is off: made from the build, as a factory does.
head -c 8388608 /dev/zero | tr '\0' '\377' >chip
for part in "4096 bootloader.bin" "32768 partitions.bin" "65536 appimg.bin"; do
    dd if="$build/${part#* }" of=chip bs=4096 seek=$((${part% *} / 4096)) \
        conv=notrunc 2>/dev/null
done
expect 0 "no boot record" "$wipy" slots --flash chip
expect 0 '"slot": "factory"' "$wipy" slots --flash chip --json
expect 0 "" "$wipy" log --flash chip
expect 0 "no keys are set" "$wipy" keys show --flash chip
expect 7 "would not start any more" "$wipy" keys set public.pem --flash chip
expect 0 "1 key set" "$wipy" keys set public.pem --flash chip --force
expect 0 "nothing: no slot holds a good image" "$wipy" slots --flash chip
expect 0 "cleared" "$wipy" keys clear --flash chip
head -c 4194304 /dev/zero >zeros
expect 6 "no partition table: row 1 does not begin with AA 50" \
    "$wipy" slots --flash zeros
expect 3 "no such chip file" "$wipy" keys show --flash nowhere
expect 3 "are no chip" "$wipy" slots --flash empty
expect 5 "no board is running" "$wipy" ota --flash chip
for command in "image" "image verify" "image sign x" "slots x" "log -n 0" \
    "keys set" "keys steal" "ota a b"; do
    # shellcheck disable=SC2086
    expect 2 "usage" "$wipy" $command
done
echo "ok: images, keys, tables, chips that are off"
