# Says whether $path can be fetched, and its checksum; or gives $count blocks of 64 KiB from block $skip on.
if [ -n "$count" ]; then
    dd if="$path" bs=65536 skip="$skip" count="$count" 2>/dev/null
    exit
fi
[ -e "$path" ] || { say missing 1; exit 0; }
if [ -d "$path" ]; then fail "$path is a directory; fetch takes files only"; fi
[ -f "$path" ] || fail "$path is no file: a pipe or a device may never end"
[ -r "$path" ] || fail "$path can't be read by $(id -un)"
sum_of sha1 "$path"
say checksum "$sum"
say real "$path"
