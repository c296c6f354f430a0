# What chattr calls attributes ($flags) and the parts of SELinux's context ($seuser, $serole, $setype, $selevel) of $path.
# A host without SELinux, or without chattr, has none.
[ -e "$path" ] || [ -L "$path" ] || { say changed ''; exit 0; }
# flags_differ: whether $flags, with + or - or = in front, are something to change.
flags_differ() {
    now=$(lsattr -d -- "$path" 2>/dev/null) || return 0
    now=$(printf '%s' "${now%% *}" | tr -d -)
    wanted=${flags#[-+=]}
    case $flags in
        [-+]*) ;;
        # Not every flag can be set: e says how the file is stored.
        *) [ "$(printf '%s' "$now" | tr -d "e$wanted")$(printf '%s' "$wanted" | tr -d "$now")" ] && return 0 || return 1 ;;
    esac
    while [ -n "$wanted" ]; do
        rest=${wanted#?}
        letter=${wanted%"$rest"}
        wanted=$rest
        case $flags$now in
            +*) case $now in *"$letter"*) ;; *) return 0 ;; esac ;;
            *) case $now in *"$letter"*) return 0 ;; esac ;;
        esac
    done
    return 1
}
if [ -n "$flags" ] && command -v chattr >/dev/null 2>&1 && flags_differ; then
    case $flags in [-+=]*) ;; *) flags==$flags ;; esac
    change chattr "$flags" -- "$path"
fi
# part VALUE NOW BY_POLICY
part() {
    case $1 in
        '') said=$2 ;;
        _default) said=$3 ;;
        *) said=$1 ;;
    esac
}
if [ -n "$seuser$serole$setype$selevel" ] && command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then
    now=$(stat -c %C -- "$path" 2>&1) || fail "$now"
    policy=$(matchpathcon -n -- "$path" 2>/dev/null) || policy=$now
    IFS=:
    set -f
    set -- $now
    user=$1 role=$2 type=$3
    level=${now#"$1:$2:$3"}
    level=${level#:}
    set -- $policy
    set +f
    unset IFS
    by_policy=${policy#"$1:$2:$3"}
    part "$seuser" "$user" "$1"; new=$said
    part "$serole" "$role" "$2"; new=$new:$said
    part "$setype" "$type" "$3"; new=$new:$said
    part "$selevel" "$level" "${by_policy#:}"
    [ -z "$said" ] || new=$new:$said
    [ "$new" = "$now" ] || change chcon -h -- "$new" "$path"
    say secontext "$new"
fi
say changed "$changed"
