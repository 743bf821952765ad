#!/bin/sh
# Fuzzes every target for a stated time and prints runs, speed and coverage.
#
#   tests/fuzz/campaign.sh SECONDS_PER_TARGET [TARGET...]
#
# New inputs stay in build-fuzz/corpus/; a crash is kept there too and ends
# the campaign with exit code 1.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:?usage: campaign.sh SECONDS_PER_TARGET [TARGET...]}
shift
command -v clang >/dev/null && [ -e /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a ] || {
    echo "campaign: needs clang and its run time:"
    echo "  sudo apt-get install -y clang libclang-rt-14-dev"
    exit 3
}
cmake -G Ninja -S . -B build-fuzz -DFUZZ=ON -DCMAKE_C_COMPILER=clang >/dev/null
cmake --build build-fuzz --target fuzzers

[ $# -gt 0 ] || set -- $(basename -a -s .c tests/fuzz/*_fuzz.c)
failed=0
printf '%-24s %12s %10s %9s %9s\n' target runs runs/s edges corpus
for target; do
    corpus=build-fuzz/corpus/$target
    mkdir -p "$corpus"
    log=build-fuzz/$target.log
    build-fuzz/tests/"$target" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$corpus/crash-" \
        "$corpus" tests/fuzz/corpus/"$target" >"$log" 2>&1 || failed=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | tr -dc 0-9)
    printf '%-24s %12s %10s %9s %9s\n' "$target" "${runs:-crash}" \
        "${speed:--}" "${edges:--}" "$(find "$corpus" -type f | wc -l)"
    [ $failed -eq 0 ] || { tail -n 30 "$log"; exit 1; }
done
