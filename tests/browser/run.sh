#!/usr/bin/env bash
# Drives the web app in a real browser, against a real Signalbox whose provider is the simulator.
# Arguments are the test files to run, such as pkce.test.mjs. `screenshots` as argument: pictures of
# every page instead, light and dark, on a desk and in a hand.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../clients/serving.sh"

for CHROMIUM in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  CHROMIUM=$(command -v "${CHROMIUM:-none}") && break
done
if [[ -z $CHROMIUM ]]; then
  [[ -z ${SIGNALBOX_REQUIRE_CHROMIUM:-} ]] || die "there is no Chromium"
  echo "signalbox: Chromium is not installed, so the browser tests are skipped." >&2
  echo "           Debian: apt-get install chromium" >&2
  exit 0
fi
export CHROMIUM

prepare browser "$SIGNALBOX_BIN" "$SIMULATOR_BIN"
say "installing playwright-core"
mkdir -p "$work/node"
if ! cmp -s "$here/package-lock.json" "$work/node/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$work/node/"
  (cd "$work/node" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) ||
    die "npm ci failed"
  cp "$here/package-lock.json" "$work/node/installed.json"
fi
rm -f "$work"/node/*.mjs
cp "$here"/*.mjs "$work/node/"

say "starting the simulator and Signalbox"
start_simulator "$RUN/journal.jsonl"
LISTEN=127.0.0.1:$(free_port)
PYTHONDONTWRITEBYTECODE=1 python3 "$here/../clients/configuration.py" \
  "http://$simulator" "$RUN/signalbox.db" "$LISTEN" >"$RUN/signalbox.toml"
# An identity provider that a test is, and one that nobody is.
PROVIDER_PORT=$(free_port)
export PROVIDER_PORT
cat >>"$RUN/signalbox.toml" <<TOML
[[people.providers]]
id = "work"
name = "Work"
issuer = "http://127.0.0.1:$PROVIDER_PORT"
client_id = "signalbox"
[[people.providers]]
id = "gone"
name = "Gone"
issuer = "http://127.0.0.1:$(free_port)"
client_id = "signalbox"
[network]
trusted_proxies = ["127.0.0.1"]
TOML
start_signalbox
export SITE="http://$LISTEN" SIGNALBOX_BIN RUN

if [[ ${1:-} == screenshots ]]; then
  export PICTURES=$work/screenshots
  (cd "$work/node" && node screenshots.mjs) || die "no screenshots"
  say "see $PICTURES"
  stop_all
  rm -rf "$RUN"
  exit 0
fi

failed=0
say "node --test"
(cd "$work/node" && timeout 600 node --test --test-concurrency=1 --test-timeout=120000 --test-force-exit \
  --test-reporter=spec "$@") 2>&1 |
  tee "$RUN/node.log" || failed=1
say "audit"
admin audit || failed=1
say "closing lines"
grep -E '^. (tests|pass|fail|skipped|duration_ms) ' "$RUN/node.log"
finish browser "$failed"
