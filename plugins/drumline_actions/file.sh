# Brings $path into a $state: file, directory, touch, absent, link, hard; none: whatever it is.
directory_mode=$mode
[ -z "$follow" ] || deref=-L

present() { [ -e "$path" ] || [ -L "$path" ]; }

kind() {
    if [ -L "$path" ]; then echo link
    elif [ -d "$path" ]; then echo directory
    elif [ -e "$path" ]; then echo file
    else echo absent
    fi
}

becomes() { [ "$was" = "$1" ] || differs state "$was" "$1"; }

# Take away what is in the way of a link: files with force, directories never (unless empty).
clear_way() {
    if [ ! -L "$path" ] && [ -d "$path" ]; then
        [ -n "$force" ] || fail "$path is a directory; a link can't take its place without force"
        if [ -z "$check" ]; then try rmdir -- "$path"
        elif [ -n "$(ls -A -- "$path")" ]; then fail "$path is a directory, and not empty"
        fi
    elif present && [ ! -L "$path" ] && [ -z "$force" ]; then
        fail "$path is a file; a link takes its place only with force"
    fi
}

link() {
    if [ -z "$src" ]; then
        [ -L "$path" ] || fail "src is required for creating new links"
        src=$(readlink -- "$path")
    fi
    case $src in
        /*) target=$src ;;
        *) case $path in */*) target=${path%/*}/$src ;; *) target=$src ;; esac ;;
    esac
    [ -n "$force" ] || [ -e "$target" ] || fail "src file $target does not exist; with force the link is made all the same"
    if [ ! -L "$path" ] || [ "$(readlink -- "$path")" != "$src" ]; then
        [ ! -L "$path" ] || differs src "$(readlink -- "$path")" "$src"
        clear_way
        replace_by ln -s
    fi
    deref= nofollow=-h mode=
    say dest "$path"
    say src "$src"
}

hard() {
    [ -n "$src" ] || fail "src is required for creating new hardlinks"
    [ -e "$src" ] || fail "src $src does not exist"
    if [ -L "$path" ] || [ ! "$path" -ef "$src" ]; then
        clear_way
        replace_by ln
    fi
    say dest "$path"
    say src "$src"
}

# The new link is made beside the old one and moved over it, so that the name is never missing.
replace_by() {
    changed=1
    [ -z "$check" ] || return 0
    tmp=$path.drumline.$$
    rm -f -- "$tmp"
    try "$@" -- "$src" "$tmp"
    # busybox won't move over a link to a directory: there the old link goes first.
    if ! mv -f $as_file -- "$tmp" "$path" 2>/dev/null; then
        [ ! -L "$path" ] || try rm -f -- "$path"
        try mv -f -- "$tmp" "$path"
    fi
    tmp=
}

# set_time OPTION VALUE FILE: touch's option for this time; now, preserve or a time as touch -t reads it.
set_time() {
    case $2 in
        '' | preserve) ;;
        now) try touch "$1" -- "$3" ;;
        *) try touch "$1" -t "$2" -- "$3" ;;
    esac
}

stamps() { stat $deref -c '%X:%Y' -- "$1" 2>/dev/null || stat $deref -f '%a:%m' -- "$1"; }

# A check sets the times of an empty file.
touch_times() {
    touched=$path
    if [ -n "$check" ]; then
        if [ ! -e "$path" ]; then # it would be made, where a link leads
            [ "$access_time$modification_time" = preservepreserve ] || changed=1
            return 0
        fi
        tmp=$(mktemp) || fail "no temporary file can be made"
        touched=$tmp
        try touch -r "$path" -- "$tmp"
    fi
    before=$(stamps "$touched")
    set_time -a "$access_time" "$touched"
    set_time -m "$modification_time" "$touched"
    [ "$before" = "$(stamps "$touched")" ] && [ "$access_time" != now ] && [ "$modification_time" != now ] || changed=1
    [ -z "$tmp" ] || rm -f -- "$tmp"
    tmp=
}

# each COMMAND VALUE TEST…: every file below that the tests find is changed; what find prints is what it changes.
each() {
    doing=$1 value=$2
    shift 2
    if [ -n "$check" ]; then found=$(find "$path" "$@" -print 2>&1) || fail "$found"
    else found=$(find "$path" "$@" -print -exec $doing -- "$value" {} + 2>&1) || fail "$found"
    fi
    [ -z "$found" ] || changed=1
}

listing() { find "$path" ! -type l -exec stat -c '%a' -- {} + 2>/dev/null || find "$path" ! -type l -exec stat -f '%Mp%Lp' -- {} +; }

# Whether letters would change the mode of a directory or file below: each mode that there is is tried once.
expect_modes() {
    for sort in 'd' '!'; do
        directory=/
        [ "$sort" = d ] || directory=/dev/null
        [ "$sort" = d ] && set -- -type d || set -- ! -type d ! -type l
        for octal in $({ find "$path" "$@" -exec stat -c '%a' -- {} + 2>/dev/null || find "$path" "$@" -exec stat -f '%Mp%Lp' -- {} +; } | sort -u); do
            expect_mode "$directory" "$mode" "$octal"
            [ "$is" = "$octal" ] || changed=1
        done
    done
}

recurse() {
    [ -z "$owner" ] || each "chown -h" "$owner" -depth ! -user "$owner"
    [ -z "$group" ] || each "chgrp -h" "$group" -depth ! -group "$group"
    case $mode in
        '') ;;
        *[!0-7]*)
            if [ -n "$check" ]; then
                expect_modes
                return
            fi
            before=$(listing)
            try find "$path" -depth ! -type l -exec chmod -- "$mode" {} +
            [ "$before" = "$(listing)" ] || changed=1 ;;
        *) each chmod "$mode" -depth ! -type l ! -perm "$mode" ;;
    esac
}

# What goes with a directory that is deleted, for a diff: its own entries.
tell_entries() {
    [ -n "$diff" ] && [ -d "$path" ] && [ ! -L "$path" ] || return 0
    for entry in "$path"/* "$path"/.[!.]* "$path"/..?*; do
        if [ -d "$entry" ] && [ ! -L "$entry" ]; then say_item directories "$entry"
        elif [ -e "$entry" ] || [ -L "$entry" ]; then say_item files "$entry"
        fi
    done
}

# GNU and BSD name the option differently that keeps mv from moving into a directory a link points to.
as_file=
if [ -L "$path" ] && [ -d "$path" ]; then
    if mv --help 2>&1 | grep -q -e -T; then as_file=-T; else as_file=-h; fi
fi
was=$(kind)
if [ -z "$state" ] && [ -n "$recurse" ]; then
    state=directory
    [ "$was" = absent ] || [ -d "$path" ] || fail "recurse option requires state to be 'directory'"
fi
case $state in
    absent)
        if present; then
            tell_entries
            becomes absent
            change rm -rf -- "$path"
        fi
        if present; then
            say state "$was"
            report "$path"
        else
            say path "$path"
            say state absent
            say changed "$changed"
        fi
        exit 0 ;;
    directory)
        if present && [ ! -d "$path" ]; then fail "$path already exists as a file"; fi
        [ -d "$path" ] || becomes directory
        make_directory "$path" ;;
    touch)
        becomes touch
        present || change touch -- "$path"
        [ -n "$access_time" ] || access_time=now
        [ -n "$modification_time" ] || modification_time=now ;;
    link)
        becomes link
        link ;;
    hard)
        present || becomes hard
        hard ;;
    file)
        present || fail "file ($path) is absent, cannot continue"
        if [ -d "$path" ]; then fail "file ($path) is directory, cannot continue"; fi ;;
    *) present || fail "file ($path) is absent, cannot continue" ;;
esac
[ "$state" = link ] || [ -z "$access_time$modification_time" ] || touch_times
tells=1
# What a link that isn't followed leads to is left alone; a link has no mode.
if [ -z "$follow" ] && [ -L "$path" ]; then nofollow=-h mode=; fi
if [ -n "$recurse" ] && [ -d "$path" ]; then
    [ -z "$check" ] || attributes "$path" "$mode"
    recurse
else attributes "$path" "$mode"
fi
if ! present; then :
elif [ -n "$check" ] && [ "$state" = link ]; then say state "$was"
elif [ "$state" = link ] || { [ -z "$follow" ] && [ -L "$path" ]; }; then say state link
elif [ "$state" = hard ]; then say state hard
elif [ -d "$path" ]; then say state directory
else say state file
fi
report "$path"
