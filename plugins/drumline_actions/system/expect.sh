# Has expect carry out the program in standard input, and answers what it says, and how it ended.
command -v expect >/dev/null 2>&1 || fail "This host has no expect: install the package expect"
[ -z "$chdir" ] || cd -- "$chdir" || fail "$chdir is no directory"
obstacle=
[ -z "$creates" ] || [ ! -e "$creates" ] || obstacle="$creates exists"
[ -z "$removes" ] || [ -e "$removes" ] || obstacle="$removes does not exist"
if [ -n "$obstacle" ]; then
    say obstacle "$obstacle"
    exit 0
fi
tmp=$(mktemp -d) || fail "no temporary directory can be made"
expect - >"$tmp/output" 2>"$tmp/end"
{ read -r end; read -r code; read -r prompt; } <"$tmp/end"
case $end in
    exited | late | unanswered) ;;
    *) problem=$(cat "$tmp/end"); rm -rf -- "$tmp"; tmp=; fail "$problem" ;;
esac
say end "$end"
say code "${code:-1}"
say prompt "$prompt"
exec 3<"$tmp/output"
rm -rf -- "$tmp"
tmp=
say_rest output
cat <&3
