# Sees to it that the line $repo is in a file of apt's sources, or in none; apt_cache.sh stands ahead of it.
directory=/etc/apt/sources.list.d main=/etc/apt/sources.list
command -v apt-get >/dev/null 2>&1 || fail "This host has no apt-get"
codename() {
    [ -z "$codename" ] || { echo "$codename"; return; }
    sed -n 's/^\(VERSION_CODENAME\|UBUNTU_CODENAME\)=//p' /etc/os-release | tail -n 1
}
case $repo in
    ppa:*)
        place=${repo#ppa:}
        case $place in */*) ;; *) place=$place/ppa ;; esac
        repo="deb http://ppa.launchpadcontent.net/$place/ubuntu $(codename) main"
        [ -n "$filename" ] || filename="ppa_$(echo "$place" | tr -c 'a-zA-Z0-9\n' _)_$(codename)" ;;
esac
# One space between words, no comment: as lines are compared.
plain() { printf '%s\n' "$1" | sed 's/[[:space:]]*#.*//; s/[[:space:]][[:space:]]*/ /g; s/^ //; s/ $//'; }
wanted=$(plain "$repo")
# Whether a file has the line, and it isn't a comment.
holds() { sed 's/[[:space:]]*#.*//; s/[[:space:]][[:space:]]*/ /g; s/^ //; s/ $//' "$1" 2>/dev/null | grep -qxF -- "$wanted"; }
name=$filename
[ -n "$name" ] || name=$suggested
case $name in
    /*) file=$name ;;
    *) file=$directory/$name ;;
esac
case $file in *.list) ;; *) file=$file.list ;; esac
say repo "$repo"
say state "$state"
has=
for source in "$main" "$directory"/*.list; do
    if holds "$source"; then has=$source; fi
done
# A last line without an end gets one: two sources would become one line.
with_repo() { { [ ! -e "$file" ] || awk 1 "$file"; } && printf '%s\n' "$repo"; }
write() { rewrite_by "$file" 0644 with_repo && { [ -z "$mode" ] || chmod "$mode" "$file"; }; }
# Lines are compared as above; those that differ stay as they are.
remove() {
    wanted=$wanted awk '{
        line = $0
        sub(/[ \t]*#.*/, "", line); gsub(/[ \t]+/, " ", line); sub(/^ /, "", line); sub(/ $/, "", line)
        if (line != ENVIRON["wanted"]) print
    }' "$1" >"$1.drumline.$$" && cat "$1.drumline.$$" >"$1" && rm -f "$1.drumline.$$"
    grep -q '[^[:space:]]' "$1" || [ "$1" = "$main" ] || rm -f "$1"
}
if [ "$state" = present ]; then
    if [ -z "$has" ]; then
        [ -e "$file" ] || say_item sources_added "$file"
        change write
    elif [ -n "$mode" ] && [ "$has" != "$main" ]; then
        owner= group=
        attributes "$has" "$mode"
    fi
else
    for source in "$main" "$directory"/*.list; do
        if holds "$source"; then
            change remove "$source"
            [ -e "$source" ] || say_item sources_removed "$source"
        fi
    done
fi
if [ -n "$changed" ] && [ -n "$update_cache" ] && [ -z "$check" ]; then
    find_lists
    if ! update_lists; then
        # A source that can't be read would be in everyone's way.
        [ "$state" != present ] || remove "$file"
        fail "Failed to update apt cache: $problem"
    fi
fi
say changed "$changed"
