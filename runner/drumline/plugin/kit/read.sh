# Says what $path is and holds. A file with another $mode, $owner or $group gets these.
say path "$path"
if [ -d "$path" ]; then say kind directory
elif [ -f "$path" ]; then
    attributes "$path" "$mode"
    size=$(wc -c <"$path") || fail "$path can't be read"
    [ "$size" -le "$limit" ] || fail "$path has $((size)) bytes, and a file that is edited may have $limit"
    sum_of sha1 "$path"
    say kind file
    say checksum "$sum"
    report "$path"
    say_rest content
    cat <"$path"
elif [ -e "$path" ]; then fail "$path is a pipe, a socket or a device, and can't be edited"
else say kind absent
fi
