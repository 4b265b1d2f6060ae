# What tests/matrix.sh and tests/packages.sh share: their options, and a table with a row
# for each suite, whose cells are files below its folder.

roots=build/matrix
suites="bookworm trixie sid"

# root_options ARGUMENTS...: --roots FOLDER, --suites "NAME...", --labels "NAME...".
root_options() {
    while [ $# -gt 0 ]; do
        [ $# -ge 2 ] || { echo "$1 needs a value" >&2; exit 2; }
        case $1 in
        --roots) roots=$2 ;;
        --suites) suites=$2 ;;
        --labels) labels=$2 ;;
        *) echo "no option $1; see the head of $0" >&2; exit 2 ;;
        esac
        shift 2
    done
}

# suite_begin SUITE: its systems, and an empty row. bare stays as it was made, builder gets
# what building and testing need.
suite_begin() {
    [ -e "$roots/$1/bare" ] || root_make "$1" "$roots/$1/bare"
    [ -e "$roots/$1/builder" ] || root_copy "$roots/$1/bare" "$roots/$1/builder"
    rm -rf "$roots/$1/cells"
    mkdir -p "$roots/$1/cells"
}

# cell SUITE COLUMN TEXT: good is what begins with ok, and -, which says nothing.
cell() {
    echo "$3" >"$roots/$1/cells/$2"
    echo "$1, $2: $3"
}

# step SUITE COLUMN COMMAND...: a cell from how a command ends; its log has the column's
# name.
step() {
    step_log=$roots/$1/$2.log
    step_suite=$1
    step_column=$2
    shift 2
    if "$@" >"$step_log" 2>&1; then
        cell "$step_suite" "$step_column" ok
    else
        cell "$step_suite" "$step_column" "failed: $step_log"
    fi
}

# table COLUMN...: the table in Markdown. Fails for a bad cell of a suite that is not sid.
table() {
    table_status=0
    printf '\n| suite |'
    printf ' %s |' "$@"
    printf '\n|---|'
    printf '%.0s---|' "$@"
    for suite in $suites; do
        printf '\n| %s |' "$suite"
        for column in "$@"; do
            text=$(cat "$roots/$suite/cells/$column" 2>/dev/null || echo missing)
            printf ' %s |' "$text"
            case $suite$text in
            *ok* | *-) ;;
            sid*) warning="sid moves: what fails there only is a warning" ;;
            *) table_status=1 ;;
            esac
        done
    done
    printf '\n\n%s\n' "${warning:-}"
    return "$table_status"
}
