# What the $database says of $key, or all that it has.
set --
[ -z "$service" ] || set -- -s "$service"
[ -z "$key" ] || set -- "$@" -- "$database" "$key"
[ -n "$key" ] || set -- "$@" -- "$database"
if command -v getent >/dev/null 2>&1; then
    found=$(getent "$@" 2>&1)
    code=$?
else
    # busybox has none: the file of the database counts.
    if [ -z "$key" ]; then found=$(cat "/etc/$database" 2>&1)
    else found=$(awk -F: -v key="$key" '$1 == key || $3 == key' "/etc/$database" 2>&1)
    fi
    code=$?
    [ -n "$found" ] || code=2
fi
say code "$code"
say found "$found"
