#!/usr/bin/env bash
# Builds the benchmark in release and measures the ledger alone; arguments go to it, such as
# --clients 1,64 or --database postgres://user@host/empty.
set -euo pipefail
. "$(dirname "$0")/need.sh"
cargo build --release --locked -p signalbox-bench
exec "${CARGO_TARGET_DIR:-target}/release/bench" ledger "$@"
