#!/bin/sh
# Many requests, some at once:
#
#   sh batch.sh LIST FOLDER [AT_ONCE]
#
# Each line of LIST makes one file in FOLDER. Its columns are separated by tabs: the name of
# the file, the model, the file id or, for a local file, upload=PATH and, where only a
# part is wanted, the area as an open option: GEOMETRY=@coast.wkt, AOI=fields.gpkg or
# BBOX=minx,miny,maxx,maxy. A name that ends in .tif is a raster, all others are vectors.
# Empty lines and lines that begin with # are passed over.
#
# What is in FOLDER already is not asked for again, so the same command goes on where it
# was ended. What failed is listed at the end, and the exit status is 1.
set -eu
tab=$(printf '\t')

fail() {
    echo "batch.sh: $*" >&2
    exit 2
}

rows() {
    tr -d '\r' <"$list" | grep -v -e '^#' -e '^[[:space:]]*$' || :
}

# A value of a connection string; quotes within are doubled.
quoted() {
    printf '"%s"' "$(printf %s "$1" | sed 's/"/""/g')"
}

# The file column as a pair of the connection string.
input() {
    case $1 in
    upload=*) printf 'upload=%s' "$(quoted "${1#upload=}")" ;;
    *) printf 'file=%s' "$(quoted "$1")" ;;
    esac
}

# move FOLDER NAME: a file and those that came with it, such as the .dbf of a .shp. It is
# the last: where it is, the others are.
move() {
    for file in "$1/.$2.part"/*; do
        [ "$file" = "$1/.$2.part/$2" ] || mv "$file" "$1"
    done
    mv "$1/.$2.part/$2" "$1/$2"
}

# Make the file of the row $2. It is written beside its place and then renamed, so that
# half a file is never taken for a whole one.
make() {
    folder=$1
    IFS=$tab read -r name model file area <<END
$2
END
    part=$folder/.$name.part
    [ ! -e "$folder/$name" ] || return 0
    rm -rf "$part" "$folder/$name.error"
    mkdir "$part"
    request="GIQ:model=$(quoted "$model");$(input "$file")"
    case $name in
    *.tif) set -- gdal_translate -q "$request" "$part/$name" ;;
    *) set -- ogr2ogr "$part/$name" "$request" ;;
    esac
    [ -z "$area" ] || set -- "$@" -oo "$area"
    if "$@" >"$part/messages" 2>&1 && sync "$part"/*; then
        cat "$part/messages"
        rm "$part/messages"
        move "$folder" "$name"
        echo "done: $name"
    else
        mv "$part/messages" "$folder/$name.error"
        echo "failed: $name"
    fi
    rm -rf "$part"
}

# What is missing, and why.
missing() {
    rows | while IFS=$tab read -r name _; do
        [ -e "$folder/$name" ] || {
            printf '%s: ' "$name"
            grep 'GIQ\[' "$folder/$name.error" 2>/dev/null ||
                head -n 3 "$folder/$name.error" 2>/dev/null || echo "ended in the middle"
        }
    done
}

if [ "${1:-}" = --make ]; then
    make "$2" "$3"
    exit
fi
[ $# -ge 2 ] || fail "LIST and FOLDER are needed; see the head of this script"
list=$1 folder=$2 at_once=${3:-4}
[ -r "$list" ] || fail "cannot read $list"
wrong=$(rows | awk -F '\t' '
    NF < 3 || NF > 4 || $1 ~ /^\.|\// || seen[$1]++ || $1 == "" || $2 == "" || $3 == ""')
[ -z "$wrong" ] || fail "no NAME, MODEL, FILE and AREA separated by tabs, or a name twice:
$wrong"

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock -n 9 || fail "another batch is at work in $folder"
rows | tr '\n' '\0' | xargs -0 -r -n 1 -P "$at_once" sh "$0" --make "$folder" || :
failures=$(missing)
[ -z "$failures" ] || {
    printf '\nnot done:\n%s\n' "$failures" >&2
    exit 1
}
