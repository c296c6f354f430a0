# Reads or sets the extended attribute $key of $path.
[ -e "$path" ] || fail "path not found or not accessible!"
for program in getfattr setfattr; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program: install the package attr"
done
nofollow=
[ -n "$follow" ] || nofollow=-h
get() { getfattr --absolute-names $nofollow "$@" -- "$path" 2>/dev/null; }
set_value() { setfattr $nofollow -n "$key" -v "$value" -- "$path"; }
remove_key() { setfattr $nofollow -x "$key" -- "$path"; }
case $state in
    keys) lines=$(get) ;;
    all) lines=$(get -d) ;;
    *) lines=$(get -n "$key") ;;
esac
said=$(printf '%s\n' "$lines" | grep -F -- "$key=")
case $state in
    present) [ -n "$said" ] && [ "$(get --only-values -n "$key")" = "$value" ] || change set_value ;;
    absent) [ -z "$(printf '%s\n' "$lines" | grep -v '^#')" ] || change remove_key ;;
esac
say lines "$lines"
say changed "$changed"
