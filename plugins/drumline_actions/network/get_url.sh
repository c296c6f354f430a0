# Downloads $url to $dest, if what is there isn't the same; web.sh and place.sh stand ahead of it.
method=GET origin=host

# digest FILE: its checksum by $algorithm, in $sum.
digest() { sum_of "$algorithm" "$1"; }

# What the file of checksums at $checksum_url says of ours.
find_checksum() {
    kept=$url url=$checksum_url
    request
    url=$kept
    [ "$status" = 200 ] || give_up "The file of checksums $checksum_url can't be downloaded: ${trouble:-status code $status}"
    expected=$(awk -v name="$url_name" '
        NF == 1 { only = $1 }
        NF > 1 { file = $2; sub(/^[*]/, "", file); sub(/^[.]\//, "", file); if (file == name) { print $1; found = 1; exit } }
        NF == 4 && $1 ~ /^(MD5|SHA)/ { file = $2; gsub(/[()]/, "", file); if (file == name) { print $4; found = 1; exit } }
        END { if (!found && only != "") print only }' "$work/content")
    [ -n "$expected" ] || give_up "Unable to find a checksum for file '$url_name' in '$checksum_url'"
}

# Where the file is kept as it is, only what it belongs to may change.
keep() {
    leave
    attributes "$dest" "$mode"
    [ -z "$changed" ] || say msg 'file already exists but file attributes changed'
    [ -n "$changed" ] || say msg "$1"
    say url "$url"
    say dest "$dest"
    report "$dest"
    exit 0
}

[ -z "$checksum_url" ] || find_checksum
expected=$(printf %s "$expected" | tr 'A-F' 'a-f')
case $dest in */) [ -d "$dest" ] || give_up "Destination $dest does not exist" ;; esac
target=$dest
[ ! -d "$dest" ] || target=${dest%/}/$url_name
[ ! -L "$target" ] || target=$(readlink -f -- "$target")
newer=
if [ -f "$target" ] && [ -n "$expected" ]; then
    digest "$target"
    if [ "$sum" = "$expected" ] && [ -z "$force" ]; then dest=$target; keep 'file already exists'; fi
    force=1
fi
# In a directory, the file is compared and not asked for by its time, as in Ansible.
if [ -f "$target" ] && [ -z "$force" ] && [ ! -d "$dest" ]; then newer=1; fi
[ -z "$newer" ] || ! knows_times || set -- -z "$target"
if [ -n "$check" ] && [ ! -e "$target" ] && [ -z "$newer" ]; then set -- "$@" --range 0-0; fi
request "$@"
if [ "$status" = 304 ]; then
    dest=$target
    say_json status_code 304
    keep 'HTTP Error 304: Not Modified'
fi
say_json status_code "$status"
case $status in
    200 | 206) ;;
    *)
        say url "$url"
        say dest "$dest"
        give_up "Request failed: ${trouble:-HTTP Error $status}" ;;
esac
named=$(sed -n 's/^[Cc]ontent-[Dd]isposition:.*filename="\{0,1\}\([^";]*\).*/\1/p' "$work/headers" | tail -n 1 | tr -d '\r')
if [ -d "$dest" ] && [ -n "$named" ]; then
    target=${dest%/}/${named##*/}
fi
dest=$target force=1
if [ -n "$expected" ] && [ -z "$check" ]; then
    digest "$work/content"
    [ "$sum" = "$expected" ] ||
        give_up "The checksum for $work/content did not match $expected; it was $sum."
fi
if [ -f "$dest" ]; then
    sum_of sha1 "$dest"
    say checksum_dest "$sum"
fi
if command -v md5sum >/dev/null 2>&1; then
    sum_of md5 "$work/content"
    say md5sum "$sum"
fi
sum_of sha1 "$work/content"
say checksum_src "$sum"
say url "$url"
say src "$work/content"
if [ -n "$check" ]; then
    if [ ! -f "$dest" ]; then changed=1
    elif sum_of sha1 "$dest" && hash=$sum && sum_of sha1 "$work/content" && [ "$hash" != "$sum" ]; then changed=1
    fi
    leave
    say dest "$dest"
    say changed "$changed"
    exit 0
fi
say msg "OK ($(($(wc -c <"$work/content"))) bytes)"
checksum=$sum src=$work/content follow=1 name=$url_name
settle
place
leave
placed
