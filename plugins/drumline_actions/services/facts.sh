# Lists all services with their states, by each program that knows some.
if command -v service >/dev/null 2>&1 && service --help >/dev/null 2>&1; then say sysv "$(service --status-all 2>/dev/null)"; fi
if command -v rc-status >/dev/null 2>&1; then
    say openrc "$(rc-status -a -s -m 2>/dev/null || rc-status --servicelist 2>/dev/null)"
    say openrc_levels "$(rc-update show -v 2>/dev/null)"
fi
if command -v systemctl >/dev/null 2>&1 && { [ -d /run/systemd/system ] || [ -n "$anyway" ]; }; then
    say units "$(systemctl list-units --no-pager --type service --all --plain 2>/dev/null)"
    files=$(systemctl list-unit-files --no-pager --type service --all 2>/dev/null)
    say unit_files "$files"
    set -- $(printf '%s\n' "$files" | sed -n 's/^\([^ ]*\.service\) .*/\1/p' | grep -v '@\.service$')
    [ $# = 0 ] || say states "$(systemctl show --property=Id,ActiveState -- "$@" 2>/dev/null)"
fi
say changed ''
