# Packages of SUSE. The arguments are names, perhaps with versions.
for program in zypper rpm; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program"
done
export LC_ALL=C
output=
# run COMMAND…: with zypper's options, unless this is a check. 100 to 103 and 106 say that something remains to be done.
run() {
    changed=1
    [ -z "$check" ] || return 0
    said=$(zypper $ahead "$@" 2>&1)
    code=$?
    output=$output$said
    case $code in
        0 | 100 | 101 | 102 | 103 | 106) ;;
        107) [ -n "$skip_post_errors" ] || fail "$said" ;;
        *) fail "Zypper run failed with return code $code: $said" ;;
    esac
}
quietly() { zypper --non-interactive --quiet "$@" 2>/dev/null; }
# has NAME: of a version, whether the installed one is of it.
has() {
    bare=${1%%[<>=]*}
    bare=${bare#[+~]}
    if [ "$type" != package ]; then
        quietly search --installed-only --match-exact --type "$type" -- "$bare" >/dev/null
        return
    fi
    found=$(rpm -q --qf '%{VERSION} %{VERSION}-%{RELEASE}\n' -- "$bare" 2>/dev/null | tail -n 1) ||
        found=$(rpm -q --whatprovides --qf '%{VERSION} %{VERSION}-%{RELEASE}\n' -- "$bare" 2>/dev/null | tail -n 1)
    case $found in *' '*' '* | '') rpm -q -- "$bare" >/dev/null 2>&1 || rpm -q --whatprovides -- "$bare" >/dev/null 2>&1 || return 1 ;; esac
    wanted=${1#"${1%%[<>=]*}"}
    [ -z "$wanted" ] || is_of "$wanted" $found
}
# is_of >=1.0 VERSION VERSION-RELEASE
is_of() {
    version=${1#[<>=]}
    version=${version#=}
    case $version in
        *[!A-Za-z0-9._+~^:-]*) fail "'$version' is no version" ;;
        *-*) set -- "$1" "$3" ;;
    esac
    order=$(rpm --eval "%{lua: print(rpm.vercmp('$2', '$version'))}")
    case $1:$order in
        '>='*:[01] | '<='*:0 | '<='*:-1 | '='*:0 | '>'[!=]*:1 | '<'[!=]*:-1) return 0 ;;
    esac
    return 1
}
updates() { quietly list-updates --type "$type" | awk -F'|' '/^v/ { gsub(/ /, "", $3); print $3 }'; }

[ -z "$update_cache" ] || [ -n "$check" ] || { said=$(zypper $ahead refresh 2>&1) || fail "$said"; }
case $state:$* in
    dist-upgrade:*)
        case $(zypper $ahead dist-upgrade --dry-run $vendors 2>/dev/null) in
            *'going to be'*) run dist-upgrade --auto-agree-with-licenses $vendors $behind ;;
        esac ;;
    latest:'*') [ -z "$(updates)" ] || run update --type "$type" --auto-agree-with-licenses $behind ;;
    absent:* | removed:*)
        for name do
            shift
            ! has "$name" || set -- "$@" "${name%%[<>=]*}"
        done
        cleaning=
        [ -z "$clean_deps" ] || cleaning=--clean-deps
        [ $# = 0 ] || run remove --type "$type" $cleaning -- "$@" ;;
    *)
        newer=
        [ "$state" != latest ] || newer=" $(updates | tr '\n' ' ')"
        for name do
            shift
            case $name in
                *://* | /*) set -- "$@" "$name" ;;
                -*) ! has "${name#-}" || set -- "$@" "$name" ;;
                *)
                    has "$name" && case $newer in *" ${name%%[<>=]*} "*) false ;; esac || set -- "$@" "$name" ;;
            esac
        done
        [ $# = 0 ] || run install --type "$type" --auto-agree-with-licenses $behind -- "$@" ;;
esac
[ -z "$output" ] || say stdout "$output"
say changed "$changed"
