#!/usr/bin/env bash
# Builds the release binary, makes the first account with demo credit, and serves. When the server
# is ready it prints a request that works.
set -euo pipefail
. "$(dirname "$0")/need.sh"
listen="${SIGNALBOX_LISTEN:-127.0.0.1:8080}"
database="${SIGNALBOX_DATABASE:-sqlite://data/signalbox.db}"
export SIGNALBOX_LISTEN="$listen" SIGNALBOX_DATABASE="$database"

scripts/web.sh || echo "signalbox: the web app could not be built; the API works without it." >&2
echo "Building Signalbox (the first build takes some minutes)..."
cargo build --release --locked -p signalbox
binary="${CARGO_TARGET_DIR:-target}/release/signalbox"
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

if (exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}") 2>/dev/null; then
  echo "signalbox: listen: $listen is in use; set SIGNALBOX_LISTEN to another address" >&2
  exit 2
fi
account=$("$binary" admin bootstrap --json)
key=$(printf '%s' "$account" | field api_key)
id=$(printf '%s' "$account" | field account_id)
# Once for the account, however often it is started.
"$binary" admin grant --account "$id" --usd 5 --id "demo-$id" >/dev/null

greet() {
  for _ in $(seq 100); do
    models=$(curl -fsS "http://$listen/api/v1/models?routable=true&sort=pricing-low-to-high" 2>/dev/null) && break
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  case "${models:-}" in *'"id":"'*) ;; *) return 0 ;; esac
  model=${models#*\"id\":\"}
  model=${model%%\"*}
  cat <<END

Signalbox serves on http://$listen; people sign up at http://$listen/sign-up. Your key, shown this once:
  $key
Any OpenAI client works with it at base URL http://$listen/api/v1. For example:

curl http://$listen/api/v1/chat/completions \\
  -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' \\
  -d '{"model":"$model","messages":[{"role":"user","content":"Hello, Signalbox!"}]}'

END
}
if command -v curl >/dev/null 2>&1; then greet $$ & else echo "Your key: $key"; fi
exec "$binary" serve --demo
