#!/usr/bin/env bash
# What takes longer than CI has: properties with many more cases, a gateway that dies a thousand times,
# and every fuzz target for a minute.
set -euo pipefail
. "$(dirname "$0")/need.sh"
PROPTEST_CASES="${PROPTEST_CASES:-20000}" cargo test --release --locked -p signalbox-core \
  -p signalbox-dialect -p signalbox-guard -p signalbox-ledger -p signalbox-policy -p signalbox-vault
echo "== gateways killed under load, a thousand times"
SIGNALBOX_ROUNDS="${SIGNALBOX_ROUNDS:-1000}" cargo test --release --locked -p signalbox --test money \
  -- --nocapture however_often_the_gateway_dies
if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "cargo-fuzz is needed for the fuzz targets: cargo install cargo-fuzz" >&2
  exit 2
fi
for crate in dialect guard platform vault; do
  cd "crates/$crate"
  for target in $(cargo fuzz list); do
    echo "== fuzzing $crate: $target"
    # The fuzzer's compiler flags are unstable ones; this lets the stable toolchain take them.
    RUSTC_BOOTSTRAP=1 cargo fuzz run "$target" -- -max_total_time="${FUZZ_SECONDS:-60}"
  done
  cd ../..
done
