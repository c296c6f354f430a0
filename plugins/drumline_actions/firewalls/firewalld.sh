# Sees to it that firewalld lets a $thing of this $value through ($on), now, for good, or both.
export LC_ALL=C
running=
! command -v firewall-cmd >/dev/null 2>&1 || ! firewall-cmd --state >/dev/null 2>&1 || running=1
if [ -z "$running" ]; then
    command -v firewall-offline-cmd >/dev/null 2>&1 || fail "This host has no firewalld"
    if [ -z "$permanent" ] || { [ -n "$immediate" ] && [ -z "$offline" ]; }; then
        fail "firewall is not currently running, unable to perform immediate actions without a running firewall daemon"
    fi
    immediate=
fi
# ask_it WHERE WORD…: WHERE is now or lasting.
ask_it() {
    where=$1
    shift
    if [ -z "$running" ]; then firewall-offline-cmd ${zone:+"--zone=$zone"} "$@"
    elif [ "$where" = now ]; then firewall-cmd ${zone:+"--zone=$zone"} "$@"
    else firewall-cmd --permanent ${zone:+"--zone=$zone"} "$@"
    fi
}
equals() { [ -z "$value" ] || printf '=%s' "$value"; }
do_it() {
    said=$(ask_it "$@" 2>&1)
    code=$?
    [ "$code" = 0 ] || { echo "$said" >&2; return 1; }
}
is_on() { ask_it "$1" "--query-$thing$(equals)" >/dev/null 2>&1; }
keep() {
    verb=add
    [ -n "$on" ] || verb=remove
    if is_on "$1"; then [ -z "$on" ] || return 0
    else [ -n "$on" ] || return 0
    fi
    limit=
    [ "$1" != now ] || [ "$timeout" = 0 ] || [ -z "$on" ] || limit="--timeout=$timeout"
    # An interface is in one zone alone: it leaves another one.
    [ "$thing:$verb" != interface:add ] || verb=change
    option=--$verb-$thing
    # That name means something else to the program that works without the daemon.
    [ -n "$running" ] || [ "$option" != --remove-service ] || option=--remove-service-from-zone
    change do_it "$1" "$option$(equals)" $limit
}
keep_zone() {
    wanted=$zone zone=
    found=
    for one in $(ask_it lasting --get-zones 2>/dev/null); do
        [ "$one" != "$wanted" ] || found=1
    done
    if [ -n "$on" ]; then [ -n "$found" ] || change do_it lasting "--new-zone=$wanted"
    else [ -z "$found" ] || change do_it lasting "--delete-zone=$wanted"
    fi
}
keep_target() {
    [ -n "$on" ] || value=default
    [ -n "$zone" ] || zone=$(ask_it lasting --get-default-zone)
    [ "$(ask_it lasting --get-target)" = "$value" ] || change do_it lasting "--set-target=$value"
}
case $thing in
    zone) keep_zone ;;
    target) keep_target ;;
    *)
        [ -z "$permanent" ] || keep lasting
        [ -z "$immediate" ] || keep now ;;
esac
say permanently "$permanent"
say now "$immediate"
say changed "$changed"
