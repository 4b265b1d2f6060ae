#!/bin/sh
# Runs one fuzz target over its seeds, then for some time over what it makes of them:
#   sh tests/fuzz/one.sh [--anew] PROGRAM FOLDER SECONDS [arguments of libFuzzer...]
# FOLDER gets a copy of the seeds, which grows, and the inputs that fail; --anew empties it
# first. Nothing is written beside the seeds in the tree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
anew=no
[ "$1" != --anew ] || { anew=yes; shift; }
program=$1
folder=$2
seconds=$3
shift 3
what=${program##*/fuzz_}

[ $anew = no ] || rm -rf "$folder"
mkdir -p "$folder/corpus"
cp "$here/corpus/$what/"* "$folder/corpus"
if [ -f "$here/dict/$what" ]; then
    set -- "-dict=$here/dict/$what" "$@"
fi

# In memory, where the system has such a folder.
top=${TMPDIR:-/tmp}
[ ! -d /dev/shm ] || top=/dev/shm
TMPDIR=$(mktemp -d -p "$top" giq-fuzz-XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# Not strict_string_checks, which takes strndup() for a reader of whole strings.
export ASAN_OPTIONS="detect_stack_use_after_return=1"
export UBSAN_OPTIONS="print_stacktrace=1"
"$program" "-artifact_prefix=$folder/" -timeout=120 "-max_total_time=$seconds" \
    -print_final_stats=1 "$@" "$folder/corpus"
