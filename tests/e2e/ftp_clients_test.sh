#!/bin/bash
# The usual clients at their defaults: each takes a file and a folder there and
# back, lists, renames, deletes; lftp also mirrors 300 files with names of all
# kinds. Against the network side alone, and a board with a card: on /flash and
# on /sd. Last, inetutils-telnet sees the files.
#
# usage: ftp_clients_test.sh BUILD     FILES=3000 in the environment: so many
set -u
BUILD=$1
. "$(dirname "$0")/net_serve.sh"

prepare() {
    SRC=$WORK/src
    mkdir -p "$SRC/lib/deep" "$SRC/with space"
    head -c 300000 /dev/urandom >"$SRC/data.bin"
    printf 'print(1)\n' >"$SRC/main.py"
    printf 'x = 1\n' >"$SRC/lib/a.py"
    printf 'y = 2\n' >"$SRC/lib/deep/b.py"
    printf 'z = 3\n' >"$SRC/with space/é ü.txt"
    : >"$SRC/empty"
    HOST=${FTP%:*} PORT=${FTP#*:}
    URL=ftp://micro:python@$FTP
    rm -rf "$WORK/many"
    python3 - "$WORK/many" "${FILES:-300}" <<'END'
import os, random, sys
rng = random.Random(1)
folders = ["", "lib", "lib/a/b/c/d/e/f", "with space", "ö ä ü", "日本/語", "UPPER.dir"]
names = ["%03d.py", "file %03d.txt", "é_%03d.dat", "日本 %03d", "%03d.TXT", ".hidden%03d",
         "a long name that no old system would have taken, number %03d.json", "%03d#;&+=@.x"]
for i in range(int(sys.argv[2])):
    folder = os.path.join(sys.argv[1], rng.choice(folders))
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, rng.choice(names) % i), "wb") as f:
        f.write(rng.randbytes(rng.choice((0, 1, 100, 511, 512, 3000, 9000))))
END
}

same() { cmp -s "$1" "$2" || fail "$3: $1 and $2 differ"; }

with_lftp() {
    lftp -c "set net:max-retries 1; set net:timeout 10
        open -u micro,python -p $PORT $HOST
        mirror -R $SRC $DIR/m
        mirror $DIR/m $WORK/back
        put -O $DIR $SRC/data.bin
        mv $DIR/data.bin $DIR/moved.bin
        cat $DIR/moved.bin > $WORK/lftp.bin
        rm $DIR/moved.bin
        rm -r $DIR/m" >"$WORK/lftp.out" 2>&1 || fail "lftp: $(cat "$WORK/lftp.out")"
    diff -r "$SRC" "$WORK/back" || fail "lftp: mirror there and back differs"
    same "$SRC/data.bin" "$WORK/lftp.bin" lftp
    rm -rf "$WORK/back"
    lftp -c "set net:max-retries 1; set net:timeout 10
        open -u micro,python -p $PORT $HOST
        mirror -R $WORK/many $DIR/many
        mirror $DIR/many $WORK/back
        rm -r $DIR/many" >"$WORK/lftp.out" 2>&1 || fail "lftp: $(cat "$WORK/lftp.out")"
    diff -r "$WORK/many" "$WORK/back" || fail "lftp: many files there and back differ"
    rm -rf "$WORK/back"
}

with_curl() {
    curl -sS -m 20 -T "$SRC/data.bin" "$URL$DIR/curl.bin" || fail curl put
    curl -sS -m 20 "$URL$DIR/curl.bin" -o "$WORK/curl.bin" || fail curl get
    same "$SRC/data.bin" "$WORK/curl.bin" curl
    curl -sS -m 20 -r 1000-1999 "$URL$DIR/curl.bin" -o "$WORK/part" || fail curl range
    cmp -s "$WORK/part" <(tail -c +1001 "$SRC/data.bin" | head -c 1000) ||
        fail "curl: wrong range"
    curl -sS -m 20 --ftp-create-dirs -T "$SRC/main.py" \
        "$URL$DIR/c/d%20e/main.py" || fail curl create-dirs
    curl -sS -m 20 "$URL$DIR/" | grep -q ' curl.bin' || fail curl list
    curl -sS -m 20 -l "$URL$DIR/" | tr -d '\r' | grep -qx curl.bin || fail curl names
    curl -sS -m 20 -I "$URL$DIR/curl.bin" | grep -q 'Content-Length: 300000' ||
        fail curl size
    # active mode
    curl -sS -m 20 -P - "$URL$DIR/curl.bin" -o "$WORK/curl.bin" || fail curl active
    same "$SRC/data.bin" "$WORK/curl.bin" "curl active"
    head -c 1000 "$SRC/data.bin" >"$WORK/half"
    curl -sS -m 20 -T "$WORK/half" "$URL$DIR/resume.bin" || fail curl half
    curl -sS -m 20 -C 1000 -T "$SRC/data.bin" "$URL$DIR/resume.bin" || fail curl resume
    curl -sS -m 20 "$URL$DIR/resume.bin" -o "$WORK/curl.bin" || fail curl get
    same "$SRC/data.bin" "$WORK/curl.bin" "curl resumed"
    curl -sS -m 20 -Q "-DELE $DIR/curl.bin" -Q "-DELE $DIR/resume.bin" \
        -Q "-DELE $DIR/c/d e/main.py" -Q "-RMD $DIR/c/d e" -Q "-RMD $DIR/c" \
        "$URL$DIR/" -o /dev/null || fail curl delete
    curl -s -m 20 "ftp://micro:wrong@$FTP/" -o /dev/null
    [ $? = 67 ] || fail "curl: wrong password not told as such"
}

with_wget() {
    curl -sS -T "$SRC/data.bin" "$URL$DIR/w/data.bin" --ftp-create-dirs || fail put
    curl -sS -T "$SRC/main.py" "$URL$DIR/w/lib/main.py" --ftp-create-dirs || fail put
    (cd "$WORK" && wget -q -T 10 -t 1 -nH --user=micro --password=python -r \
        "ftp://$FTP$DIR/w/") || fail wget -r
    same "$SRC/data.bin" "$WORK$DIR/w/data.bin" wget
    same "$SRC/main.py" "$WORK$DIR/w/lib/main.py" wget
    rm -rf "$WORK$DIR"
    lftp -c "open -u micro,python -p $PORT $HOST; rm -r $DIR/w" || fail clean
}

with_tnftp() {
    (cd "$WORK" && timeout 30 tnftp -n -i "$HOST" "$PORT" >tnftp.out 2>&1 <<END
user micro python
binary
cd $DIR
mkdir t
cd t
put $SRC/data.bin data.bin
put $SRC/main.py main.py
ls
mls *.py mls.out
rename main.py boot2.py
get data.bin tnftp.bin
mget *.py
size data.bin
modtime data.bin
mdelete *
cd ..
rmdir t
passive off
ls
quit
END
    ) || fail "tnftp: $(cat "$WORK/tnftp.out")"
    same "$SRC/data.bin" "$WORK/tnftp.bin" tnftp
    same "$SRC/main.py" "$WORK/boot2.py" "tnftp mget"
    rm -f "$WORK/boot2.py"
    grep -q '^5[0-9][0-9] ' "$WORK/tnftp.out" &&
        fail "tnftp was refused: $(grep '^5' "$WORK/tnftp.out")"
}

with_ncftp() {
    export HOME=$WORK
    ncftpput -V -t 10 -u micro -p python -P "$PORT" -R "$HOST" $DIR "$SRC" \
        >"$WORK/ncftp.out" 2>&1 || fail "ncftpput: $(cat "$WORK/ncftp.out")"
    mkdir -p "$WORK/nc"
    ncftpget -V -t 10 -u micro -p python -P "$PORT" -R "$HOST" "$WORK/nc" \
        $DIR/src >"$WORK/ncftp.out" 2>&1 || fail "ncftpget: $(cat "$WORK/ncftp.out")"
    diff -r "$SRC" "$WORK/nc/src" || fail "ncftp: there and back differs"
    ncftpls -u micro -p python -P "$PORT" "ftp://$HOST$DIR/src/" |
        grep -q data.bin || fail ncftpls
    lftp -c "open -u micro,python -p $PORT $HOST; rm -r $DIR/src" || fail clean
    rm -rf "$WORK/nc"
}

# FAT keeps times in steps of two seconds; a session for each of rclone's
# checkers and transfers, and one more.
with_rclone() {
    local how="--config /dev/null --retries 1 --low-level-retries 1 -v
        --modify-window 2s --checkers 1 --transfers 2 --ftp-host $HOST --ftp-port $PORT
        --ftp-user micro --ftp-pass $(rclone obscure python)"
    for step in "sync $SRC :ftp:$DIR/rc" "check $SRC :ftp:$DIR/rc" \
        "move :ftp:$DIR/rc :ftp:$DIR/rc2" "sync $SRC :ftp:$DIR/rc2" \
        "sync :ftp:$DIR/rc2 $WORK/back" "purge :ftp:$DIR/rc2"; do
        rclone $how $step >"$WORK/rclone.out" 2>&1 ||
            fail "rclone $step: $(cat "$WORK/rclone.out")"
        [ "$step" != "sync $SRC :ftp:$DIR/rc2" ] ||
            grep -q "nothing to transfer" "$WORK/rclone.out" ||
            fail "rclone: what is there goes again: $(cat "$WORK/rclone.out")"
    done
    diff -r "$SRC" "$WORK/back" || fail "rclone: there and back differs"
    rm -rf "$WORK/back"
}

with_ftplib() {
    python3 "$(dirname "$0")/ftplib_session.py" "$HOST" "$PORT" "$DIR" ||
        fail "Python's ftplib"
}

# Types lines of the standard input ("line|what it prints") at the prompt.
at_the_prompt() {
    cat >"$WORK/type.exp" <<'END'
lassign $argv library host port
source $library
telnet_login $host $port
while {[gets stdin line] >= 0} {types {*}[split $line "|"]}
send "\035"
want "telnet> "
send "quit\r"
expect eof
END
    expect -f "$WORK/type.exp" "$(dirname "$0")/telnet.exp" "${TELNET%:*}" \
        "${TELNET#*:}" || fail "inetutils-telnet"
}

# The files that FTP sees are Python's, too.
with_telnet() {
    curl -sS -m 20 -T "$SRC/main.py" "$URL$DIR/seen.py" || fail curl put
    at_the_prompt <<END
import os|
os.stat('$DIR/seen.py')[6]|9
open('$DIR/seen.py').read()|'print(1)
os.remove('$DIR/seen.py')|
END
    curl -s -m 20 "$URL$DIR/seen.py" -o /dev/null && fail "removed, but there"
}

with_all() {
    DIR=$1
    shift
    prepare
    for client; do
        with_$client
        echo "$kind: $DIR: $client: fine"
    done
}

PATH=$PATH:/usr/sbin:/sbin
clients="lftp curl wget tnftp ncftp rclone ftplib"
for kind in ${KINDS:-host board}; do
    if [ "$kind" = host ]; then
        serve host
        with_all /flash $clients
    else
        truncate -s 64M "$WORK/card"
        mkfs.fat -F 32 "$WORK/card" >/dev/null || fail "mkfs.fat"
        serve board --sd "$WORK/card"
        with_all /flash $clients telnet
        at_the_prompt <<<"import os, machine; os.mount(machine.SD(), '/sd')|"
        with_all /sd $clients telnet
    fi
    stop
done
