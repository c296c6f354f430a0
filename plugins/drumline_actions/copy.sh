# Puts content at $dest, if what is there differs. The content comes from ($origin):
#   stdin   standard input, in this one round trip
#   check   nowhere yet: answers upload=TEMPORARY when it is needed
#   upload  the temporary $upload, filled since the check
#   host    the file or folder $src of this host
tmp= changed= deref= nofollow= backup_file=

needed() {
    [ -e "$dest" ] || return 0
    [ ! -L "$dest" ] || [ -n "$follow" ] || return 0
    sum_of sha1 "$dest"
    [ "$sum" != "$checksum" ]
}

# As the file that is replaced, else as a program's umask gives it.
like_before() {
    if [ -f "$dest" ] && [ ! -L "$dest" ]; then
        before=$(status "$dest")
        IFS=:
        set -- $before
        unset IFS
        chown "$2:$3" "$tmp" 2>/dev/null || :
        try chmod "$1" "$tmp"
    else
        try chmod "$(printf %o $((0666 & ~0$(umask))))" "$tmp"
    fi
}

fill() {
    case $origin in
        stdin) cat >"$tmp" || fail "$tmp can't be written" ;;
        host) cat <"$src" >"$tmp" || fail "$src can't be copied to $tmp" ;;
    esac
    sum_of sha1 "$tmp"
    [ "$sum" = "$checksum" ] || fail "The content arrived damaged: its checksum is $sum instead of $checksum"
}

replace() {
    fill
    like_before
    attributes "$tmp" "$mode"
    if [ -n "$validate" ]; then
        problem=$(eval "$validate" 2>&1) || fail "failed to validate: $problem"
    fi
    if [ -n "$backup" ] && [ -f "$dest" ]; then
        backup_file="$dest.$$.$(date '+%Y-%m-%d@%H:%M:%S')~"
        try cp -p -- "$dest" "$backup_file"
    fi
    try mv -f -- "$tmp" "$dest"
    tmp= changed=1
}

# Places one file at $dest; where it is kept, or only asked about, this ends the script.
place() {
    if [ -d "$dest" ]; then fail "$dest is a folder; a file can't take its place"; fi
    case $dest in
        */*) folder=${dest%/*}/ ;;
        *) folder=./ ;;
    esac
    [ -d "$folder" ] || fail "Destination directory $folder does not exist"
    if [ -z "$force" ] && [ -e "$dest" ]; then return; fi
    if needed; then
        if [ "$origin" = upload ]; then
            tmp=$upload
        else
            tmp=$(mktemp "$folder.drumline.XXXXXX" 2>&1) || { problem=$tmp tmp=; fail "$problem"; }
        fi
        if [ "$origin" = check ]; then
            say upload "$tmp"
            say dest "$dest"
            exit 0
        fi
        replace
    else
        [ "$origin" != stdin ] || cat >/dev/null
        [ "$origin" != upload ] || rm -f -- "$upload"
        attributes "$dest" "$mode"
    fi
}

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

# Positional parameters are a function's own, which is what makes the recursion work.
tree() {
    make_folder "$2"
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -d "$entry" ]; then tree "$entry" "$2/${entry##*/}"
        elif [ -e "$entry" ]; then
            src=$entry dest=$2/${entry##*/}
            from_host
        fi
    done
}

if [ "$origin" = host ] && [ ! -e "$src" ]; then fail "Source $src not found"; fi
if [ "$origin" = host ] && [ -d "$src" ]; then
    target=${dest%/}
    case $src in
        */) src=${src%/} ;;
        *) target=$target/$name ;;
    esac
    tree "$src" "$target"
    say dest "$target"
    report "$target"
    exit 0
fi
case $dest in */) make_folder "$dest" ;; esac
if [ -d "$dest" ]; then
    [ -n "$name" ] || fail "$dest is a folder: say what the file in it is to be called"
    dest=${dest%/}/$name
fi
[ -z "$follow" ] || [ ! -L "$dest" ] || dest=$(readlink -f -- "$dest")
if [ "$origin" = host ]; then from_host; else place; fi
say dest "$dest"
say checksum "$checksum"
[ -z "$backup_file" ] || say backup_file "$backup_file"
report "$dest"
