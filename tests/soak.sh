#!/bin/sh
# The long campaigns, one after the other; each prints its own figures and a
# verdict, and the exit code is 0 only when all are well.
#
#   tests/soak.sh BUILD_DIR [SECONDS [CAMPAIGN...]]
#
# SECONDS are for each campaign (600). Campaigns, all without names:
#   boot      every ordered pair of power cuts in the boot chain, then random
#             triples; takes the time it takes
#   ftl, fs   power cuts in the translation layer, failing hardware under it;
#             power cuts in files above it
#   cuts      power cuts and kills of a running board while FTP writes
#   serial    a power cut at each of 700 commands of a flashing (12 minutes)
#   sessions  many clients at once on one board; 10,000 sessions with aborts;
#             peers that vanish, until the kernel's keep-alive notices;
#             guessing until the lock-out, and from hundreds of addresses;
#             the clients' matrix with 1,500 files
#   esptool   the real one, where there is one (ESPTOOL names it)
#   mpremote  the real one, where there is one (MPREMOTE names it)
#   filezilla the real one uploads 200 files and an update (installs it)
#   python    the language's programs, a collection every 256 bytes
#   fuzz      each target for a share of the time
# SEED in the environment repeats a run; it is printed.
set -u
build=$(cd "${1:?usage: soak.sh BUILD_DIR [SECONDS [CAMPAIGN...]]}" && pwd)
seconds=${2:-600}
shift
[ $# -eq 0 ] || shift
here=$(cd "$(dirname "$0")" && pwd)
seed=${SEED:-$(($(date +%s) % 100000 + 1))}
failed=
missed=

boot() {
    "$build/tests/boot_sim" pairs &&
        "$build/tests/boot_sim" random $((seconds * 10)) "$seed"
}
ftl() {
    "$build/tests/ftl_sim" "$seconds" "$seed" &&
        "$build/tests/wear_sim" "$seconds" "$seed" &&
        "$build/tests/ftl_damage_sim" 8
}
fs() { "$build/tests/fs_sim" "$seconds" "$seed"; }
cuts() {
    end=$(($(date +%s) + seconds))
    round=$seed
    while [ "$(date +%s)" -lt "$end" ]; do
        SEED=$round ROUNDS=20 "$here/e2e/killcut_test.py" "$build" || return 1
        round=$((round + 1))
    done
}
serial() {
    ALL=1 "$here/e2e/flash_cut_test.py" "$build" cut_and_flashed_again
}
sessions() {
    SEED=$seed "$here/e2e/session_soak.py" "$build" "$seconds" &&
        SEED=$seed "$here/e2e/net_soak.py" "$build" "$seconds" 10000 &&
        "$here/e2e/half_open_test.py" "$build" full &&
        "$here/e2e/net_log_test.py" "$build" lock_out &&
        "$here/e2e/botnet_test.py" "$build" 30 &&
        FILES=1500 KINDS=board "$here/e2e/ftp_clients_test.sh" "$build"
}
esptool() { "$here/e2e/esptool_soak.py" "$build"; }
mpremote() { "$here/e2e/mpremote_soak.py" "$build"; }
filezilla() { "$here/e2e/filezilla_soak.py" "$build"; }
python() {
    (cd "$build" && ctest --output-on-failure -R python)
}
fuzz() {
    targets=$(find "$here/fuzz" -name '*_fuzz.c' | wc -l)
    share=$((seconds / targets))
    "$here/fuzz/campaign.sh" $((share > 10 ? share : 10))
}

[ $# -gt 0 ] || set -- boot ftl fs cuts serial sessions esptool mpremote \
    filezilla python fuzz
for campaign; do
    echo
    echo "== $campaign (seed $seed)"
    case $campaign in
    boot | ftl | fs | cuts | serial | sessions | esptool | mpremote) ;;
    filezilla | python | fuzz) ;;
    *)
        echo "soak: no campaign '$campaign'"
        exit 2
        ;;
    esac
    $campaign
    case $? in
    0) ;;
    77) missed="$missed $campaign" ;;
    *) failed="$failed $campaign" ;;
    esac
done
echo
[ -z "$missed" ] || echo "soak: not run:$missed"
[ -z "$failed" ] || {
    echo "soak: FAILED:$failed (SEED=$seed repeats it)"
    exit 1
}
echo "soak: all well"
