# What all scripts share. An answer is a row of key=value pairs that end in NUL, so that any file name can be told.
tmp= changed= deref= nofollow= most_diff=104448

say() { printf '%s=%s\0' "$1" "$2"; }

# say_json NAME JSON: a number, true, false. say_item NAME TEXT: one more of a list.
say_json() { printf '%s:=%s\0' "$1" "$2"; }
say_item() { printf '%s+=%s\0' "$1" "$2"; }

# say_rest NAME: what is printed from here on, to the end, is the value; any bytes. Nothing may fail any more.
say_rest() { printf '%s@=' "$1"; }

fail() {
    [ -z "$tmp" ] || rm -f -- "$tmp"
    say failed 1
    say msg "$1"
    exit 0
}

# change COMMAND...: notes that something changes and, unless this is a check, does it. Whatever changes the host goes
# through it, so that one script both checks and changes.
change() {
    changed=1
    [ -n "$check" ] || try "$@"
}

try() { problem=$("$@" 2>&1) || fail "$problem"; }

# Tells of names in a directory ($1 ends with a slash) that another drumline of this workstation gave, for the one that asks
# to see which of them were left behind.
look_for_leftovers() {
    leftovers=
    for left in "$1.drumline-$machine-"*; do
        case ${left##*/} in
            "$own"* | *'*') ;;
            *) leftovers=$leftovers${left##*/}/ ;;
        esac
    done
    [ -z "$leftovers" ] || { say leftovers "$leftovers"; say left_in "$1"; }
}

# mode:uid:gid:user:group:size of a file (of what it points to, when $deref is -L); GNU and busybox, else BSD.
status() {
    stat $deref -c '%a:%u:%g:%U:%G:%s' -- "$1" 2>/dev/null || stat $deref -f '%Mp%Lp:%u:%g:%Su:%Sg:%z' -- "$1"
}

# sum_of ALGORITHM FILE: leaves the checksum in $sum.
sum_of() {
    if command -v "$1sum" >/dev/null 2>&1; then sum=$("$1sum" <"$2") || fail "$2 can't be read"
    elif command -v shasum >/dev/null 2>&1 && [ "$1" != md5 ]; then sum=$(shasum -a "${1#sha}" <"$2") || fail "$2 can't be read"
    elif command -v openssl >/dev/null 2>&1; then sum=$(openssl dgst "-$1" <"$2") || fail "$2 can't be read"
    elif command -v "$1" >/dev/null 2>&1; then sum=$("$1" -q "$2") || fail "$2 can't be read"
    else fail "This host has none of $1sum, shasum, openssl and $1, so files can't be compared"
    fi
    sum=${sum##*= }
    sum=${sum%% *}
}

# attributes FILE MODE: owner and group first, since changing them takes the set-user-id bit away.
attributes() {
    [ -n "$2$owner$group" ] || return 0
    before=$(status "$1") || fail "$1 can't be examined"
    IFS=:
    set -- "$1" "$2" $before
    unset IFS
    if [ -n "$owner" ] && [ "$owner" != "$4" ] && [ "$owner" != "$6" ]; then
        try chown $nofollow -- "$owner" "$1"
        changed=1
    fi
    if [ -n "$group" ] && [ "$group" != "$5" ] && [ "$group" != "$7" ]; then
        try chgrp $nofollow -- "$group" "$1"
        changed=1
    fi
    before=$(status "$1")
    case $2 in
        '') ;;
        *[!0-7]*) try chmod -- "$2" "$1" ;;
        *) [ $((0${before%%:*})) -eq $((0$2)) ] || try chmod "$2" "$1" ;;
    esac
    [ "$before" = "$(status "$1")" ] || changed=1
}

# say_content NAME FILE: where a diff is wanted, what the file holds; NAME_binary or NAME_larger where that can't be shown.
say_content() {
    [ -n "$diff" ] && [ -f "$2" ] && [ -r "$2" ] || return 0
    if [ "$(wc -c <"$2")" -gt "$most_diff" ]; then say "$1_larger" 1
    elif [ "$(LC_ALL=C tr -d '\000' <"$2" | wc -c)" -ne "$(wc -c <"$2")" ]; then say "$1_binary" 1
    else
        printf '%s=' "$1"
        cat <"$2"
        printf '\0'
    fi
}

# The directory and those above it; new ones get $directory_mode, $owner and $group.
make_directory() {
    [ ! -d "$1" ] || return 0
    set -- "${1%/}"
    case $1 in */?*) make_directory "${1%/*}/" ;; esac
    if mkdir -- "$1" 2>/dev/null; then
        changed=1
        attributes "$1" "$directory_mode"
    elif [ ! -d "$1" ]; then # not made by another host on the same file system meanwhile
        try mkdir -- "$1"
    fi
}

report() {
    say path "$1"
    say changed "$changed"
    before=$(status "$1") || return 0
    IFS=:
    set -- $before
    unset IFS
    say mode "$1"
    say uid "$2"
    say gid "$3"
    say owner "$4"
    say group "$5"
    say size "$6"
}
