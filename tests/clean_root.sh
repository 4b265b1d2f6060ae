#!/bin/sh
# Shows that the quick start works on a bare Debian where nothing but a checkout is:
#   sh tests/clean_root.sh FOLDER [SCRIPT [SUITE]]
# makes a minimal system in FOLDER (which must not exist), clones the last commit into it
# and runs SCRIPT there (default tests/quickstart.sh). Needs root; the system stays in
# FOLDER.
set -eu
root=${1:?"the folder of the new system"}
[ ! -e "$root" ] || { echo "$root exists already" >&2; exit 2; }
mkdir -p "$(dirname "$root")"
root=$(cd "$(dirname "$root")" && pwd)/$(basename "$root")
cd "$(dirname "$0")/.."
. tests/roots/root.sh

root_make "${3:-bookworm}" "$root"
root_sources "$root"
root_run "$root" 'cd /src/giq && sh "$1"' "${2:-tests/quickstart.sh}"
