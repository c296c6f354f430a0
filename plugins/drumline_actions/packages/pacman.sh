# Packages of Arch. The arguments are names of packages, groups and files.
command -v "$executable" >/dev/null 2>&1 || fail "This host has no $executable"
export LC_ALL=C
output=
run() {
    said=$("$executable" "$@" 2>&1) || fail "$said"
    output=$output$said
}
databases() { cat /var/lib/pacman/sync/*.db 2>/dev/null | cksum; }
if [ -n "$update_cache" ]; then
    twice=
    [ -z "$force" ] || twice=--refresh
    if [ -n "$check" ]; then cache_updated=1
    else
        before=$(databases)
        run --sync --refresh $twice $update_cache_extra_args
        cache_updated=
        [ "$before" = "$(databases)" ] || cache_updated=1
    fi
    [ -z "$cache_updated" ] || changed=1
    say cache_updated "$cache_updated"
fi
items() { for item do say_item packages "$item"; done; }
if [ -n "$upgrade" ]; then
    outdated=$("$executable" -Qu 2>/dev/null | grep -v '\[ignored\]' | cut -d' ' -f1)
    if [ -n "$outdated" ]; then
        changed=1
        items $outdated
        [ -n "$check" ] || run --sync --sysupgrade --quiet --noconfirm $upgrade_args
    fi
fi
has() { "$executable" -Q -- "$1" >/dev/null 2>&1; }
in_group() { "$executable" -Sgq -- "$1" 2>/dev/null; }
# The packages of a file are known by its name there.
name_of_file() { "$executable" -Qp -- "$1" 2>/dev/null; }
outdated() { "$executable" -Qu -- "$1" >/dev/null 2>&1; }
given=$*
# Groups become their packages.
for name do
    shift
    case $name in
        */*) set -- "$@" "$name" ;;
        *)
            members=
            has "$name" || members=$(in_group "$name")
            if [ -n "$members" ]; then set -- "$@" $members; else set -- "$@" "$name"; fi ;;
    esac
done
wants() {
    case $1 in
        *://*) return 0 ;;
        /*) [ "$("$executable" -Q -- "$(name_of_file "$1" | cut -d' ' -f1)" 2>/dev/null)" != "$(name_of_file "$1")" ] ;;
        *) ! has "$1" || { [ "$state" = latest ] && outdated "$1"; } ;;
    esac
}
new=
for name do
    shift
    case $state in
        absent | removed) ! has "$name" || set -- "$@" "$name" ;;
        *)
            if [ "$reason_for" = all ] || ! has "$name"; then new="$new $name"; fi
            ! wants "$name" || set -- "$@" "$name" ;;
    esac
done
if [ $# != 0 ]; then
    changed=1
    items "$@"
    case $state in
        absent | removed)
            nodeps=
            [ -z "$force" ] || nodeps='--nodeps --nodeps'
            [ -n "$check" ] || run --remove --noconfirm --noprogressbar $nosave $nodeps $extra_args -- "$@" ;;
        *)
            from=--sync
            case $1 in /* | *://*) from=--upgrade ;; esac
            if [ -n "$check" ]; then
                [ "$from" = --upgrade ] || problem=$("$executable" --sync --print-format %n -- "$@" 2>&1) || fail "$problem"
            else run $from --noconfirm --noprogressbar --needed $extra_args -- "$@"
            fi ;;
    esac
fi
if [ -n "$reason" ]; then
    flag=--asexplicit shows=explicit
    [ "$reason" = explicit ] || flag=--asdeps shows=dependency
    for name in $new; do
        case $name in */*) continue ;; esac
        "$executable" -Qi -- "$name" 2>/dev/null | grep -qi "^Install Reason *:.*$shows" || {
            changed=1
            [ -n "$check" ] || run --database $flag -- "$name"
        }
    done
fi
[ -z "$output" ] || say stdout "$output"
say changed "$changed"
