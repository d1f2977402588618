#!/usr/bin/env bash
# Builds everything in release and runs the benchmark; arguments go to it.
set -euo pipefail
. "$(dirname "$0")/need.sh"
cargo build --release --locked -p signalbox -p signalbox-simulator -p signalbox-bench
exec "${CARGO_TARGET_DIR:-target}/release/bench" "$@"
