#!/usr/bin/env bash
# Counts instructions outside the kernel with valgrind's callgrind; arguments go to the benchmark, such
# as --cases AB. The profiles stay in target/callgrind, for callgrind_annotate.
set -euo pipefail
. "$(dirname "$0")/need.sh"
need valgrind "install Debian's valgrind"
need callgrind_control "it comes with valgrind"
target="${CARGO_TARGET_DIR:-target}"
cargo build --release --locked -p signalbox -p signalbox-simulator -p signalbox-bench
rm -rf "$target/callgrind"
exec "$target/release/bench" --roads "$@" instructions --profiles "$target/callgrind"
