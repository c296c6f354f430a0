# Says which context files that $target matches get: $setype, or as those below $substitute.
command -v semanage >/dev/null 2>&1 || fail "This host has no semanage: install policycoreutils-python-utils"
if [ -z "$offline" ] && command -v selinuxenabled >/dev/null 2>&1 && ! selinuxenabled; then
    fail "SELinux is disabled on this host."
fi
list=$(semanage fcontext -l 2>&1) || fail "$list"
local_list=$(semanage fcontext -l -C 2>&1) || fail "$local_list"
# The context in a list: user:role:type:level, or nothing.
context_in() {
    printf '%s\n' "$1" | target=$target kind=$kind awk '
        index($0, ENVIRON["target"] " ") == 1 && index($0, " " ENVIRON["kind"] " ") { print $NF }' | tail -n 1
}
equal_to() { printf '%s\n' "$1" | awk -v target="$target" '$1 == target && $2 == "=" { print $3 }' | tail -n 1; }
if [ -n "$substitute" ] || { [ "$state" = absent ] && [ -z "$setype" ]; }; then
    was=$(equal_to "$local_list")
    if [ "$state" = absent ]; then
        if [ -n "$was" ]; then
            differs substitute "$was" ''
            change semanage fcontext $no_reload -d "$target"
        fi
    elif [ "$was" != "$substitute" ]; then
        differs substitute "$was" "$substitute"
        if [ -n "$was" ]; then change semanage fcontext $no_reload -m -e "$substitute" "$target"
        else change semanage fcontext $no_reload -a -e "$substitute" "$target"
        fi
    fi
fi
if [ -z "$substitute" ]; then
    own=$(context_in "$local_list")
    was=${own:-$(context_in "$list")}
    if [ "$state" = absent ]; then
        if [ -n "$own" ]; then
            differs context "$own" ''
            change semanage fcontext $no_reload -d -f "$ftype" "$target"
        fi
    else
        IFS=:
        set -f
        set -- $was
        set +f
        unset IFS
        has_level=${was#"${1-}:${2-}:${3-}"}
        new=${seuser:-${1:-system_u}}:object_r:$setype:${selevel:-${has_level:-s0}}
        new=$(printf '%s' "$new" | sed 's/::/:/g')
        if [ "$was" != "$new" ]; then
            differs context "$was" "$new"
            verb=-a
            [ -z "$own" ] || verb=-m
            set -- $no_reload "$verb" -t "$setype" -f "$ftype"
            [ -z "$seuser" ] || set -- "$@" -s "$seuser"
            [ -z "$selevel" ] || set -- "$@" -r "$selevel"
            change semanage fcontext "$@" "$target"
        fi
    fi
fi
say changed "$changed"
