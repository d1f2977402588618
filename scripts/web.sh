#!/usr/bin/env bash
# Builds the web app into web/dist, which the next build of Signalbox embeds. `packages` as argument:
# only installs what it is made with. Without Node it says so and leaves everything as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../web"

if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null ||
  ! command -v npm >/dev/null 2>&1; then
  echo "signalbox: there is no Node.js 20.19 or newer, so the web app is not built; the API works without it." >&2
  exit 0
fi
installed=node_modules/.installed.json
if ! cmp -s package-lock.json "$installed"; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json "$installed"
fi
[[ ${1:-} == packages ]] && exit 0

# Whatever is newer than the last build, but for what builds make themselves.
changed=$(find . \( -path ./node_modules -o -path ./dist \) -prune -o -type f -newer dist/index.html -print -quit 2>/dev/null || echo all)
if [[ ! -f dist/index.html || -n $changed ]]; then
  npm run --silent build
fi
