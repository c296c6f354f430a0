# How deliver.sh, and scripts of actions, put content at $dest, if what is there differs.
backup_file= moved= would=
trap 'rm -f -- "$tmp"; exit 143' HUP INT TERM

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
        stdin) problem=$(cat 2>&1 >"$tmp") || fail "$dest can't be written: $problem" ;;
        host) problem=$(cat <"$src" 2>&1 >"$tmp") || fail "$src can't be copied to $dest: $problem" ;;
    esac
    sum_of sha1 "$tmp"
    [ "$sum" = "$checksum" ] || fail "The content arrived damaged: its checksum is $sum instead of $checksum"
}

# Fails where $dest isn't any more what it was when its new content was worked out: $since is its checksum then, or absent.
unchanged() {
    [ -n "$since" ] || return 0
    sum=absent
    [ ! -e "$dest" ] || sum_of sha1 "$dest"
    [ "$sum" = "$since" ] || fail "$dest was changed by someone else meanwhile, so it was left alone: run again"
}

# What a diff shows. Content that doesn't come from this host is known elsewhere.
tell_contents() {
    say_content before "$dest"
    [ "$origin" != host ] || say_content after "$src"
}

replace() {
    tell_contents
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
    unchanged
    try mv -f -- "$tmp" "$dest"
    tmp= changed=1 moved=1
}

# These belong to whoever makes them, whoever the file is to belong to; unless $parents says that they are the owner's.
make_parents() {
    if [ "$parents" = owned ]; then
        make_directory "$directory"
        return
    fi
    file_owner=$owner file_group=$group owner= group=
    make_directory "$directory"
    owner=$file_owner group=$file_group
}

# Places one file at $dest; where it is kept, or only asked about, this ends the script.
place() {
    if [ -d "$dest" ]; then fail "$dest is a directory; a file can't take its place"; fi
    case $dest in
        */*) directory=${dest%/*}/ ;;
        *) directory=./ ;;
    esac
    if [ -n "$parents" ] && [ -z "$check" ] && [ ! -d "$directory" ]; then make_parents; fi
    # In a check an earlier task may be there to make it, unless something else is in its place.
    { [ -n "$check" ] && [ ! -e "${directory%/}" ]; } || [ -d "$directory" ] || fail "Destination directory ${directory%/} does not exist"
    if [ -z "$force" ] && [ -e "$dest" ]; then return; fi
    if [ -e "$dest" ] && [ ! -f "$dest" ] && [ ! -L "$dest" ]; then
        fail "$dest is a pipe, a socket or a device; a file can't take its place"
    fi
    if needed; then
        if [ -n "$check" ]; then
            [ "$origin" != stdin ] || cat >/dev/null
            tell_contents
            changed=1 would=1
            return
        fi
        look_for_leftovers "$directory"
        if [ "$origin" = upload ]; then
            tmp=$upload
        else
            tmp=$(mktemp "$directory${own}XXXXXX" 2>&1) || { problem=$tmp tmp=; fail "$problem"; }
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
        tells=1
        attributes "$dest" "$mode"
    fi
}

# Into the directory that $dest is or names, under $name; where $follow says so, to where a link leads.
settle() {
    case $dest in */) make_directory "$dest" ;; esac
    if [ -d "$dest" ]; then
        [ -n "$name" ] || fail "$dest is a directory: say what the file in it is to be called"
        dest=${dest%/}/$name
    fi
    [ -z "$follow" ] || [ ! -L "$dest" ] || dest=$(readlink -f -- "$dest")
}

# In a check nothing is known of a file that would be written but what it holds.
placed() {
    say dest "$dest"
    say checksum "$checksum"
    if [ -n "$would" ]; then
        say changed 1
        say would 1
        return
    fi
    [ -z "$moved" ] || say moved 1
    [ -z "$backup_file" ] || say backup_file "$backup_file"
    report "$dest"
}
