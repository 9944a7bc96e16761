#!/usr/bin/env bash
# Drives the real binary with the system's Chromium, and reports as TAP (`# pass N`, `# fail N`).
# ENTRAIDE_BIN names another binary; CHROMIUM another browser.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${ENTRAIDE_BIN:-}" ]; then
  cargo build --locked --quiet --bin entraide
  ENTRAIDE_BIN="${CARGO_TARGET_DIR:-target}/debug/entraide"
fi
ENTRAIDE_BIN=$(realpath "$ENTRAIDE_BIN")
export ENTRAIDE_BIN
tools/console.sh >&2
cd tests/browser
# Two libraries and no browser: the lock file pins both by digest.
npm ci --ignore-scripts --no-fund --no-audit --loglevel=error >&2
exec node --test --test-reporter=tap --test-concurrency=1
