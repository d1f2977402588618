#!/usr/bin/env bash
# Runs the pinned official clients against a Signalbox whose providers are the simulator.
# SIGNALBOX_BIN and SIMULATOR_BIN name the programs; left out, the debug build's.
# Everything that is made lies below TEST_TARGET (left out: target) and is kept between runs.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
built=${CARGO_TARGET_DIR:-$root/target}/debug
SIGNALBOX_BIN=${SIGNALBOX_BIN:-$built/signalbox}
SIMULATOR_BIN=${SIMULATOR_BIN:-$built/signalbox-simulator}
work=${TEST_TARGET:-$root/target}/clients
mkdir -p "$work"
RUN=$(mktemp -d "$work/run-XXXXXX")
. "$here/serving.sh"
trap stop_all EXIT

for program in "$SIGNALBOX_BIN" "$SIMULATOR_BIN"; do
  [[ -x $program ]] || die "not built: $program"
done

say "installing the Python clients"
[[ -x $work/venv/bin/python ]] || python3 -m venv "$work/venv" || die "no virtual environment"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
  -r "$here/python/requirements.txt" || die "pip failed"

say "installing the JavaScript clients"
mkdir -p "$work/node"
if ! cmp -s "$here/node/package-lock.json" "$work/node/installed.json"; then
  cp "$here/node/package.json" "$here/node/package-lock.json" "$work/node/"
  (cd "$work/node" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) ||
    die "npm ci failed"
  cp "$here/node/package-lock.json" "$work/node/installed.json"
fi
cp "$here"/node/*.mjs "$work/node/"

say "starting the simulator and Signalbox"
export SIGNALBOX_JOURNAL=$RUN/journal.jsonl
: >"$SIGNALBOX_JOURNAL"
simulator=127.0.0.1:$(free_port)
start simulator "$SIMULATOR_BIN" --listen "$simulator" --journal "$SIGNALBOX_JOURNAL"
wait_for simulator "http://$simulator/v1/models"
LISTEN=127.0.0.1:$(free_port)
python3 "$here/configuration.py" "http://$simulator" "$RUN/signalbox.db" "$LISTEN" \
  >"$RUN/signalbox.toml"
start_signalbox
broke=$(admin account create --email broke@example.test --json) || die "no second account"
SIGNALBOX_BROKE_KEY=$(field api_key <<<"$broke") || die "the second account has no key"
limited=$(admin key create --account "$SIGNALBOX_ACCOUNT" --limit 0.000002 --json) ||
  die "no key with a limit"
SIGNALBOX_LIMITED_KEY=$(field key <<<"$limited") || die "the key with a limit is not shown"
slow=$(admin key create --account "$SIGNALBOX_ACCOUNT" --rpm 0 --json) || die "no slow key"
SIGNALBOX_SLOW_KEY=$(field key <<<"$slow") || die "the slow key is not shown"
export SIGNALBOX_BROKE_KEY SIGNALBOX_LIMITED_KEY SIGNALBOX_SLOW_KEY

failed=0
say "pytest"
(cd "$here/python" && PYTHONDONTWRITEBYTECODE=1 timeout 300 "$work/venv/bin/python" -m pytest) \
  2>&1 | tee "$RUN/pytest.log" || failed=1
say "node --test"
(cd "$work/node" && timeout 300 node --test --test-concurrency=1 --test-reporter=spec) \
  2>&1 | tee "$RUN/node.log" || failed=1
say "audit"
admin audit || failed=1

say "closing lines"
tail -n 1 "$RUN/pytest.log"
grep -E '^. (tests|pass|fail) ' "$RUN/node.log"
if ((failed)); then
  say "logs are in $RUN"
  die "the client tests failed"
fi
stop_all
rm -rf "$RUN"
say "the client tests passed"
