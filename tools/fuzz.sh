#!/usr/bin/env bash
# Fuzzes every parser of bytes from outside, FUZZ_SECONDS each (300 unless told), and reports a line for each.
# FUZZ_TARGETS names some of them. Corpora stay in fuzz/corpora, and the next run goes on from there.
# Works with stable Rust: the instrumentation is the compiler's own (sanitizer coverage), the engine is libFuzzer.
set -uo pipefail
cd "$(dirname "$0")/../fuzz"
command -v g++ >/dev/null 2>&1 || { echo "g++ is missing: install it with: sudo apt-get install g++" >&2; exit 1; }
seconds=${FUZZ_SECONDS:-300}
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing"
cargo build --release --locked --target "$host" || exit 1
binary=${CARGO_TARGET_DIR:-target}/$host/release/entraide-fuzz
targets=${FUZZ_TARGETS:-$(sed -n 's/.*Entry { name: "\([a-z_]*\)".*/\1/p' entry/mod.rs)}
failed=0
printf '%-18s %12s %10s %8s %8s  %s\n' target runs 'runs/s' edges corpus result
for target in $targets; do
  corpus=corpora/$target
  mkdir -p "$corpus" findings
  log=$(mktemp)
  ENTRAIDE_FUZZ=$target ENTRAIDE_CORPUS=$corpus "$binary" "$corpus" -max_total_time="$seconds" -max_len=16384 \
    -timeout=10 -rss_limit_mb=2048 -artifact_prefix="findings/$target-" -print_final_stats=1 >"$log" 2>&1
  code=$?
  stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -1; }
  edges=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
  result=clean
  if [ $code -ne 0 ]; then result="FAILED: $(grep -m1 -E 'panicked at|ERROR:' "$log" | cut -c1-100)"; failed=1; fi
  printf '%-18s %12s %10s %8s %8s  %s\n' "$target" "$(stat number_of_executed_units)" \
    "$(stat average_exec_per_sec)" "$edges" "$(find "$corpus" -type f | wc -l)" "$result"
  rm -f "$log"
done
exit $failed
