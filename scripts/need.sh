# Sourced by the other scripts: says plainly what is missing.
need() {
  command -v "$1" >/dev/null 2>&1 || { echo "signalbox: $1 is needed: $2" >&2; exit 2; }
}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
need cargo "install Rust 1.95 or newer with rustup"
need cc "install a C compiler, such as Debian's gcc"
