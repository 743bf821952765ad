#!/bin/sh
# The product's main job with the clients people have: switch on, log in over
# telnet, put a main.py on the board by FTP, press reset, watch it run.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/board.sh" "$1"

address='127\.0\.0\.1:[1-9][0-9]*'
host() { echo "${1%:*}"; }
port() { echo "${1##*:}"; }

# Bytes of the serial line go to $work/serial.log, until the board ends.
listen() {
    : >"$work/serial.log"
    cat "$pty" >>"$work/serial.log" 2>/dev/null &
    listener=$!
}

serial_says() {
    tries=0
    until tr -d '\r' <"$work/serial.log" | grep -qF "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || return 1
        sleep 0.05
    done
}

expect_script() {
    { echo "source $here/telnet.exp" && cat; } >"$work/script.exp"
    expect "$work/script.exp" "$(host "$telnet")" "$(port "$telnet")"
}

lftp_do() {
    lftp -u micro,python "ftp://$ftp" \
        -e "set cmd:fail-exit true; set net:max-retries 1; $1; quit"
}

# ---- switch it on ----

board_start
check "the ready line names every address" grep -qE \
    "^ready telnet=$address ftp=$address pty=/dev/pts/[0-9]+ serial=$address control=/" "$log"
check "a chip of 8 MiB was made" [ "$(stat -c %s "$flash")" -eq 8388608 ]
check "the control socket lies beside it" [ "$control" = "$flash.ctl" ]
check "it is a socket" [ -S "$control" ]
check "the pty is there" [ -c "$pty" ]

expect_script <<'END' || exit 1
lassign $argv host port
telnet_open $host $port
want "MicroPython "
want "WiPy with ESP32"
want "Login as: "
send "micro\r"
want "Password: "
send "python\r"
want "Type \"help()\" for more information."
want ">>> "
types "6 * 7" "42"
types "import os; os.listdir('/flash')" "'main.py'"
END
echo "ok: telnet logs in and the prompt computes"

for name in boot.py main.py sys lib cert; do
    curl -sS "ftp://micro:python@$ftp/flash/" >"$work/list"
    check "/flash has $name" grep -q " $name.\?$" "$work/list"
done

# ---- main.py ----

listen
cat >"$work/main.py" <<'END'
import util
greeting = util.greet("main.py")
print(greeting)
END
echo 'def greet(who): return "hello from " + who' >"$work/util.py"

check "curl uploads main.py" curl -sS -T "$work/main.py" \
    "ftp://micro:python@$ftp/flash/main.py"
printf 'user micro python\nbinary\ncd /flash/lib\nput %s util.py\nquit\n' \
    "$work/util.py" >"$work/tnftp"
tnftp -inV "$(host "$ftp")" "$(port "$ftp")" <"$work/tnftp" >"$work/tnftp.log" 2>&1 || :
lftp_do "cat /flash/lib/util.py" >"$work/util.back"
check "tnftp uploads a module, lftp reads it" \
    cmp "$work/util.py" "$work/util.back"

check "the reset switch" "$wipy" reset --flash "$flash"
board_ready
check "main.py ran: the serial line shows it" serial_says "hello from main.py"
expect_script <<'END' || exit 1
lassign $argv host port
telnet_login $host $port
types "greeting" "'hello from main.py'"
END
echo "ok: main.py ran: telnet sees its names"

expect_script <<'END' || exit 1
lassign $argv host port
telnet_login $host $port
send "\x04"
want "soft reboot"
want "hello from main.py"
want ">>> "
types "1 + 1" "2"
END
echo "ok: a soft reset runs main.py again and keeps the session"

# ---- two at once ----

expect_script <<'END' || exit 1
lassign $argv host port
telnet_login $host $port
set first $spawn_id
telnet_login $host $port
set second $spawn_id
send "print('said by ' + 'two')\r"
want "said by two"
want ">>> "
set spawn_id $first
want "said by two" "the first session sees what the second types"
types "print('said by ' + 'one')" "said by one"
END
echo "ok: two logins share the prompt"

# ---- files ----

head -c 2000000 /dev/urandom >"$work/big.bin"
lftp_do "put -O /flash $work/big.bin" >/dev/null
check "lftp writes 2 MB, curl reads it" sh -c \
    "curl -sS ftp://micro:python@$ftp/flash/big.bin | cmp - $work/big.bin"
lftp_do "rm /flash/big.bin" # no room for the old and the new one at once
check "curl writes 2 MB" curl -sS -T "$work/big.bin" \
    "ftp://micro:python@$ftp/flash/big.bin"
lftp_do "get -O $work -e /flash/big.bin -o $work/big.back" >/dev/null
check "lftp reads it" cmp "$work/big.bin" "$work/big.back"

board_stop
check "the control socket is gone" [ ! -e "$control" ]
board_start
lftp_do "cat /flash/big.bin" >"$work/big.back"
check "it is there after power off and on" cmp "$work/big.bin" "$work/big.back"
board_stop
kill "$listener" 2>/dev/null || :
