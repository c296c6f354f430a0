# Waits, for $timeout seconds at most, until no connection to $port of this host is left. The arguments are pairs, as the
# kernel writes addresses: "local ADDRESS" for those to look at (none: all), "not ADDRESS" for peers that don't count.
# $states are the kernel's numbers of the states that count, with a space on either side.
[ -r /proc/net/tcp ] || fail "This host doesn't list its connections in /proc/net/tcp, so state=drained can't be had here"

# Whether an address is among those that are named by the word $1.
named() {
    word=$1 address=$2
    shift 2
    while [ $# -gt 1 ]; do
        [ "$1,$2" != "$word,$address" ] || return 0
        shift 2
    done
    return 1
}

connected() {
    for table in /proc/net/tcp /proc/net/tcp6; do
        [ -r "$table" ] || continue
        while read -r _ here there state _; do
            case $states in *" $state "*) ;; *) continue ;; esac
            [ "${here##*:}" = "$port" ] || continue
            if named not "${there%:*}" "$@"; then continue; fi
            if [ -z "$everywhere" ] && ! named local "${here%:*}" "$@"; then continue; fi
            return 0
        done <"$table"
    done
    return 1
}

now
begin=$now
while connected "$@"; do
    now
    left=$((timeout - now + begin))
    if [ "$left" -le 0 ]; then
        say elapsed $((now - begin))
        say late 1
        exit 0
    fi
    [ "$pause" -le "$left" ] || pause=$left
    sleep "$pause"
done
now
say elapsed $((now - begin))
