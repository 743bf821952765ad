# Sourced by the client tests: serve host|board [OPTION...] starts the services,
# sets TELNET and FTP (host:port); stop ends them. BUILD is the build folder.
# "host" is the network side over a folder, "board" the whole board.

WORK=$(mktemp -d "${TMPDIR:-/tmp}/wipy-$$-XXXXXX")
SERVER=
fail() {
    echo "FAILED: $*" >&2
    [ -f "$WORK/log" ] && tail -20 "$WORK/log" >&2
    exit 1
}
stop() {
    [ -n "$SERVER" ] && kill "$SERVER" 2>/dev/null && wait "$SERVER" 2>/dev/null
    SERVER=
}
trap 'stop; rm -rf "$WORK"' EXIT
serve() {
    mkdir -p "$WORK/root"
    rm -f "$WORK/ready" # of the server before
    if [ "$1" = host ]; then
        "$BUILD/tests/net_host" "$WORK/root" >"$WORK/ready" 2>"$WORK/log" </dev/null &
    else
        shift
        "$BUILD/wipy" run --headless --flash "$WORK/chip" --telnet-port 0 \
            --ftp-port 0 --ftp-data-port 0 "$@" >"$WORK/ready" 2>"$WORK/log" </dev/null &
    fi
    SERVER=$!
    for _ in $(seq 200); do
        grep -qs '^ready' "$WORK/ready" && break
        kill -0 "$SERVER" 2>/dev/null || fail "the server ended"
        sleep 0.05
    done
    grep -qs '^ready' "$WORK/ready" || fail "no ready line"
    TELNET=$(sed -n 's/^ready.*telnet=\([^ ]*\).*/\1/p' "$WORK/ready")
    FTP=$(sed -n 's/^ready.*ftp=\([^ ]*\).*/\1/p' "$WORK/ready")
}
