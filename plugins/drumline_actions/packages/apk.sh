# Packages of Alpine. The arguments are names.
command -v apk >/dev/null 2>&1 || fail "This host has no apk"
export LC_ALL=C
output=
# run COMMAND…: apk's own, whose output is answered; in a check it is only simulated.
run() {
    said=$("$@" 2>&1) || fail "$said"
    output=$output$said
}
has() { apk info -e -- "$1" >/dev/null 2>&1; }
in_world() { [ ! -e "$world" ] || grep -qE "^$(printf '%s' "${1%%[<>=~@]*}" | sed 's/[.+]/\\&/g')([<>=~@]|\$)" "$world"; }
outdated() { apk version -l '<' -- "${1%%[<>=~@]*}" 2>/dev/null | grep -q '<'; }
if [ -n "$update_cache" ]; then
    if [ -n "$check" ]; then :
    else run apk update
    fi
    [ $# != 0 ] || [ -n "$upgrade" ] || changed=1
fi
simulate=
[ -z "$check" ] || simulate=--simulate
if [ -n "$upgrade" ]; then
    to_available=
    [ -z "$available" ] || to_available=--available
    run apk upgrade $options $to_available $simulate
    case $output in *'('[0-9]*'/'[0-9]*')'*) changed=1 ;; esac
fi
count=$#
while [ "$count" -gt 0 ]; do
    case $state in
        absent | removed) ! has "${1%%[<>=~@]*}" || set -- "$@" "$1" ;;
        latest) if ! has "$1" || ! in_world "$1" || outdated "$1"; then set -- "$@" "$1"; fi ;;
        *) if ! has "$1" || ! in_world "$1"; then set -- "$@" "$1"; fi ;;
    esac
    shift
    count=$((count - 1))
done
if [ $# != 0 ]; then
    changed=1
    case $state in
        absent | removed) run apk del $simulate "$@" ;;
        latest) run apk add --upgrade $options $simulate "$@" ;;
        *) run apk add $options $simulate "$@" ;;
    esac
fi
[ -z "$output" ] || say stdout "$output"
say changed "$changed"
