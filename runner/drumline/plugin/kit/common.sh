# What all scripts share. An answer is a row of key=value pairs that end in NUL, so that any file name can be told.
tmp= changed= deref= nofollow= tells= most_diff=104448

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

# differs NAME BEFORE AFTER: a part of the state that changes, for a diff.
differs() {
    say "before.$1" "$2"
    say "after.$1" "$3"
}

# attributes FILE MODE: changes only what differs. In a check what they would be is worked out; what isn't there yet has none.
attributes() {
    [ -n "$2$owner$group" ] || return 0
    [ -z "$check" ] || [ -e "$1" ] || { [ -z "$deref" ] && [ -L "$1" ]; } || return 0
    was=$(status "$1") || fail "$1 can't be examined"
    IFS=:
    set -- "$1" "$2" $was
    unset IFS
    if [ -n "$check" ]; then expect_attributes "$@"; else set_attributes "$@"; fi
    [ "$was" != "$is" ] || return 0
    changed=1
    [ -z "$tells" ] || tell_attributes "$was:$is"
}

# FILE MODE and its status: owner and group first, since changing them takes the set-user-id bit away.
set_attributes() {
    if [ -n "$owner" ] && [ "$owner" != "$4" ] && [ "$owner" != "$6" ]; then try chown $nofollow -- "$owner" "$1"; fi
    if [ -n "$group" ] && [ "$group" != "$5" ] && [ "$group" != "$7" ]; then try chgrp $nofollow -- "$group" "$1"; fi
    now=$(status "$1")
    case $2 in
        '') ;;
        *[!0-7]*) try chmod -- "$2" "$1" ;;
        *) [ $((0${now%%:*})) -eq $((0$2)) ] || try chmod "$2" "$1" ;;
    esac
    is=$(status "$1")
}

expect_attributes() {
    is=$3
    [ -z "$2" ] || expect_mode "$1" "$2" "$3"
    uid=$4 gid=$5
    if [ -n "$owner" ] && [ "$owner" != "$4" ] && [ "$owner" != "$6" ]; then
        uid=$(number_of passwd "$owner") || fail "chown failed: failed to look up user $owner"
    fi
    if [ -n "$group" ] && [ "$group" != "$5" ] && [ "$group" != "$7" ]; then
        gid=$(number_of group "$group") || fail "chgrp failed: failed to look up group $group"
    fi
    is=$is:$uid:$gid:$6:$7:$8
}

# The number of a user (passwd) or a group, by its name or number; nothing if it doesn't exist.
number_of() {
    case $2 in
        *[!0-9]*) ;;
        *) echo "$2" && return ;;
    esac
    if [ "$1" = passwd ]; then id -u -- "$2" 2>/dev/null && return; fi
    getent "$1" "$2" 2>/dev/null | cut -d: -f3 | grep . && return
    awk -F: -v name="$2" '$1 == name { print $3; exit }' "/etc/$1" | grep .
}

# expect_mode FILE MODE OCTAL: the mode after chmod, in $is. Letters are tried on an empty file or directory of that mode.
expect_mode() {
    case $2 in
        *[!0-7]*)
            kind=
            [ ! -d "$1" ] || kind=-d
            tmp=$(mktemp $kind) || fail "no temporary file can be made"
            problem=$(chmod "$3" "$tmp" 2>&1 && chmod -- "$2" "$tmp" 2>&1) || { rm -rf -- "$tmp"; tmp=; fail "$problem"; }
            is=$(deref= && status "$tmp")
            is=${is%%:*}
            rm -rf -- "$tmp"
            tmp= ;;
        *) is=$(printf %o $((0$2))) ;;
    esac
    [ $((0$is)) -ne $((0$3)) ] || is=$3
}

# Says which of mode, owner and group differ in two rows of status.
tell_attributes() {
    IFS=:
    set -- $1
    unset IFS
    [ "$1" = "$7" ] || differs mode "$1" "$7"
    [ "$2" = "$8" ] || differs owner "$2" "$8"
    [ "$3" = "$9" ] || differs group "$3" "$9"
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
    if [ -n "$check" ]; then
        if [ -e "$1" ] || [ -L "$1" ]; then fail "$1 is there, and is no directory"; fi
        changed=1
    elif mkdir -- "$1" 2>/dev/null; then
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
