# Lists the packages that are installed, by each manager that knows some; with $first, by the first one.
export LC_ALL=C.UTF-8
list() {
    command -v "$2" >/dev/null 2>&1 || return 0
    case " $managers " in *" auto "* | *" $1 "*) ;; *) return 0 ;; esac
    [ -z "$first" ] || [ -z "$listed" ] || return 0
    kind=$1
    shift 2
    found=$("$@" 2>/dev/null)
    [ -n "$found" ] || return 0
    listed=1
    say "$kind" "$found"
}
listed=
list apt dpkg-query dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${Section}\n'
list rpm rpm rpm -qa --qf '%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n'
list apk apk apk info -v
list pacman pacman pacman -Q
say changed ''
