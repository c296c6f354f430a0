# Sees to it that dpkg has the $selection for the package $name.
command -v dpkg >/dev/null 2>&1 || fail "This host has no dpkg"
before=$(dpkg --get-selections "$name" 2>/dev/null | awk '{ print $2; exit }')
[ -n "$before" ] || fail "Failed to find package '$name' to perform selection '$selection'."
select_it() { echo "$name $selection" | dpkg --set-selections; }
if [ "$before" != "$selection" ]; then
    differs selection "$before" "$selection"
    change select_it
fi
say before "$before"
say changed "$changed"
