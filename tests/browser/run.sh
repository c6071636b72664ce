#!/bin/sh
# Tests the emulator's page in Chromium. Exits with 77 if something that it needs is missing.
# Arguments: the emulator's program; a folder for the packages from npm and a copy of the tests (default: target/browser).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=${2:-$here/../../target/browser}
for tool in "${CHROMIUM:=chromium}" node npm; do
    command -v "$tool" >/dev/null || { echo "there is no $tool" >&2; exit 77; }
done
mkdir -p "$folder"
cp "$here"/*.mjs "$here"/package.json "$here"/package-lock.json "$folder"
cd "$folder"
# The copy is written last, so it is the same only after a complete installation.
if ! cmp -s package-lock.json installed-lock.json; then
    npm ci --silent --ignore-scripts --no-audit --no-fund >&2 || { echo "npm cannot install playwright-core and axe-core" >&2; exit 77; }
    cp package-lock.json installed-lock.json
fi
CHROMIUM=$(command -v "$CHROMIUM") ARR_EMULATOR=$program exec node --test --test-reporter=spec page.test.mjs
