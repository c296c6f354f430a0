# Makes an empty file that only its owner can read.
look_for_leftovers "${TMPDIR:-/tmp}/"
tmp=$(mktemp "${TMPDIR:-/tmp}/${own}XXXXXX" 2>&1) || { problem=$tmp tmp=; fail "$problem"; }
say upload "$tmp"
