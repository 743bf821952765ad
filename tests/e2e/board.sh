# Sourced by the shell end-to-end tests: starts real boards in a folder of
# their own and cleans up. Usage:
#
#   . "$(dirname "$0")/board.sh" "$1"     # $1: the build folder
#   board_start [run options]             # sets telnet ftp serial pty control
#   ... "$wipy" reset --flash "$flash" ; board_ready
#   board_stop
#
# A failing check prints what and exits 1: check "what" command...
set -eu

build=$(cd "$1" && pwd)
wipy=$build/wipy
work=$(mktemp -d "${TMPDIR:-/tmp}/wipy-$$-XXXXXX")
flash=$work/board.flash
log=$work/board.log
board_pid=

finish() {
    status=$?
    [ -z "$board_pid" ] || kill -9 "$board_pid" 2>/dev/null || :
    if [ $status -ne 0 ] && [ -f "$log" ]; then
        echo "--- the board said:" && tail -n 40 "$log"
    fi
    rm -rf "$work"
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() {
    echo "FAILED: $*"
    exit 1
}

check() {
    what=$1
    shift
    "$@" || fail "$what"
    echo "ok: $what"
}

# The value of NAME=... in the newest ready line.
ready_value() {
    grep '^ready ' "$log" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# Waits (20 s at most) until there are as many ready lines as starts.
ready_count=0
board_ready() {
    ready_count=$((ready_count + 1))
    tries=0
    until [ "$(grep -c '^ready ' "$log")" -ge "$ready_count" ]; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || fail "the board did not get ready"
        kill -0 "$board_pid" 2>/dev/null || fail "the board ended"
        sleep 0.05
    done
    ready_count=$(grep -c '^ready ' "$log")
    telnet=$(ready_value telnet)
    ftp=$(ready_value ftp)
    serial=$(ready_value serial)
    pty=$(ready_value pty)
    control=$(ready_value control)
}

board_start() {
    : >"$log"
    ready_count=0
    "$wipy" run --headless --flash "$flash" --telnet-port 0 --ftp-port 0 \
        --ftp-data-port 0 --serial-port 0 "$@" >"$log" 2>&1 &
    board_pid=$!
    board_ready
}

board_stop() {
    kill -TERM "$board_pid"
    wait "$board_pid" && code=0 || code=$?
    board_pid=
    [ "$code" -eq 0 ] || fail "the board ended with exit code $code"
}
