# Keeps the line of $path in $fstab, and mounts it or not, as $state says.
[ ! -L "$path" ] || path=$(readlink -f -- "$path")
case $path in /) ;; *) path=${path%/} ;; esac
escape() { printf '%s' "$1" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g'; }
line="$(escape "$src") $(escape "$path") $fstype $(escape "$opts") $dump $passno"

is_mounted() {
    if command -v mountpoint >/dev/null 2>&1 && [ -d "$path" ]; then mountpoint -q -- "$path" && return 0; fi
    at=$(escape "$path") awk '$2 == ENVIRON["at"] { found = 1 } END { exit !found }' /proc/mounts 2>/dev/null ||
        mount | grep -q " on $path "
}

# by_line PROGRAM: awk reads $fstab; is_ours() tells the line of the path. Swaps are all at none: they differ by what they are of.
by_line() {
    { [ ! -e "$fstab" ] || cat -- "$fstab"; } | at=$(escape "$path") source=$(escape "$src") awk '
        function is_ours() {
            if ($0 ~ /^[ \t]*#/ || $2 != ENVIRON["at"]) return 0
            return !($2 == "none" && $3 == "swap" && ENVIRON["source"] != "" && $1 != ENVIRON["source"])
        }'"$1"
}

# The line of the path, its fields with one space between them.
has_line() { by_line 'is_ours() { print $1, $2, $3, $4, ($5 == "" ? 0 : $5), ($6 == "" ? 0 : $6); exit }' 2>/dev/null; }

# rewrite LINE: in place of the one for the path, or at the end; empty: without it.
edited_fstab() {
    by_line '
        { if (is_ours()) { if (ENVIRON["line"] != "" && !done) print ENVIRON["line"]; done = 1 }
          else print }
        END { if (!done && ENVIRON["line"] != "") print ENVIRON["line"] }'
}
rewrite() { (export line="$1" && rewrite_by "$fstab" 0644 edited_fstab); }

keep_copy() {
    [ -n "$backup" ] && [ -e "$fstab" ] && [ -z "$check" ] && [ -z "$copied" ] || return 0
    copied="$fstab.$$.$(date '+%Y-%m-%d@%H:%M:%S')~"
    try cp -p -- "$fstab" "$copied"
    say backup_file "$copied"
}

set_line() {
    [ "$(has_line)" != "$line" ] || return 0
    keep_copy
    change rewrite "$line"
    fresh=1
}

drop_line() {
    [ -n "$(has_line)" ] || return 0
    keep_copy
    change rewrite ''
}

mount_it() {
    if [ "$state" = ephemeral ]; then mount -t "$fstype" -o "$opts" -- "$src" "$path"
    elif [ "$fstab" = /etc/fstab ]; then mount -- "$path"
    else mount -T "$fstab" -- "$path"
    fi
}

remount_it() {
    mount -o "remount,$opts" -- "$path" 2>/dev/null || { umount -- "$path" && mount_it; }
}

unmount_it() { umount -- "$path"; }

copied= fresh=
case $state in
    present) set_line ;;
    absent_from_fstab) drop_line ;;
    absent)
        drop_line
        if is_mounted; then change unmount_it; fi
        if [ ! -d "$path" ]; then :
        elif [ -n "$check" ]; then [ -n "$(ls -A -- "$path")" ] || changed=1
        else rmdir -- "$path" 2>/dev/null && changed=1
        fi ;;
    unmounted) ! is_mounted || change unmount_it ;;
    remounted)
        is_mounted || fail "Error: $path is not mounted, so it can't be remounted"
        changed=1
        [ -n "$check" ] || try remount_it ;;
    mounted | ephemeral)
        [ "$state" = ephemeral ] || set_line
        if [ ! -e "$path" ]; then change mkdir -p -- "$path"; fi
        if ! is_mounted; then change mount_it
        elif [ -n "$fresh" ]; then change remount_it
        elif [ "$state" = ephemeral ]; then
            has=$(at=$(escape "$path") awk '$2 == ENVIRON["at"] { source = $1 } END { print source }' /proc/mounts)
            [ "$has" = "$(escape "$src")" ] || fail "Ephemeral mount point is already mounted with a different source than the specified one: $has"
            change remount_it
        fi ;;
esac
say changed "$changed"
