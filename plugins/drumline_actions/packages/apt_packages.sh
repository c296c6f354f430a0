# Packages of Debian, by apt_packages. Its arguments are names of packages, perhaps with =VERSION, /RELEASE or :ARCHITECTURE.
# installed NAME: whether it is, in this version if one is named; * may stand in both.
installed() {
    pattern=${1%%[=/]*} version=
    case $1 in *=*) version=${1#*=} ;; esac
    found=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' -- "$pattern" 2>/dev/null | sed -n 's/^.i. //p')
    if [ -z "$found" ]; then
        [ -z "$version" ] && provided "$pattern"
        return
    fi
    [ -n "$version" ] || return 0
    for has in $found; do
        case $has in $version) ;; *) return 1 ;; esac
    done
}

# Whether a package that is installed says that it is one of this name, too.
provided() {
    dpkg-query -W -f '${db:Status-Abbrev} ${Provides}\n' 2>/dev/null | sed -n 's/^.i. //p' | tr , '\n' |
        sed 's/^ *//; s/[ (:].*//' | grep -qxF -- "$1"
}

# Whether anything of it is left on the host: with purge, its settings are something.
left() {
    dpkg-query -W -f '${db:Status-Abbrev}\n' -- "${1%%[=/]*}" 2>/dev/null |
        if [ -n "$purge" ]; then grep -q '^.[^n]'; else grep -q '^.[^nc]'; fi
}

# act COMMAND…: apt-get, or in a check what it would do. What it said is in $output and $errors.
act() {
    if [ -n "$check" ]; then set -- -s "$@"; fi
    log=$(mktemp) || fail "no temporary file can be made"
    hold_services
    output=$(apt-get -q -y $lock $apt_options "$@" 2>"$log" </dev/null)
    code=$?
    release_services
    errors=$(cat "$log")
    rm -f "$log"
    if [ "$code" != 0 ]; then
        say stdout "$output"
        say stderr "$errors"
        say_json rc "$code"
        fail "'apt-get $*' failed: $errors"
    fi
    everything=$everything$output said=$said$errors
}

# While packages are installed, policy-rc.d tells whether their services may start: $policy_rc_d is its exit code.
hold_services() {
    [ -n "$policy_rc_d" ] && [ -z "$check" ] || return 0
    kept=
    [ ! -e /usr/sbin/policy-rc.d ] || { kept=/usr/sbin/policy-rc.d.drumline.$$; mv -- /usr/sbin/policy-rc.d "$kept"; }
    printf '#!/bin/sh\nexit %s\n' "$policy_rc_d" >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
}

release_services() {
    [ -n "$policy_rc_d" ] && [ -z "$check" ] || return 0
    rm -f /usr/sbin/policy-rc.d
    [ -z "$kept" ] || mv -- "$kept" /usr/sbin/policy-rc.d
}

nothing() { printf '%s\n' "$output" | grep -q '^0 upgraded, 0 newly installed, 0 to remove'; }

# Reads the lists anew where they are too old; $refreshed is whether they are others now.
refresh() {
    refreshed=
    if { [ -n "$update_cache" ] || [ "$cache_valid_time" -gt 0 ]; } &&
        [ $(($(updated_at) + cache_valid_time)) -le "$(date +%s)" ]; then
        before=$(sum_lists)
        if [ -n "$check" ]; then refreshed=1
        else
            update_lists || fail "Failed to update apt cache: $problem"
            [ "$before" = "$(sum_lists)" ] || refreshed=1
        fi
    fi
    say_json cache_updated "$([ -n "$refreshed" ] && echo true || echo false)"
    say_json cache_update_time "$(updated_at)"
}

# present STATE NAMES…
present() {
    wanted=$1
    shift
    count=$#
    while [ "$count" -gt 0 ]; do
        if [ "$wanted" != latest ] && installed "$1"; then :
        elif [ -n "$only_upgrade" ] && ! installed "${1%%[=/]*}"; then :
        else set -- "$@" "$1"
        fi
        shift
        count=$((count - 1))
    done
    [ $# != 0 ] || return 0
    [ "$wanted" != latest ] || ! is_newest "$@" || return 0
    [ -z "$autoremove" ] || set -- --auto-remove "$@"
    act install "$@"
    nothing || changed=1
}

# What apt would do is what tells whether a package is the newest.
is_newest() {
    plan=$(apt-get -q -y -s $apt_options install "$@" 2>&1) || return 1
    ! printf '%s\n' "$plan" | grep -qE '^(Inst|Remv|Conf) '
}

absent() {
    count=$#
    while [ "$count" -gt 0 ]; do
        ! left "$1" || set -- "$@" "${1%%[=/]*}"
        shift
        count=$((count - 1))
    done
    [ $# != 0 ] || return 0
    [ -z "$autoremove" ] || set -- --auto-remove "$@"
    [ -z "$purge" ] || set -- --purge "$@"
    act remove "$@"
    changed=1
}

# A package in a file, of this host or of a URL.
from_file() {
    case $deb in
        *://*)
            archive=$(mktemp -d)/package.deb
            if command -v curl >/dev/null 2>&1; then problem=$(curl -fsSL -o "$archive" -- "$deb" 2>&1)
            else problem=$(wget -qO "$archive" -- "$deb" 2>&1)
            fi || fail "$deb can't be downloaded: $problem" ;;
        */*) archive=$deb ;;
        *) archive=./$deb ;;
    esac
    [ -e "$archive" ] || fail "Unable to install package: $deb does not exist"
    package=$(dpkg-deb -f "$archive" Package 2>&1) || fail "Unable to install package: $package"
    version=$(dpkg-deb -f "$archive" Version)
    has=$(dpkg-query -W -f '${db:Status-Abbrev} ${Version}' -- "$package" 2>/dev/null | sed -n 's/^.i. //p')
    if [ -n "$force" ] || [ -z "$has" ] || dpkg --compare-versions "$has" lt "$version" ||
        { [ -n "$allow_downgrade" ] && [ "$has" != "$version" ]; }; then
        act install "$archive"
        changed=1
    fi
    case $deb in *://*) rm -rf -- "${archive%/*}" ;; esac
}

# apt_packages NAMES…: all that a task says of apt.
apt_packages() {
    find_lists
    everything= said=
    refresh
    if [ $# = 0 ] && [ -z "$upgrade$deb$clean$autoclean$autoremove" ] && [ "$state" != fixed ]; then
        changed=$refreshed
        say changed "$changed"
        return 0
    fi
    if [ -n "$upgrade" ]; then
        act $upgrade
        nothing || changed=1
    fi
    [ -z "$deb" ] || from_file
    case $state in
        present | installed | latest) [ $# = 0 ] || present "$state" "$@" ;;
        absent | removed) [ $# = 0 ] || absent "$@" ;;
        build-dep)
            act build-dep "$@"
            nothing || changed=1 ;;
        fixed)
            act --fix-broken install "$@"
            nothing || changed=1 ;;
    esac
    if [ -n "$clean" ]; then
        change apt-get clean
    fi
    if [ -n "$autoclean" ]; then
        act autoclean
        case $output in *'Del '*) changed=1 ;; esac
    fi
    if [ -n "$autoremove" ] && [ $# = 0 ]; then
        [ -n "$purge" ] && act --purge autoremove || act autoremove
        nothing || case $output in *'The following packages will be REMOVED'*) changed=1 ;; esac
    fi
    [ -z "$everything$said$changed" ] || { say stdout "$everything"; say stderr "$said"; }
    [ -z "$upgrade" ] || say msg "$everything"
    say changed "$changed"
}
