#!/bin/sh
# "localhost" is ::1 first on many hosts, and the board speaks IPv4 only: the
# usual clients take the next address, at once. In a mount namespace with a hosts
# file of its own.
#
# usage: localhost_test.sh BUILD
if [ -z "$WIPY_OWN_HOSTS" ]; then
    unshare -m true 2>/dev/null || {
        echo "not run: needs the right to unshare -m"
        exit 0
    }
    WIPY_OWN_HOSTS=1 exec unshare -m "$0" "$@"
fi
BUILD=$1
. "$(dirname "$0")/net_serve.sh"
printf '::1 localhost\n127.0.0.1 localhost\n' >"$WORK/hosts"
mount --bind "$WORK/hosts" /etc/hosts || fail mount
getent ahosts localhost | head -n 1 | grep -q '^::1 ' || fail "::1 is not first"
serve host
PORT=${FTP#*:}
URL=ftp://micro:python@localhost:$PORT/flash
head -c 100000 /dev/urandom >"$WORK/sent"

# Each gets the file; none may take as long as a time-out.
gets() {
    name=$1
    shift
    rm -f "$WORK/got"
    timeout 5 "$@" >"$WORK/out" 2>&1 || fail "$name: $(cat "$WORK/out")"
    cmp -s "$WORK/sent" "$WORK/got" || fail "$name: another file"
    echo "localhost: $name: fine"
}
PATH=$PATH:/usr/sbin:/sbin
export HOME=$WORK
curl -sS -m 5 -T "$WORK/sent" "$URL/got" || fail "curl put"
gets curl curl -sS "$URL/got" -o "$WORK/got"
gets wget wget -q -O "$WORK/got" "$URL/got"
gets lftp lftp -c "set net:max-retries 1
    open -u micro,python -p $PORT localhost; get -O $WORK /flash/got"
gets ncftp ncftpget -V -t 5 -u micro -p python -P "$PORT" localhost "$WORK" \
    /flash/got
gets tnftp sh -c "printf 'user micro python\nget /flash/got $WORK/got\nquit\n' |
    tnftp -n -i localhost $PORT"
gets ftplib python3 -c "
import ftplib
f = ftplib.FTP()
f.connect('localhost', $PORT, 5)
f.login('micro', 'python')
with open('$WORK/got', 'wb') as to:
    f.retrbinary('RETR /flash/got', to.write)
f.quit()"
(sleep 1 | timeout 5 telnet localhost "${TELNET#*:}") 2>/dev/null |
    grep -q "Login as:" || fail telnet
echo "localhost: telnet: fine"
stop
