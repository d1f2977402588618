# Starting and stopping the servers that tests talk to. Sourced, with bash.
# Needs: RUN, a folder for logs, databases and configurations.

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
