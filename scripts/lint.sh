#!/usr/bin/env bash
# Formatting, clippy, house rules, and licences when cargo-deny is there.
set -euo pipefail
. "$(dirname "$0")/need.sh"
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo xtask tidy
if cargo deny --version >/dev/null 2>&1; then
  cargo deny check licenses bans sources
else
  echo "cargo-deny is not installed: licences were not checked (cargo install cargo-deny)"
fi
