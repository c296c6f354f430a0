# Puts the file or directory $src of this host at $dest, if what is there differs; place.sh stands ahead of it.
origin=host

from_host() {
    sum_of sha1 "$src"
    [ -z "$expected" ] || [ "$sum" = "$expected" ] || fail "The checksum of $src is $sum instead of $expected"
    checksum=$sum
    if [ -n "$preserve" ]; then
        mode=$(deref=-L status "$src")
        mode=${mode%%:*}
    fi
    place
}

# A new file of a tree is no more open than its source.
from_host_as_it_is() {
    wanted_mode=$mode
    if [ -z "$mode" ] && [ ! -e "$dest" ]; then
        mode=$(deref=-L status "$src")
        mode=${mode%%:*}
    fi
    from_host
    mode=$wanted_mode
}

# What a directory is known by, whichever way leads to it; GNU and busybox, else BSD.
identity() { stat -L -c '%d:%i' -- "$1" 2>/dev/null || stat -L -f '%d:%i' -- "$1"; }

# Whether a path that need not exist is in a directory, at whatever depth: looks upwards until the root leads to itself.
is_in() {
    set -- "$1" "$(identity "$2")"
    while [ ! -d "$1" ]; do
        case $1 in
            */*) set -- "${1%/*}" "$2" ;;
            *) set -- . "$2" ;;
        esac
        [ -n "$1" ] || set -- / "$2"
    done
    until [ "$(identity "$1")" = "$2" ]; do
        [ "$(identity "$1")" != "$(identity "$1/..")" ] || return 1
        set -- "$1/.." "$2"
    done
}

# A link that leads nowhere, or back up, is made anew as it is, beside the old one and moved over it.
relink() {
    [ ! -L "$2" ] || [ "$(readlink -- "$1")" != "$(readlink -- "$2")" ] || return 0
    if [ -d "$2" ] && [ ! -L "$2" ]; then fail "$2 is a directory; the link $1 can't take its place"; fi
    look_for_leftovers "${2%/*}/"
    changed=1
    [ -z "$check" ] || return 0
    tmp=$(mktemp "${2%/*}/${own}XXXXXX" 2>&1) || { problem=$tmp tmp=; fail "$problem"; }
    try ln -sf -- "$(readlink -- "$1")" "$tmp"
    try rm -f -- "$2"
    try mv -f -- "$tmp" "$2"
    tmp=
}

# tree FROM TO ABOVE: ABOVE are the identities of the directories that this one is in. Positional parameters are a function's
# own, which is what makes the recursion work.
tree() {
    make_directory "$2"
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -d "$entry" ] && { [ ! -L "$entry" ] || [ -n "$local_follow" ]; }; then
            itself=$(identity "$entry") || fail "$entry can't be examined"
            case $3 in
                *" $itself "*)
                    [ -L "$entry" ] || fail "$entry is a directory that it is in itself, so that it can't be copied"
                    relink "$entry" "$2/${entry##*/}" ;;
                *) tree "$entry" "$2/${entry##*/}" "$3$itself " ;;
            esac
        elif [ -L "$entry" ] && { [ ! -e "$entry" ] || [ -z "$local_follow" ]; }; then relink "$entry" "$2/${entry##*/}"
        elif [ -f "$entry" ]; then
            src=$entry dest=$2/${entry##*/}
            from_host_as_it_is
        elif [ -e "$entry" ]; then fail "$entry is neither a file nor a directory, so that it can't be copied"
        fi
    done
}

copy_tree() {
    target=${dest%/}
    case $src in
        */) src=${src%/} ;;
        *) target=$target/${src##*/} ;;
    esac
    if [ -d "$target/" ] && [ "$(identity "$target/")" = "$(identity "$src/")" ]; then fail "$src can't be copied to itself"; fi
    if is_in "$target" "$src/"; then fail "$src can't be copied into itself: $target is in it"; fi
    diff= # there would be one of each file
    make_directory "$target"
    tree "$src" "$target" " $(identity "$src/") $(identity "$target/") "
    say dest "$target"
    if [ -d "$target" ]; then report "$target/"; else say changed "$changed"; fi
    exit 0
}

[ -e "$src" ] || fail "Source $src not found"
[ ! -d "$src" ] || copy_tree
[ -f "$src" ] || [ "$src" = /dev/null ] || fail "$src is neither a file nor a directory, so that it can't be copied"
name=${src##*/}
settle
from_host
placed
