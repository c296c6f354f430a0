# Sees to it that $path has the $entry of its access control list, or hasn't it, and says the whole list.
[ -e "$path" ] || fail "Path not found or not accessible."
for program in getfacl setfacl; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program: install the package acl"
done
set --
[ -z "$recursive" ] || set -- "$@" --recursive
[ -n "$follow" ] || set -- "$@" --physical
[ -z "$default" ] || set -- "$@" -d
# What --test shows ends in *,* for a file that stays as it is.
differing() { setfacl --test "$@" -- "$path" 2>&1 | grep -v '\*,\*$'; }
case $state in
    present) option=-m ;;
    absent) option=-x ;;
    query) option= ;;
esac
if [ -n "$option" ]; then
    problem=$(setfacl --test $masking "$@" "$option" "$entry" -- "$path" 2>&1 >/dev/null) || fail "$problem"
    [ -z "$(differing $masking "$@" "$option" "$entry")" ] || change setfacl $masking "$@" "$option" "$entry" -- "$path"
fi
list=$(getfacl --absolute-names --omit-header "$@" -- "$path" 2>&1) || fail "$list"
IFS='
'
set -f
for line in $list; do
    case $line in '#'*) ;; *) say_item acl "$line" ;; esac
done
say changed "$changed"
