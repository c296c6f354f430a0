# What the file $path holds.
[ -e "$path" ] || fail "file not found: $path"
[ ! -d "$path" ] || fail "source is a directory and must be a file: $path"
[ -r "$path" ] || fail "file is not readable: $path"
if [ -f "$path" ] && [ "$(wc -c <"$path")" -gt "$limit" ]; then fail "$path has more than $limit bytes: use fetch"; fi
say source "$path"
say_rest content
head -c "$limit" <"$path"
