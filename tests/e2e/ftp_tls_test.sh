#!/bin/bash
# FTP over TLS: offered only with a certificate in /flash/cert; curl, lftp and
# Python's ftplib at their defaults; an upload that is cut is not stored; a
# certificate and a key that do not belong together are not used.
set -u
BUILD=$1
. "$(dirname "$0")/net_serve.sh"

put_certificate() {
    rm -rf "$WORK/cert"
    "$BUILD/wipy" cert -o "$WORK/cert" >/dev/null || fail "wipy cert"
    [ "$(stat -c %a "$WORK/cert/private.key")" = 600 ] || fail "others can read the key"
    cp "$WORK/cert/private.key" "$WORK/kept"
    "$BUILD/wipy" cert -o "$WORK/cert" 2>"$WORK/told"
    [ $? = 3 ] && grep -q "private.key is there already" "$WORK/told" &&
        cmp -s "$WORK/kept" "$WORK/cert/private.key" || fail "a key was written over"
    rm "$WORK/cert/private.key"
    "$BUILD/wipy" cert -o "$WORK/cert" 2>"$WORK/told"
    [ $? = 3 ] && [ ! -e "$WORK/cert/private.key" ] || fail "half a pair was written"
    mv "$WORK/kept" "$WORK/cert/private.key"
    for f in cert.pem private.key; do
        curl -sS -m 10 --ftp-create-dirs -T "$WORK/cert/$f" "$URL/flash/cert/$f" ||
            fail "cannot upload $f"
    done
    curl -sS -m 10 -k --ssl-reqd "$URL/" -o /dev/null || fail "not offered at once"
    sleep 2.1 # read again when a client comes, at most every two seconds
    curl -sS -m 10 "$URL/" -o /dev/null || fail "plain login with a certificate there"
    sleep 0.3
}

for kind in ${KINDS:-host board}; do
    serve $kind
    URL=ftp://micro:python@$FTP
    curl -s -m 10 -k --ssl-reqd "$URL/" -o /dev/null
    [ $? = 64 ] || fail "TLS was offered without a certificate"
    put_certificate

    SRC=$WORK/src
    mkdir -p "$SRC/sub/empty folder"
    head -c 300000 /dev/urandom >"$SRC/data.bin"
    echo 'print(1)' >"$SRC/sub/main.py"
    : >"$SRC/empty"
    C="curl -sS -m 20 --ssl-reqd --cacert $WORK/cert/cert.pem --connect-to wipy:${FTP#*:}:${FTP%:*}:${FTP#*:}"
    U=ftp://micro:python@wipy:${FTP#*:}
    $C -T "$SRC/data.bin" "$U/flash/t.bin" || fail "curl up"
    $C "$U/flash/t.bin" -o "$WORK/t.bin" || fail "curl down"
    cmp "$SRC/data.bin" "$WORK/t.bin" || fail "curl: there and back differs"
    $C -T "$SRC/empty" "$U/flash/e" || fail "curl empty"
    $C "$U/flash/" | grep -q ' t.bin' || fail "curl list"
    $C -Q '-DELE /flash/t.bin' -Q '-DELE /flash/e' "$U/flash/" -o /dev/null || fail "curl delete"
    lftp -c "set ssl:ca-file $WORK/cert/cert.pem; set ssl:check-hostname no
        set ftp:ssl-force true; set ftp:ssl-protect-data true
        set net:max-retries 1; set net:timeout 10
        open -u micro,python -p ${FTP#*:} ${FTP%:*}
        mirror -R $SRC /flash/m; mirror /flash/m $WORK/back; rm -r /flash/m" \
        >"$WORK/lftp.out" 2>&1 || fail "lftp: $(cat "$WORK/lftp.out")"
    diff -r "$SRC" "$WORK/back" || fail "lftp: there and back differs"
    rm -rf "$WORK/back"
    python3 - "${FTP%:*}" "${FTP#*:}" <<'END' || fail "Python's ftplib"
import ftplib, io, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
ftp = ftplib.FTP_TLS(context=context)
ftp.connect(sys.argv[1], int(sys.argv[2]), 10)
ftp.login("micro", "python")
ftp.prot_p()
data = bytes(range(256)) * 3000
assert ftp.storbinary("STOR /flash/p", io.BytesIO(data)).startswith("226")
back = io.BytesIO()
ftp.retrbinary("RETR /flash/p", back.write)
assert back.getvalue() == data
ftp.set_pasv(False)
assert "p" in ftp.nlst("/flash") or "/flash/p" in ftp.nlst("/flash")
# the data connection may go back to plain, the control connection may not
assert ftp.prot_c().startswith("200")
ftp.set_pasv(True)
back = io.BytesIO()
ftp.retrbinary("RETR /flash/p", back.write)
assert back.getvalue() == data
for command in ("CCC", "AUTH TLS", "PROT E"):
    try:
        raise SystemExit(command + " was taken: " + ftp.sendcmd(command))
    except ftplib.error_perm:
        pass
assert ftp.prot_p().startswith("200")
# no goodbye of TLS: somebody may have cut it, so the old file stays
conn = ftp.transfercmd("STOR /flash/p")
conn.sendall(b"half of it")
conn.close()
try:
    ftp.voidresp()
    raise SystemExit("a cut upload was stored")
except ftplib.error_temp as error:
    assert str(error).startswith("426"), error
assert ftp.size("/flash/p") == len(data)
ftp.delete("/flash/p")
ftp.quit()
END
    # A session that replaces certificate and key: others come between the two
    # and see no pair, it goes on with its own.
    rm -rf "$WORK/new"
    "$BUILD/wipy" cert -o "$WORK/new" >/dev/null || fail "wipy cert"
    python3 - "${FTP%:*}" "${FTP#*:}" "$WORK/new" <<'END' || fail "a new certificate"
import ftplib, ssl, sys, time
host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

def session():
    ftp = ftplib.FTP_TLS(context=context)
    ftp.connect(host, port, 10)
    ftp.login("micro", "python")
    ftp.prot_p()
    return ftp

def another_comes():
    time.sleep(2.1)
    with ftplib.FTP() as ftp:
        ftp.connect(host, port, 10)
        ftp.login("micro", "python")
    time.sleep(0.3)

old = session()
for name in ("cert.pem", "private.key"):
    with open(f"{folder}/{name}", "rb") as f:
        assert old.storbinary("STOR /flash/cert/" + name, f).startswith("226")
    another_comes()
assert "boot.py" in " ".join(old.nlst("/flash")) or old.nlst("/")
new = session()
with open(folder + "/cert.pem") as f:
    wanted = ssl.PEM_cert_to_DER_cert(f.read())
assert new.sock.getpeercert(True) == wanted, "the old certificate is still used"
assert new.nlst("/")
END
    # The key of another certificate: told, and plain FTP goes on.
    rm -rf "$WORK/other"
    "$BUILD/wipy" cert -o "$WORK/other" >/dev/null || fail "wipy cert"
    sleep 2.1
    curl -sS -m 10 -T "$WORK/other/private.key" "$URL/flash/cert/private.key" ||
        fail "cannot upload the other key"
    for _ in $(seq 30); do
        curl -s -m 10 -k --ssl-reqd "$URL/" -o /dev/null
        [ $? = 64 ] && break
        sleep 0.2
    done
    curl -s -m 10 -k --ssl-reqd "$URL/" -o /dev/null
    [ $? = 64 ] || fail "TLS is offered with the key of another certificate"
    curl -sS -m 10 "$URL/" -o /dev/null || fail "plain login after that"
    [ $kind = board ] || grep -q "no TLS: .*private.key is not the key of" "$WORK/log" ||
        fail "the log does not say why"
    echo "$kind: fine"
    stop
done
