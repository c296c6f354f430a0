# Has at run the commands in standard input, or in $file, in $count $units.
for program in at atq atrm; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program: install the package at"
done
commands=$(cat)
if [ -n "$file" ]; then commands=$(cat -- "$file" 2>&1) || fail "$commands"; fi
# Jobs that run the same commands.
same_jobs() {
    atq | while read -r job _; do
        case "$(at -c "$job")
" in *"
$commands
"*) echo "$job" ;; esac
    done
}
add() { printf '%s\n' "$commands" | at now + "$count" "$units"; }
jobs=
[ "$state:$unique" = present: ] || jobs=$(same_jobs)
case $state in
    absent) [ -z "$jobs" ] || change atrm $jobs ;;
    *) [ -n "$jobs" ] || change add ;;
esac
say changed "$changed"
