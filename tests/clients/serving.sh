# Making ready, starting and stopping what tests talk to. Sourced, with bash.
# SIGNALBOX_BIN and SIMULATOR_BIN name the programs; left out, the debug build's. Everything that is
# made lies below TEST_TARGET (left out: target) and is kept between runs, but for RUN.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
built=${CARGO_TARGET_DIR:-$root/target}/debug
SIGNALBOX_BIN=${SIGNALBOX_BIN:-$built/signalbox}
SIMULATOR_BIN=${SIMULATOR_BIN:-$built/signalbox-simulator}

SERVED=()
# What these name would go before the configuration file.
unset SIGNALBOX_CONFIG SIGNALBOX_LISTEN SIGNALBOX_DATABASE

say() { printf '%s\n' "-- $*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Ends the servers that were started here, by their ids.
stop_all() {
  local id
  for id in "${SERVED[@]}"; do kill "$id" 2>/dev/null; done
  for id in "${SERVED[@]}"; do wait "$id" 2>/dev/null; done
  SERVED=()
  return 0
}

# prepare NAME PROGRAM...: the folder $work for what is kept, RUN for this run's logs, databases and
# configurations, and the end of every server with the script's.
prepare() {
  work=${TEST_TARGET:-$root/target}/$1
  shift
  mkdir -p "$work"
  RUN=$(mktemp -d "$work/run-XXXXXX")
  trap stop_all EXIT
  local program
  for program in "$@"; do [[ -x $program ]] || die "not built: $program"; done
}

# python_packages FILE: what it lists, into a virtual environment whose interpreter is $python.
python_packages() {
  python=$work/venv/bin/python
  [[ -x $python ]] || python3 -m venv "$work/venv" || die "no virtual environment"
  "$work/venv/bin/pip" install -q --disable-pip-version-check -r "$1" || die "pip failed"
}

# start_simulator JOURNAL: the simulator, which notes what it did; its address is $simulator.
start_simulator() {
  simulator=127.0.0.1:$(free_port)
  start simulator "$SIMULATOR_BIN" --listen "$simulator" --journal "$1"
  wait_for simulator "http://$simulator/v1/models"
}

# finish WHAT FAILED: the closing line; the run's folder stays where something failed.
finish() {
  if (($2)); then
    say "logs are in $RUN"
    die "the $1 tests failed"
  fi
  stop_all
  rm -rf "$RUN"
  say "the $1 tests passed"
}

# start NAME COMMAND...: in the background, output in $RUN/NAME.log.
start() {
  local name=$1
  shift
  "$@" >"$RUN/$name.log" 2>&1 &
  SERVED+=("$!")
}

# wait_for NAME URL: until the URL answers; fails when the last server started ends first.
wait_for() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    if python3 - "$2" <<'PY' 2>/dev/null; then return 0; fi
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=2).read()
PY
    if ! kill -0 "${SERVED[-1]}" 2>/dev/null; then
      tail -n 20 "$RUN/$1.log" >&2
      die "$1 ended before it answered"
    fi
    sleep 0.1
  done
  tail -n 20 "$RUN/$1.log" >&2
  die "$1 did not answer at $2"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# field NAME: a member of the JSON object on stdin.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# admin COMMAND...: with the configuration of this run.
admin() { "$SIGNALBOX_BIN" admin "$@" --config "$RUN/signalbox.toml"; }

# Starts Signalbox with $RUN/signalbox.toml on $LISTEN, makes an account with $100, and exports
# SIGNALBOX_URL, SIGNALBOX_KEY, SIGNALBOX_MANAGEMENT_KEY and SIGNALBOX_ACCOUNT.
start_signalbox() {
  start signalbox "$SIGNALBOX_BIN" serve --config "$RUN/signalbox.toml"
  wait_for signalbox "http://$LISTEN/health/ready"
  local made
  made=$(admin bootstrap --json) || die "bootstrap failed"
  SIGNALBOX_URL="http://$LISTEN/api/v1"
  SIGNALBOX_KEY=$(field api_key <<<"$made") || die "bootstrap gave no key"
  SIGNALBOX_MANAGEMENT_KEY=$(field management_key <<<"$made") || die "no management key"
  SIGNALBOX_ACCOUNT=$(field account_id <<<"$made") || die "no account id"
  export SIGNALBOX_URL SIGNALBOX_KEY SIGNALBOX_MANAGEMENT_KEY SIGNALBOX_ACCOUNT
  admin grant --account "$SIGNALBOX_ACCOUNT" --usd 100 >/dev/null || die "the grant failed"
}
