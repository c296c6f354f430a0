# Makes an empty file that only its owner can read.
tmp=
tmp=$(mktemp "${TMPDIR:-/tmp}/drumline.XXXXXX" 2>&1) || { problem=$tmp tmp=; fail "$problem"; }
say upload "$tmp"
