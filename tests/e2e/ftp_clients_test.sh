#!/bin/bash
# The usual FTP clients at their defaults: each takes a file and a folder
# there and back, lists, renames, deletes.
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
}

same() { cmp -s "$1" "$2" || fail "$3: $1 and $2 differ"; }

with_lftp() {
    lftp -c "set net:max-retries 1; set net:timeout 10
        open -u micro,python -p $PORT $HOST
        mirror -R $SRC /flash/m
        mirror /flash/m $WORK/back
        put -O /flash $SRC/data.bin
        mv /flash/data.bin /flash/moved.bin
        cat /flash/moved.bin > $WORK/lftp.bin
        rm /flash/moved.bin
        rm -r /flash/m" >"$WORK/lftp.out" 2>&1 || fail "lftp: $(cat "$WORK/lftp.out")"
    diff -r "$SRC" "$WORK/back" || fail "lftp: mirror there and back differs"
    same "$SRC/data.bin" "$WORK/lftp.bin" lftp
    rm -rf "$WORK/back"
}

with_curl() {
    curl -sS -m 20 -T "$SRC/data.bin" "$URL/flash/curl.bin" || fail curl put
    curl -sS -m 20 "$URL/flash/curl.bin" -o "$WORK/curl.bin" || fail curl get
    same "$SRC/data.bin" "$WORK/curl.bin" curl
    curl -sS -m 20 -r 1000-1999 "$URL/flash/curl.bin" -o "$WORK/part" || fail curl range
    cmp -s "$WORK/part" <(tail -c +1001 "$SRC/data.bin" | head -c 1000) ||
        fail "curl: wrong range"
    curl -sS -m 20 --ftp-create-dirs -T "$SRC/main.py" \
        "$URL/flash/c/d%20e/main.py" || fail curl create-dirs
    curl -sS -m 20 "$URL/flash/" | grep -q ' curl.bin' || fail curl list
    curl -sS -m 20 -l "$URL/flash/" | tr -d '\r' | grep -qx curl.bin || fail curl names
    curl -sS -m 20 -I "$URL/flash/curl.bin" | grep -q 'Content-Length: 300000' ||
        fail curl size
    # active mode
    curl -sS -m 20 -P - "$URL/flash/curl.bin" -o "$WORK/curl.bin" || fail curl active
    same "$SRC/data.bin" "$WORK/curl.bin" "curl active"
    head -c 1000 "$SRC/data.bin" >"$WORK/half"
    curl -sS -m 20 -T "$WORK/half" "$URL/flash/resume.bin" || fail curl half
    curl -sS -m 20 -C 1000 -T "$SRC/data.bin" "$URL/flash/resume.bin" || fail curl resume
    curl -sS -m 20 "$URL/flash/resume.bin" -o "$WORK/curl.bin" || fail curl get
    same "$SRC/data.bin" "$WORK/curl.bin" "curl resumed"
    curl -sS -m 20 -Q "-DELE /flash/curl.bin" -Q "-DELE /flash/resume.bin" \
        -Q "-DELE /flash/c/d e/main.py" -Q "-RMD /flash/c/d e" -Q "-RMD /flash/c" \
        "$URL/flash/" -o /dev/null || fail curl delete
    curl -s -m 20 "ftp://micro:wrong@$FTP/" -o /dev/null
    [ $? = 67 ] || fail "curl: wrong password not told as such"
}

with_wget() {
    curl -sS -T "$SRC/data.bin" "$URL/flash/w/data.bin" --ftp-create-dirs || fail put
    curl -sS -T "$SRC/main.py" "$URL/flash/w/lib/main.py" --ftp-create-dirs || fail put
    (cd "$WORK" && wget -q -T 10 -t 1 -nH --user=micro --password=python -r \
        "ftp://$FTP/flash/w/") || fail wget -r
    same "$SRC/data.bin" "$WORK/flash/w/data.bin" wget
    same "$SRC/main.py" "$WORK/flash/w/lib/main.py" wget
    rm -rf "$WORK/flash"
    lftp -c "open -u micro,python -p $PORT $HOST; rm -r /flash/w" || fail clean
}

with_tnftp() {
    (cd "$WORK" && timeout 30 tnftp -n -i "$HOST" "$PORT" >tnftp.out 2>&1 <<END
user micro python
binary
cd /flash
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
    ncftpput -V -t 10 -u micro -p python -P "$PORT" -R "$HOST" /flash "$SRC" \
        >"$WORK/ncftp.out" 2>&1 || fail "ncftpput: $(cat "$WORK/ncftp.out")"
    mkdir -p "$WORK/nc"
    ncftpget -V -t 10 -u micro -p python -P "$PORT" -R "$HOST" "$WORK/nc" \
        /flash/src >"$WORK/ncftp.out" 2>&1 || fail "ncftpget: $(cat "$WORK/ncftp.out")"
    diff -r "$SRC" "$WORK/nc/src" || fail "ncftp: there and back differs"
    ncftpls -u micro -p python -P "$PORT" "ftp://$HOST/flash/src/" |
        grep -q data.bin || fail ncftpls
    lftp -c "open -u micro,python -p $PORT $HOST; rm -r /flash/src" || fail clean
    rm -rf "$WORK/nc"
}

with_ftplib() {
    python3 "$(dirname "$0")/ftplib_session.py" "$HOST" "$PORT" ||
        fail "Python's ftplib"
}

for kind in ${KINDS:-host board}; do
    serve $kind
    prepare
    for client in lftp curl wget tnftp ncftp ftplib; do
        with_$client
        echo "$kind: $client: fine"
    done
    stop
done
