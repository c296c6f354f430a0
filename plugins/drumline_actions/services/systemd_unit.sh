# One unit of systemd: brought into a state by systemd_unit. $options are those of systemctl.
[ -n "$XDG_RUNTIME_DIR" ] || export XDG_RUNTIME_DIR="/run/user/$(id -u)"

control() { systemctl $options "$@" 2>&1; }

# offline: there is no systemd to talk to, as in a chroot, where units can be enabled all the same.
offline() { [ "$SYSTEMD_OFFLINE" = 1 ] || [ "$(stat -c %d:%i / 2>/dev/null)" != "$(stat -c %d:%i /proc/1/root/. 2>/dev/null)" ]; }

reload_units() {
    [ -z "$check" ] || return 0
    answer=$(control "$1") || offline || fail "failure $? during $1: $answer"
}

# What systemctl tells of the unit, and whether there is one.
look_at_unit() {
    shown=$(systemctl $options show -- "$unit" 2>/dev/null)
    found=
    case $shown in
        *LoadState=not-found*) [ ! -x "/etc/init.d/$unit" ] || found=1 ;;
        *LoadState=*) found=1 ;;
        *)
            case $(systemctl $options is-enabled -- "$unit" 2>/dev/null) in
                enabled* | linked* | masked* | static | indirect | disabled | generated | transient) found=1 ;;
                *) if systemctl $options list-unit-files -- "$unit" 2>/dev/null | grep -qF -- "${unit%.service}"; then found=1; fi ;;
            esac ;;
    esac
    say status "$shown"
    active=$(printf '%s\n' "$shown" | sed -n 's/^ActiveState=//p' | head -n 1)
}

required() { [ -n "$found" ] || fail "Could not find the requested service $unit: host"; }

mask_unit() {
    is=no
    [ "$(systemctl $options is-enabled -- "$unit" 2>/dev/null)" != masked ] || is=yes
    [ "$is" != "$masked" ] || return 0
    action=mask
    [ "$masked" = yes ] || action=unmask
    change_unit "$action" "Failed to $action the service ($unit)"
}

enable_unit() {
    required
    is=no
    if answer=$(systemctl $options is-enabled -- "$unit" -l 2>/dev/null); then
        case $answer in
            enabled-runtime | indirect | alias) ;;
            *) is=yes ;;
        esac
    fi
    say enabled "$enabled"
    [ "$is" != "$enabled" ] || return 0
    action=enable
    [ "$enabled" = yes ] || action=disable
    change_unit "$action" "Unable to $action service $unit"
}

move_unit() {
    required
    if [ -z "$active" ]; then
        offline || fail "Service is in unknown state"
        say state "$state"
        return 0
    fi
    action= becomes=started
    case $state:$active in
        started:active | started:activating | stopped:inactive | stopped:failed | stopped:maintenance) ;;
        restarted:active | restarted:activating) action=restart ;;
        reloaded:active | reloaded:activating) action=reload ;;
        stopped:*) action=stop ;;
        *) action=start ;;
    esac
    [ "$state" != stopped ] || becomes=stopped
    say state "$becomes"
    [ -z "$action" ] || change_unit "$action" "Unable to $action service $unit"
}

# change_unit ACTION COMPLAINT
change_unit() {
    changed=1
    [ -z "$check" ] || return 0
    answer=$(control "$1" -- "$unit") || fail "$2: $answer"
}

systemd_unit() {
    [ -z "$daemon_reload" ] || reload_units daemon-reload
    [ -z "$daemon_reexec" ] || reload_units daemon-reexec
    if [ -n "$unit" ]; then
        look_at_unit
        [ -z "$masked" ] || mask_unit
        [ -z "$enabled" ] || enable_unit
        [ -z "$state" ] || move_unit
    fi
    say changed "$changed"
}
