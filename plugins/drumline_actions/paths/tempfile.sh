# Makes a new file or directory ($kind) called $name in $place, which only this user can use.
place=${place:-${TMPDIR:-/tmp}}
[ -d "$place" ] || fail "$place is no directory"
path=${place%/}/$name
umask 077
if [ "$kind" = directory ]; then try mkdir -- "$path"
else
    problem=$({ set -C && : >"$path"; } 2>&1) || fail "$problem"
fi
changed=1
say state "$kind"
report "$path"
