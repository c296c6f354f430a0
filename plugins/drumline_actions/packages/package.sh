# Packages by whatever manager this host has, or by $use. The arguments are names.
export LC_ALL=C.UTF-8 LANG=C.UTF-8

found_manager() {
    for one in apt-get dnf5 dnf yum apk zypper pacman opkg pkg; do
        ! command -v "$one" >/dev/null 2>&1 || { echo "$one"; return; }
    done
}

has() {
    case $kind in
        apk) apk info -e -- "$1" >/dev/null 2>&1 ;;
        zypper) rpm -q -- "$1" >/dev/null 2>&1 || rpm -q --whatprovides -- "$1" >/dev/null 2>&1 ;;
        pacman) pacman -Q -- "$1" >/dev/null 2>&1 || pacman -Qg -- "$1" >/dev/null 2>&1 ;;
        opkg) opkg list-installed "$1" | grep -q . ;;
        pkg) pkg info -e "$1" ;;
    esac
}

# outdated NAME: whether there is something newer.
outdated() {
    case $kind in
        apk) apk version -l '<' -- "$1" 2>/dev/null | grep -q '<' ;;
        zypper) zypper --non-interactive --quiet list-updates 2>/dev/null | cut -d'|' -f3 | grep -qw -- "$1" ;;
        pacman) pacman -Qu -- "$1" >/dev/null 2>&1 ;;
        opkg) opkg list-upgradable | grep -q "^$1 " ;;
        pkg) pkg version -qL= -n "$1" | grep -q . ;;
    esac
}

install() {
    case $kind in
        apk) apk add -u -- "$@" ;;
        zypper) zypper --non-interactive --quiet install --auto-agree-with-licenses -- "$@" ;;
        pacman) pacman -S --noconfirm -- "$@" ;;
        opkg) opkg install "$@" ;;
        pkg) pkg install -y "$@" ;;
    esac
}

uninstall() {
    case $kind in
        apk) apk del -- "$@" ;;
        zypper) zypper --non-interactive --quiet remove -- "$@" ;;
        pacman) pacman -R --noconfirm -- "$@" ;;
        opkg) opkg remove "$@" ;;
        pkg) pkg delete -y "$@" ;;
    esac
}

kind=$use
[ "$use" != auto ] || kind=$(found_manager)
case $kind in
    '') fail "This host has no manager of packages that is known" ;;
    apt | apt-get)
        apt_packages "$@"
        exit 0 ;;
    dnf5 | dnf | yum)
        manager=$kind
        rpm_packages "$@"
        exit 0 ;;
    apk | zypper | pacman | opkg | pkg) command -v "$kind" >/dev/null 2>&1 || fail "This host has no $kind" ;;
    *) fail "There is no manager of packages '$kind': use auto, apt, dnf, dnf5, yum, apk, zypper, pacman, opkg or pkg" ;;
esac
count=$#
while [ "$count" -gt 0 ]; do
    case $state in
        absent | removed) ! has "$1" || set -- "$@" "$1" ;;
        latest) if ! has "$1" || outdated "$1"; then set -- "$@" "$1"; fi ;;
        *) has "$1" || set -- "$@" "$1" ;;
    esac
    shift
    count=$((count - 1))
done
if [ $# != 0 ]; then
    case $state in
        absent | removed) change uninstall "$@" ;;
        *) change install "$@" ;;
    esac
fi
say changed "$changed"
