#!/usr/bin/env bash
# Every test that fits CI. Ends with the closing lines of the runners.
set -euo pipefail
. "$(dirname "$0")/need.sh"
need node "install Node.js 20 or newer"
need python3 "install Python 3.10 or newer with venv"
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null 2>&1; then
  echo "signalbox: PostgreSQL is not installed, so its tests are skipped." >&2
  echo "           Debian: apt-get install postgresql; macOS: brew install postgresql@15" >&2
fi

echo "== web app"
scripts/web.sh
npm --prefix web run --silent test
echo "== building"
cargo build --workspace --all-targets --locked
echo "== Rust tests and house rules"
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked --no-fail-fast
else
  cargo test --workspace --locked --no-fail-fast
fi
echo "== official clients"
tests/clients/run.sh
echo "== purchases"
tests/payments/run.sh
echo "== signing in"
tests/sign-in/run.sh
echo "== web app in a browser"
tests/browser/run.sh
