# Brings the service $unit into a state by whatever runs services here ($use, or the one that is there).
is_systemd() { command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; }

# Leaves what runs services in $kind.
find_manager() {
    kind=$use
    case $use in
        openrc | sysvinit | systemd) ;;
        systemd_service) kind=systemd ;;
        service | auto)
            if [ "$use" = auto ] && is_systemd; then kind=systemd
            elif command -v rc-service >/dev/null 2>&1; then kind=openrc
            else kind=sysvinit
            fi ;;
        *) fail "There is no service manager '$use': use auto, service, systemd, openrc or sysvinit" ;;
    esac
}

# How an init script is run; what it prints is in $answer.
script() {
    if [ "$kind" = openrc ]; then answer=$(rc-service -- "$unit" "$@" 2>&1)
    elif command -v service >/dev/null 2>&1; then answer=$(service "$unit" "$@" 2>&1 </dev/null)
    else answer=$("$(location)" "$@" 2>&1 </dev/null)
    fi
}

location() {
    for directory in /etc/init.d /etc/rc.d /usr/local/etc/rc.d; do
        if [ -x "$directory/$unit" ]; then
            echo "$directory/$unit"
            return 0
        fi
    done
    return 1
}

is_running() {
    if [ -n "$pattern" ]; then
        ps -ewwo args 2>/dev/null | grep -F -- "$pattern" | grep -qv grep
        return
    fi
    script status $arguments
    case $? in
        0) case $answer in *'not running'* | *'is stopped'* | *inactive*) return 1 ;; esac ;;
        1 | 2 | 3) return 1 ;;
        *)
            case $answer in
                *'not running'* | *stop*) return 1 ;;
                *running*) return 0 ;;
            esac
            return 1 ;;
    esac
}

# act ACTION: what a script says isn't well unless its exit code is 0.
act() {
    script "$1" $arguments || fail "Unable to $1 service $unit: $answer"
}

restart() {
    if [ -n "$sleep" ]; then
        act stop
        sleep "$sleep"
        act start
    else act restart
    fi
}

move() {
    if is_running; then running=1; else running=; fi
    becomes=started
    case $state:$running in
        started:1 | stopped:) action= ;;
        started: | restarted: | reloaded:) action=start ;;
        stopped:1) action=stop ;;
        restarted:1) action=restart ;;
        reloaded:1) action=reload ;;
    esac
    [ "$state" != stopped ] || becomes=stopped
    say state "$becomes"
    [ -n "$action" ] || return 0
    changed=1
    if [ -n "$check" ]; then return
    elif [ "$action" = restart ]; then restart; else act "$action"; fi
}

# Whether its script is started in all of $runlevels; one that is to be disabled, in any of them.
in_runlevels() {
    for level in $runlevels; do
        set -- "/etc/rc$level.d/S"[0-9][0-9]"$unit"
        if [ -L "$1" ]; then [ "$enabled" = yes ] || return 0
        else [ "$enabled" != yes ] || return 1
        fi
    done
    [ "$enabled" = yes ]
}

is_enabled() {
    if [ "$kind" = openrc ]; then rc-update show "$runlevel" 2>/dev/null | grep -q "^ *$unit *|"
    elif [ -n "$runlevels" ]; then in_runlevels
    elif command -v chkconfig >/dev/null 2>&1; then chkconfig "$unit" >/dev/null 2>&1
    else
        for link in /etc/rc[2345S].d/S[0-9][0-9]"$unit"; do
            [ ! -L "$link" ] || return 0
        done
        return 1
    fi
}

# Of what it runs the last command counts.
set_enabled() {
    if [ "$kind" = openrc ]; then
        if [ "$enabled" = yes ]; then rc-update add "$unit" "$runlevel"; else rc-update del "$unit" "$runlevel"; fi
    elif command -v chkconfig >/dev/null 2>&1; then
        if [ "$enabled" = yes ]; then
            chkconfig --add "$unit"
            chkconfig ${runlevels:+--level "$(echo "$runlevels" | tr -d ' ')"} "$unit" on
        else chkconfig ${runlevels:+--level "$(echo "$runlevels" | tr -d ' ')"} "$unit" off
        fi
    elif command -v update-rc.d >/dev/null 2>&1; then
        if [ "$enabled" = yes ]; then
            update-rc.d "$unit" defaults
            update-rc.d "$unit" enable $runlevels
        else update-rc.d "$unit" disable $runlevels
        fi
    else
        echo "This host has none of rc-update, chkconfig and update-rc.d, so services can't be enabled"
        return 1
    fi
}

find_manager
if [ "$kind" = systemd ]; then
    systemd_unit
    exit 0
fi
[ "$kind" = openrc ] || location >/dev/null || fail "Could not find the requested service $unit: host"
if [ -n "$enabled" ]; then
    if is_enabled; then is=yes; else is=no; fi
    say enabled "$enabled"
    if [ "$is" != "$enabled" ]; then
        change set_enabled
    fi
fi
[ -z "$state" ] || move
say changed "$changed"
