# rewrite_by FILE MODE COMMAND…: what the command prints takes the place of what the file holds, or of what the one that its
# link leads to does. Owner and mode stay as they are; a new file gets the mode.
rewrite_by() {
    whole=$1 new_mode=$2
    shift 2
    [ ! -L "$whole" ] || whole=$(readlink -f -- "$whole")
    part=$whole.drumline.$$
    if (umask 077 && "$@" >"$part") && resemble && mv -f -- "$part" "$whole"; then return; fi
    rm -f -- "$part"
    return 1
}

resemble() {
    if [ -e "$whole" ]; then
        has=$(deref=-L status "$whole")
        IFS=:
        set -- $has
        unset IFS
        chown "$2:$3" "$part" 2>/dev/null || :
        new_mode=$1
    fi
    chmod "$new_mode" "$part"
}
