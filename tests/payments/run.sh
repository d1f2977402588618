#!/usr/bin/env bash
# Buys, tops up, refunds and forges against localstripe (PyPI), a stateful stand-in for Stripe, and the
# pages of pages.py for what it lacks.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../clients/serving.sh"
prepare payments "$SIGNALBOX_BIN" "$SIMULATOR_BIN"

say "installing localstripe"
python_packages "$here/requirements.txt"
export PYTHONDONTWRITEBYTECODE=1

say "starting the simulator, localstripe, the pages and Signalbox"
start_simulator "$RUN/journal.jsonl"
peer_port=$(free_port)
start localstripe "$python" "$here/peer.py" "$peer_port"
wait_for localstripe "http://127.0.0.1:$peer_port/js.stripe.com/v3/"
LISTEN=127.0.0.1:$(free_port)
pages_port=$(free_port)
export WEBHOOK_SECRET=whsec_canary_of_the_tests
export STRIPE_KEY=sk_test_signalbox_canary
start pages "$python" "$here/pages.py" "$pages_port" "http://127.0.0.1:$peer_port" \
  "http://$LISTEN/webhooks/stripe" "$WEBHOOK_SECRET"
wait_for pages "http://127.0.0.1:$pages_port/_calls"
export PAGES=http://127.0.0.1:$pages_port PEER=http://127.0.0.1:$peer_port

# configure FILE LISTEN WEBHOOK_LINE
configure() {
  cat >"$1" <<TOML
listen = "$2"
[database]
url = "sqlite://$1.db"
[stripe]
base_url = "$PAGES"
secret_key = "env:STRIPE_KEY"
$3
[[providers]]
slug = "sim"
name = "Simulator"
base_url = "http://$simulator/v1"
api_key = "key-of-the-simulator"
[[models]]
id = "sim/tokens"
name = "Tokens"
context_length = 32768
[[endpoints]]
model = "sim/tokens"
provider = "sim"
provider_model_id = "tokens-50"
pricing = { prompt = "0.000001", completion = "0.000003" }
TOML
}

configure "$RUN/deaf.toml" "127.0.0.1:$(free_port)" ""
deaf=$(sed -n 's/^listen = "\(.*\)"/\1/p' "$RUN/deaf.toml")
start deaf "$SIGNALBOX_BIN" serve --config "$RUN/deaf.toml"
wait_for deaf "http://$deaf/health/ready"
status=$("$python" - "http://$deaf/webhooks/stripe" <<'PY'
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], data=b"{}")
except urllib.error.HTTPError as error:
    print(error.code)
PY
)
[[ $status == 404 ]] || die "without a secret the webhook answered $status"
warnings=$(grep -c "stripe.webhook_secret is not set" "$RUN/deaf.log")
[[ $warnings == 1 ]] || die "without a secret there were $warnings warnings"

configure "$RUN/signalbox.toml" "$LISTEN" 'webhook_secret = ["env:WEBHOOK_SECRET", "whsec_next"]'
SIGNALBOX_LOG=trace start_signalbox
"$python" - "$PEER/_config/webhooks/signalbox" "http://$LISTEN/webhooks/stripe" <<'PY' || die "no webhook"
import os, sys, urllib.parse, urllib.request
fields = {"url": sys.argv[2], "secret": os.environ["WEBHOOK_SECRET"]}
urllib.request.urlopen(sys.argv[1], data=urllib.parse.urlencode(fields).encode())
PY

failed=0
say "pytest"
(cd "$here" && timeout 600 "$python" -m pytest -q -p no:cacheprovider) 2>&1 |
  tee "$RUN/pytest.log" || failed=1
say "audit"
admin audit || failed=1
say "canaries"
for canary in "$WEBHOOK_SECRET" "$STRIPE_KEY"; do
  if grep -q "$canary" "$RUN/signalbox.log"; then
    say "$canary was logged"
    failed=1
  fi
done
if grep -q '"amount_total"' "$RUN/signalbox.log"; then
  say "a webhook's body was logged"
  failed=1
fi
finish payment "$failed"
