# Ubuntu's firewall: turns it on or off, and keeps its default, its logging, and a rule, whose words are $words.
command -v ufw >/dev/null 2>&1 || fail "This host has no ufw"
export LC_ALL=C
# What it keeps. Its own programs change nothing else.
kept() { cat /etc/ufw/*.rules /etc/ufw/ufw.conf /etc/default/ufw /lib/ufw/*.rules /var/lib/ufw/*.rules 2>/dev/null | grep -v '^# [0-9]'; }
is_enabled() { grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; }
# run WORD…: what it does may change nothing: that is seen by what it keeps.
run() {
    before=$(kept)
    problem=$(ufw "$@" 2>&1) || fail "$problem"
    [ "$before" = "$(kept)" ] || changed=1
}
case $state in
    enabled)
        if ! is_enabled; then change ufw -f enable; fi ;;
    disabled)
        if is_enabled; then change ufw -f disable; fi ;;
    reloaded) change ufw -f reload ;;
    reset) change ufw -f reset ;;
esac
setting() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}/\1/p" "$2" 2>/dev/null | tail -n 1 | tr 'A-Z' 'a-z'; }
if [ -n "$logging" ]; then
    was=$(setting LOGLEVEL /etc/ufw/ufw.conf)
    wanted=$logging
    # on is the level that it has, or low.
    case $logging:$was in on:off | on:) wanted=low ;; on:*) wanted=$was ;; esac
    if [ "$was" != "$wanted" ]; then change ufw logging "$logging"; fi
fi
if [ -n "$default" ]; then
    policy=${default%% *}
    case $default in
        *out*) name=DEFAULT_OUTPUT_POLICY ;;
        *routed*) name=DEFAULT_FORWARD_POLICY ;;
        *) name=DEFAULT_INPUT_POLICY ;;
    esac
    case $policy in
        allow) wanted=accept ;;
        deny) wanted=drop ;;
        *) wanted=reject ;;
    esac
    if [ "$(setting $name /etc/default/ufw)" != "$wanted" ]; then change ufw default $default; fi
fi
# The number at which a new rule is inserted; nothing for the end.
position() {
    all=$(ufw status numbered | grep '^\[')
    six=$(printf '%s\n' "$all" | grep -c '(v6)')
    count=$(printf '%s\n' "$all" | grep -c '^\[')
    four=$((count - six))
    case $relative in
        zero) at=$insert ;;
        first-ipv4) at=$((insert + 1)) ;;
        last-ipv4) at=$((insert + (four > 0 ? four : 1))) ;;
        first-ipv6) at=$((insert + four + 1)) ;;
        last-ipv6) at=$((insert + four + (six > 0 ? six : 1))) ;;
    esac
    [ "$at" -ge 1 ] || at=1
    if [ "$at" -gt "$count" ]; then at=; fi
}
if [ -n "$rule" ]; then
    eval "set -- $words"
    at=
    [ -z "$insert" ] || position
    set -- $route $delete ${at:+insert "$at"} "$rule" "$@"
    if [ -n "$check" ]; then
        said=$(ufw --dry-run "$@" 2>&1) || fail "$said"
        case $said in
            *'Skipping adding existing rule'* | *'Could not delete non-existent rule'* | *'Skipping inserting existing rule'*) ;;
            *) changed=1 ;;
        esac
    else run "$@"
    fi
fi
say msg "$(ufw status verbose)"
say changed "$changed"
