#!/usr/bin/env bash
# Runs every test and closes with two lines: how many were skipped and why, and `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
passed=0 failed=0 skips=()

step() { # name, command…: a check that counts as one test
  local name=$1; shift
  echo "── $name"
  if "$@" >"$log/step" 2>&1; then passed=$((passed + 1)); else
    failed=$((failed + 1)); tail -60 "$log/step"; echo "FAILED: $name"
  fi
}

step "formatting" cargo fmt --all --check
step "clippy" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
  # Types, the map's borders, the budget of the first route: a console that breaks one is not built.
  step "console" tools/console.sh
  step "console's types" npm --prefix console run --silent check
else
  skips+=("SKIPPED: the console is neither built nor tried: node or npm is missing")
fi

echo "── tests"
ENTRAIDE_SKIPS="$log/skips" cargo test --workspace --locked --no-fail-fast -- --nocapture >"$log/tests" 2>&1
status=$?
counted=$(grep -E '^test result:' "$log/tests" | awk '{p += $4; f += $6} END {print p + 0, f + 0}')
read -r p f <<<"$counted"
passed=$((passed + p)) failed=$((failed + f))
if [ "$status" -ne 0 ]; then
  grep -E '^(error|test .* FAILED|---- |thread .* panicked)' -A8 "$log/tests" | head -200
  [ "$f" -gt 0 ] || { failed=$((failed + 1)); tail -40 "$log/tests"; }
fi

while IFS= read -r line; do skips+=("$line"); done < <(grep -aoE 'SKIPPED: .*' "$log/tests" | sort -u)

echo "── browser"
if command -v npm >/dev/null 2>&1 && command -v chromium >/dev/null 2>&1 && [ -d tests/browser ]; then
  if tools/browser.sh >"$log/browser" 2>&1; then
    read -r p f < <(grep -E '^# (pass|fail) ' "$log/browser" | awk '{v[$2]=$3} END {print v["pass"] + 0, v["fail"] + 0}')
    passed=$((passed + p)) failed=$((failed + f))
  else
    read -r p f < <(grep -E '^# (pass|fail) ' "$log/browser" | awk '{v[$2]=$3} END {print v["pass"] + 0, v["fail"] + 0}')
    passed=$((passed + p)) failed=$((failed + (f > 0 ? f : 1)))
    tail -60 "$log/browser"
  fi
else
  skips+=("SKIPPED: browser tests: chromium, node or npm is missing")
fi

if [ ${#skips[@]} -eq 0 ]; then echo "0 skipped: nothing was missing"
else
  printf '%s\n' "${skips[@]}"
  why=$(printf '%s; ' "${skips[@]#SKIPPED: }")
  echo "${#skips[@]} skipped: ${why%; }"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
