# One rule, chain or policy, by iptables, ip6tables or both: $programs. Rules are words of sh: $rule4 and $rule6.
export LC_ALL=C
run() { "$program" $wait -t "$table" "$@"; }
has_chain() { run -n -L "$chain" >/dev/null 2>&1; }
has_rule() { run -C "$chain" "$@" >/dev/null 2>&1; }
keep_rule() {
    if [ "$state" = present ]; then
        if has_rule "$@"; then return; fi
        if [ -z "$insert" ]; then change run -A "$chain" "$@"
        else change run -I "$chain" ${number:+"$number"} "$@"
        fi
    elif has_rule "$@"; then change run -D "$chain" "$@"
    fi
}
keep() {
    if [ -n "$flush" ]; then
        change run -F ${chain:+"$chain"}
        return
    fi
    if [ -n "$policy" ]; then
        was=$(run -n -L "$chain" 2>&1) || fail "$was"
        is=$(printf '%s\n' "$was" | sed -n '1s/.*(policy \([A-Z]*\).*/\1/p')
        [ "$is" = "$policy" ] || change run -P "$chain" "$policy"
        return
    fi
    if [ -n "$manage" ]; then
        if [ "$state" = absent ] && [ $# = 0 ]; then
            if has_chain; then change run -X "$chain"; fi
            return
        fi
        if [ "$state" = present ] && ! has_chain; then
            change run -N "$chain"
            if [ -n "$check" ]; then return; fi
        fi
        [ $# != 0 ] || return 0
    fi
    keep_rule "$@"
}
for program in $programs; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program"
    words=$rule4
    [ "$program" = iptables ] || words=$rule6
    eval "set -- $words"
    keep "$@"
done
say changed "$changed"
