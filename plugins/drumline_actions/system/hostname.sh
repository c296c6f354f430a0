# Gives the host its $name, now and at the next start. $use says how, if it isn't found out.
current=$(hostname 2>/dev/null || uname -n)
file=/etc/hostname
is_systemd() { command -v hostnamectl >/dev/null 2>&1 && [ -d /run/systemd/system ]; }

permanent() {
    case $use in
        openrc) sed -n 's/^hostname=["'\'']\{0,1\}\([^"'\'']*\).*/\1/p' /etc/conf.d/hostname ;;
        redhat) sed -n 's/^HOSTNAME=//p' /etc/sysconfig/network ;;
        freebsd) sed -n 's/^hostname="\{0,1\}\([^"]*\).*/\1/p' /etc/rc.conf ;;
        *) cat "$file" 2>/dev/null ;;
    esac | head -n 1
}

# keep LINE FILE PATTERN: the line in place of those that begin so, or at the end.
keep() {
    { grep -v "^$3" "$2" 2>/dev/null; printf '%s\n' "$1"; } >"$2.drumline.$$" && cat "$2.drumline.$$" >"$2" && rm -f "$2.drumline.$$"
}

make_permanent() {
    case $use in
        systemd) hostnamectl set-hostname "$name" ;;
        openrc) keep "hostname=\"$name\"" /etc/conf.d/hostname hostname= ;;
        redhat) keep "HOSTNAME=$name" /etc/sysconfig/network HOSTNAME= ;;
        freebsd) keep "hostname=\"$name\"" /etc/rc.conf hostname= ;;
        *) printf '%s\n' "$name" >"$file" ;;
    esac
}

case $use in
    '')
        if is_systemd; then use=systemd
        elif [ -e /etc/sysconfig/network ] && grep -q ^HOSTNAME= /etc/sysconfig/network; then use=redhat
        elif [ -e /etc/conf.d/hostname ] && [ ! -e "$file" ]; then use=openrc
        elif [ -e /etc/rc.conf ] && [ ! -e "$file" ]; then use=freebsd
        elif [ -e /etc/myname ]; then file=/etc/myname
        fi ;;
    sles) file=/etc/HOSTNAME ;;
    openbsd) file=/etc/myname ;;
    solaris) file=/etc/nodename ;;
esac
[ "$(permanent)" = "$name" ] || change make_permanent
[ "$current" = "$name" ] || [ "$use" = systemd ] || change hostname "$name"
[ "$current" = "$name" ] || [ "$use" != systemd ] || changed=1
say before "$current"
say fqdn "$(hostname -f 2>/dev/null || echo "$name")"
say changed "$changed"
