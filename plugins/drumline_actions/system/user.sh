# Brings the user $name into a $state. Numbers and texts that aren't given are empty; truth values are yes, no or empty.
entry() { getent passwd "$name" 2>/dev/null || grep -- "^$name:" /etc/passwd; }

# field N: of the entry of the user in passwd. shadow N: of that in shadow, where this user may read it.
field() { entry | head -n 1 | cut -d: -f"$1"; }
shadow() { { getent shadow "$name" 2>/dev/null || grep -- "^$name:" /etc/shadow 2>/dev/null; } | head -n 1 | cut -d: -f"$1"; }

group_entry() { getent group "$1" 2>/dev/null || awk -F: -v name="$1" '$1 == name || $3 == name { print; exit }' /etc/group; }
group_name() { group_entry "$1" | head -n 1 | cut -d: -f1; }
group_number() { group_entry "$1" | head -n 1 | cut -d: -f3; }

# Names of the groups in a list with commas, sorted, one a line; fails for one that isn't there.
names_of() {
    printf '%s\n' "$1" | tr , '\n' | while IFS= read -r wanted; do
        [ -n "$wanted" ] || continue
        found=$(group_name "$wanted")
        [ -n "$found" ] || { echo "$wanted" >&3; continue; }
        printf '%s\n' "$found"
    done | sort -u
}

require_groups() {
    missing=$({ names_of "$1" >/dev/null; } 3>&1)
    [ -z "$missing" ] || fail "Group $missing does not exist"
}

# The groups that the user is in, beside the main one.
current_groups() { id -Gn -- "$name" 2>/dev/null | tr ' ' '\n' | grep -vxF -- "$(group_name "$(field 4)")" | sort -u; }

day_of() { date -u -d "@$1" +%Y-%m-%d 2>/dev/null || date -u -r "$1" +%Y-%m-%d; }

set_password() { printf '%s:%s\n' "$name" "$password" | chpasswd -e; }

remove_user() {
    if command -v userdel >/dev/null 2>&1; then
        set --
        [ -z "$force" ] || set -- -f
        [ -z "$remove" ] || set -- "$@" -r
        change userdel "$@" -- "$name"
    else
        set --
        [ -z "$remove" ] || set -- --remove-home
        change deluser "$@" "$name"
    fi
}

create_user() {
    changed=1
    say create_home "$create_home"
    say system "$system"
    [ -z "$check" ] || return 0
    if command -v useradd >/dev/null 2>&1; then add_user; else add_user_of_busybox; fi
    if [ -n "$password" ]; then
        [ "$password_lock" != yes ] || password="!$password"
        try set_password
    elif [ "$password_lock" = yes ]; then try usermod -L -- "$name"
    fi
}

add_user() {
    set --
    [ -z "$uid" ] || set -- "$@" -u "$uid"
    [ -z "$uid" ] || [ -z "$non_unique" ] || set -- "$@" -o
    if [ -n "$main_group" ]; then set -- "$@" -g "$main_group"
    elif [ -n "$(group_name "$name")" ]; then set -- "$@" -g "$name"
    fi
    [ -z "$groups" ] || set -- "$@" -G "$(names_of "$groups" | paste -sd, -)"
    [ -z "$comment_given" ] || set -- "$@" -c "$comment"
    [ -z "$home" ] || set -- "$@" -d "$home"
    [ -z "$shell" ] || set -- "$@" -s "$shell"
    case $expires in
        '' | -*) ;;
        *) set -- "$@" -e "$(day_of "$expires")" ;;
    esac
    [ -z "$password_expire_account_disable" ] || set -- "$@" -f "$password_expire_account_disable"
    if [ -n "$create_home" ]; then
        set -- "$@" -m
        [ -z "$skeleton" ] || set -- "$@" -k "$skeleton"
        [ -z "$umask" ] || set -- "$@" -K "UMASK=$umask"
    else set -- "$@" -M
    fi
    [ -z "$system" ] || set -- "$@" -r
    [ -z "$seuser" ] || set -- "$@" -Z "$seuser"
    [ -z "$uid_min" ] || set -- "$@" -K "UID_MIN=$uid_min"
    [ -z "$uid_max" ] || set -- "$@" -K "UID_MAX=$uid_max"
    case $home in */*/*) [ -z "$create_home" ] || [ -d "${home%/*}" ] || try mkdir -p -- "${home%/*}" ;; esac
    try useradd "$@" -- "$name"
}

add_user_of_busybox() {
    set -- -D
    [ -z "$uid" ] || set -- "$@" -u "$uid"
    [ -z "$main_group" ] || set -- "$@" -G "$(group_name "$main_group")"
    [ -z "$comment_given" ] || set -- "$@" -g "$comment"
    [ -z "$home" ] || set -- "$@" -h "$home"
    [ -z "$shell" ] || set -- "$@" -s "$shell"
    [ -n "$create_home" ] || set -- "$@" -H
    [ -z "$skeleton" ] || set -- "$@" -k "$skeleton"
    [ -z "$system" ] || set -- "$@" -S
    try adduser "$@" "$name"
    for one in $(names_of "$groups"); do try addgroup "$name" "$one"; done
}

modify_user() {
    say append "$append"
    say move_home "$move_home"
    set --
    if [ -n "$uid" ] && [ "$(field 3)" != "$uid" ]; then
        set -- "$@" -u "$uid"
        [ -z "$non_unique" ] || set -- "$@" -o
    fi
    [ -z "$main_group" ] || [ "$(field 4)" = "$(group_number "$main_group")" ] || set -- "$@" -g "$main_group"
    if [ -n "$groups_given" ]; then
        has=$(current_groups)
        wants=$(names_of "$groups" | grep -vxF -- "$(group_name "${main_group:-$(field 4)}")")
        [ -z "$append" ] || wants=$(printf '%s\n%s\n' "$has" "$wants" | grep . | sort -u)
        [ "$has" = "$wants" ] || set -- "$@" -G "$(printf '%s' "$wants" | paste -sd, -)"
    fi
    [ -z "$comment_given" ] || [ "$(field 5)" = "$comment" ] || set -- "$@" -c "$comment"
    if [ -n "$home" ] && [ "$(field 6)" != "$home" ]; then
        set -- "$@" -d "$home"
        [ -z "$move_home" ] || set -- "$@" -m
    fi
    [ -z "$shell" ] || [ "$(field 7)" = "$shell" ] || set -- "$@" -s "$shell"
    case $expires in
        '') ;;
        -*) [ -z "$(shadow 8)" ] || set -- "$@" -e '' ;;
        *) [ "$(shadow 8)" = "$((expires / 86400))" ] || set -- "$@" -e "$(day_of "$expires")" ;;
    esac
    locked=no
    case $(shadow 2) in '!'*) locked=yes ;; esac
    new_password=
    if [ -n "$password" ] && [ "$update_password" = always ]; then
        was=$(shadow 2)
        [ "${was#!}" = "${password#!}" ] || new_password=1
    fi
    if [ -n "$password_lock" ] && [ "$locked" != "$password_lock" ] && [ -z "$new_password" ]; then
        if [ "$password_lock" = yes ]; then set -- "$@" -L; else set -- "$@" -U; fi
    fi
    [ $# = 0 ] || change_user "$@"
    if [ -n "$new_password" ]; then
        if [ "$password_lock" = yes ]; then password="!${password#!}"; fi
        change set_password
    fi
}

change_user() {
    command -v usermod >/dev/null 2>&1 || fail "This host has no usermod, so a user that is there can't be changed: $*"
    change usermod "$@" -- "$name"
}

# age OPTION WANTED HAS: the ages of a password, by chage.
age() {
    [ -z "$2" ] || [ "$2" = "$3" ] || change chage "$1" "$2" -- "$name"
}

ensure_home() {
    place=${home:-$(field 6)}
    [ -n "$create_home" ] && [ -n "$place" ] && [ ! -e "$place" ] || return 0
    changed=1
    [ -z "$check" ] || return 0
    try mkdir -p -- "$place"
    [ ! -d "${skeleton:-/etc/skel}" ] || try cp -R -- "${skeleton:-/etc/skel}/." "$place"
    try chown -R -- "$(field 3):$(field 4)" "$place"
    mask=${umask:-$(sed -n 's/^[[:space:]]*UMASK[[:space:]]*\([0-7]*\).*/\1/p' /etc/login.defs 2>/dev/null | tail -n 1)}
    try chmod "$(printf %o $((0777 & ~0${mask:-022})))" "$place"
}

# make_key WORDS…: by ssh-keygen, which asks a program for a passphrase: everyone's ps would show it among the words.
make_key() {
    if [ -z "$ssh_key_passphrase" ]; then
        ssh-keygen "$@" -N ''
        return
    fi
    asked=$(mktemp) || return 1
    printf '#!/bin/sh\nprintf "%%s\\n" "$PASSPHRASE"\n' >"$asked"
    chmod 0700 "$asked"
    PASSPHRASE=$ssh_key_passphrase DISPLAY=: SSH_ASKPASS=$asked SSH_ASKPASS_REQUIRE=force ssh-keygen "$@" </dev/null
    code=$?
    rm -f -- "$asked"
    return $code
}

# The place of the user's key, and the key, where one is wanted.
ensure_key() {
    place=$(field 6) key=${ssh_key_file:-.ssh/id_$ssh_key_type}
    case $key in /*) ;; *) key=$place/$key ;; esac
    if [ ! -e "$key" ] || [ -n "$force" ]; then
        changed=1
        [ -z "$check" ] || return 0
        if [ ! -d "${key%/*}" ]; then
            try mkdir -p -m 0700 -- "${key%/*}"
            try chown -- "$(field 3):$(field 4)" "${key%/*}"
        fi
        set -- -q -t "$ssh_key_type" -C "$(echo "$ssh_key_comment" | sed "s/\$HOSTNAME/$(hostname)/")" -f "$key"
        [ -z "$ssh_key_bits" ] || set -- "$@" -b "$ssh_key_bits"
        rm -f -- "$key"
        try make_key "$@"
        try chown -- "$(field 3):$(field 4)" "$key" "$key.pub"
    fi
    say ssh_key_file "$key"
    say ssh_fingerprint "$(ssh-keygen -l -f "$key" 2>/dev/null)"
    say ssh_public_key "$(cat -- "$key.pub" 2>/dev/null)"
}

describe() {
    line=$(entry | head -n 1)
    [ -n "$line" ] || return 0
    say uid "$(field 3)"
    say gid "$(field 4)"
    say comment "$(field 5)"
    say home "$(field 6)"
    say shell "$(field 7)"
}

if [ "$state" = absent ]; then
    [ -z "$(entry)" ] || remove_user
    say changed "$changed"
    exit 0
fi
[ -z "$main_group" ] || [ -n "$(group_name "$main_group")" ] || fail "Group $main_group does not exist"
require_groups "$groups"
if [ -z "$(entry)" ]; then create_user; else modify_user; fi
if [ -n "$(entry)" ]; then
    age -M "$password_expire_max" "$(shadow 5)"
    age -m "$password_expire_min" "$(shadow 4)"
    age -W "$password_expire_warn" "$(shadow 6)"
    age -I "$password_expire_account_disable" "$(shadow 7)"
    ensure_home
    [ -z "$generate_ssh_key" ] || ensure_key
fi
describe
say changed "$changed"
