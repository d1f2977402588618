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
if command -v npm >/dev/null 2>&1; then
  scripts/web.sh packages
  npm --prefix web run --silent check
else
  echo "npm is not installed: the web app was not checked"
fi
