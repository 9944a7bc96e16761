#!/usr/bin/env bash
# Builds the console (`console/dist`), which a release build holds. What is built already is not built again.
set -euo pipefail
cd "$(dirname "$0")/../console"
for program in node npm; do
  command -v $program >/dev/null 2>&1 || { echo "the console can't be built: $program is missing; install it with: sudo apt-get install nodejs npm" >&2; exit 1; }
done
built=$(cat package-lock.json package.json index.html vite.config.ts svelte.config.js tsconfig.json ../crates/http/openapi.json \
  scripts/* public/* $(find src -type f ! -name '*.gen.json' ! -name schema.d.ts | sort) | sha256sum)
[ -f dist/index.html ] && [ "$(cat dist/.built 2>/dev/null)" = "$built" ] && exit 0
echo "building the console"
npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
npm run --silent build >/dev/null
echo "$built" >dist/.built
