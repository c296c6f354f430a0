# Brings $path into a $state: file, directory, touch, absent, link, hard; none: whatever it is.
directory_mode=$mode
[ -z "$follow" ] || deref=-L

present() { [ -e "$path" ] || [ -L "$path" ]; }

# Take away what is in the way of a link: files with force, directories never (unless empty).
clear_way() {
    if [ ! -L "$path" ] && [ -d "$path" ]; then
        [ -n "$force" ] || fail "$path is a directory; a link can't take its place without force"
        try rmdir -- "$path"
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
    tmp=$path.drumline.$$
    rm -f -- "$tmp"
    try "$@" -- "$src" "$tmp"
    # busybox won't move over a link to a directory: there the old link goes first.
    if ! mv -f $as_file -- "$tmp" "$path" 2>/dev/null; then
        [ ! -L "$path" ] || try rm -f -- "$path"
        try mv -f -- "$tmp" "$path"
    fi
    tmp= changed=1
}

# set_time OPTION VALUE: touch's option for this time; now, preserve or a time as touch -t reads it.
set_time() {
    case $2 in
        '' | preserve) ;;
        now) try touch "$1" -- "$path" ;;
        *) try touch "$1" -t "$2" -- "$path" ;;
    esac
}

stamps() { stat $deref -c '%X:%Y' -- "$path" 2>/dev/null || stat $deref -f '%a:%m' -- "$path"; }

touch_times() {
    before=$(stamps)
    set_time -a "$access_time"
    set_time -m "$modification_time"
    [ "$before" = "$(stamps)" ] && [ "$access_time" != now ] && [ "$modification_time" != now ] || changed=1
}

# Every file below, each changed only where it differs; what find prints is what it changed.
each() { found=$(find "$path" "$@" 2>&1) || fail "$found"; [ -z "$found" ] || changed=1; }

listing() { find "$path" ! -type l -exec stat -c '%a' -- {} + 2>/dev/null || find "$path" ! -type l -exec stat -f '%Mp%Lp' -- {} +; }

recurse() {
    [ -z "$owner" ] || each -depth ! -user "$owner" -print -exec chown -h -- "$owner" {} +
    [ -z "$group" ] || each -depth ! -group "$group" -print -exec chgrp -h -- "$group" {} +
    case $mode in
        '') ;;
        *[!0-7]*)
            before=$(listing)
            try find "$path" -depth ! -type l -exec chmod -- "$mode" {} +
            [ "$before" = "$(listing)" ] || changed=1 ;;
        *) each -depth ! -type l ! -perm "$mode" -print -exec chmod "$mode" {} + ;;
    esac
}

# GNU and BSD name the option differently that keeps mv from moving into a directory a link points to.
as_file=
if [ -L "$path" ] && [ -d "$path" ]; then
    if mv --help 2>&1 | grep -q -e -T; then as_file=-T; else as_file=-h; fi
fi
case $state in
    absent)
        if present; then
            try rm -rf -- "$path"
            changed=1
        fi
        say path "$path"
        say state absent
        say changed "$changed"
        exit 0 ;;
    directory)
        if present && [ ! -d "$path" ]; then fail "$path already exists as a file"; fi
        make_directory "$path" ;;
    touch)
        if ! present; then
            try touch -- "$path"
            changed=1
        fi
        [ -n "$access_time" ] || access_time=now
        [ -n "$modification_time" ] || modification_time=now ;;
    link) link ;;
    hard) hard ;;
    file)
        present || fail "file ($path) is absent, cannot continue"
        if [ -d "$path" ]; then fail "file ($path) is directory, cannot continue"; fi ;;
    *) present || fail "file ($path) is absent, cannot continue" ;;
esac
[ "$state" = link ] || [ -z "$access_time$modification_time" ] || touch_times
if [ -n "$recurse" ] && [ -d "$path" ]; then recurse; else attributes "$path" "$mode"; fi
if [ "$state" = link ] || { [ -z "$follow" ] && [ -L "$path" ]; }; then say state link
elif [ "$state" = hard ]; then say state hard
elif [ -d "$path" ]; then say state directory
else say state file
fi
report "$path"
