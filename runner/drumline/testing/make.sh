# Makes the directory $path with those above it, or a new one for an empty $path, and links: pairs of path and target.
[ -n "$path" ] || path=$(mktemp -d "${TMPDIR:-/tmp}/drumline-case.XXXXXX") || fail "no directory can be made"
try mkdir -p -- "$path"
[ -z "$mode" ] || try chmod "$mode" "$path"
while [ $# -gt 1 ]; do
    try ln -s -- "$2" "$1"
    shift 2
done
say path "$path"
