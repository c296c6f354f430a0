# Sets the host's time zone $name, and whether its clock is in it ($hwclock: UTC or local).
zones=/usr/share/zoneinfo
by_systemd() { [ -d /run/systemd/system ] && command -v timedatectl >/dev/null 2>&1; }
current_zone() {
    if [ -L /etc/localtime ]; then
        led=$(readlink -f /etc/localtime)
        case $led in "$(readlink -f $zones)"/*) echo "${led#"$(readlink -f $zones)"/}"; return ;; esac
    fi
    [ ! -e /etc/timezone ] || head -n 1 /etc/timezone
}
# What people wrote counts, where it is the zone that is in force: zones have several names.
written_zone() {
    zone=$(readlink /etc/localtime 2>/dev/null)
    said=$(head -n 1 /etc/timezone 2>/dev/null)
    case $zone in *zoneinfo/*) zone=${zone#*zoneinfo/} ;; *) zone=$(current_zone) ;; esac
    if [ -n "$said" ] && cmp -s "$zones/$said" /etc/localtime; then echo "$said"; else echo "$zone"; fi
}
set_zone() {
    if by_systemd; then
        timedatectl set-timezone "$name"
        return
    fi
    ln -sf "$zones/$name" /etc/localtime.drumline && mv -f /etc/localtime.drumline /etc/localtime || return 1
    if [ -e /etc/timezone ] || [ -e /etc/debian_version ]; then printf '%s\n' "$name" >/etc/timezone; fi
}
clock_is() {
    said=$(sed -n 3p /etc/adjtime 2>/dev/null)
    if [ "$said" = LOCAL ]; then echo local; else echo UTC; fi
}
set_clock() {
    if by_systemd; then
        timedatectl set-local-rtc "$([ "$hwclock" = local ] && echo 1 || echo 0)"
        return
    fi
    [ -e /etc/adjtime ] || printf '0.0 0 0.0\n0\nUTC\n' >/etc/adjtime
    kind=UTC
    [ "$hwclock" != local ] || kind=LOCAL
    { sed -n 1,2p /etc/adjtime; echo $kind; } >/etc/adjtime.drumline && mv -f /etc/adjtime.drumline /etc/adjtime
}
if [ -n "$name" ]; then
    case $name in /* | *..* | *' '*) fail "given timezone \"$name\" is not available" ;; esac
    [ -f "$zones/$name" ] || fail "given timezone \"$name\" is not available"
    was=$(written_zone)
    if [ "$was" != "$name" ]; then
        differs name "$was" "$name"
        change set_zone
    fi
fi
if [ -n "$hwclock" ]; then
    was=$(clock_is)
    if [ "$was" != "$hwclock" ]; then
        differs hwclock "$was" "$hwclock"
        change set_clock
    fi
fi
say changed "$changed"
