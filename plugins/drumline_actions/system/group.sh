# Brings the group $name into a $state.
number() { { getent group "$name" 2>/dev/null || grep -- "^$name:" /etc/group; } | head -n 1 | cut -d: -f3; }

has=$(number)
if [ "$state" = absent ]; then
    if [ -n "$has" ]; then
        set --
        [ -z "$force" ] || set -- -f
        if command -v groupdel >/dev/null 2>&1; then change groupdel "$@" -- "$name"; else change delgroup "$name"; fi
    fi
elif [ -z "$has" ]; then
    set --
    [ -z "$gid" ] || set -- "$@" -g "$gid"
    if command -v groupadd >/dev/null 2>&1; then
        [ -z "$gid" ] || [ -z "$non_unique" ] || set -- "$@" -o
        [ -z "$system" ] || set -- "$@" -r
        [ -z "$gid_min" ] || set -- "$@" -K "GID_MIN=$gid_min"
        [ -z "$gid_max" ] || set -- "$@" -K "GID_MAX=$gid_max"
        change groupadd "$@" -- "$name"
    else
        [ -z "$system" ] || set -- "$@" -S
        change addgroup "$@" "$name"
    fi
elif [ -n "$gid" ] && [ "$gid" != "$has" ]; then
    set -- -g "$gid"
    [ -z "$non_unique" ] || set -- "$@" -o
    change groupmod "$@" -- "$name"
fi
say gid "$(number)"
say changed "$changed"
