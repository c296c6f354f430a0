# Turns SELinux to $state with $policy, now and in $configfile.
[ -e "$configfile" ] || fail "Unable to find file $configfile"
command -v getenforce >/dev/null 2>&1 || fail "This host has no getenforce: SELinux's programs aren't installed"
setting() { sed -n "s/^$1=[[:space:]]*\([^[:space:]]*\).*/\1/p" "$configfile" | tail -n 1; }
# set_line NAME VALUE: the file with that line in the place of the one for the name, or at its end.
with_line() {
    name=$1 value=$2 awk '
        index($0, ENVIRON["name"] "=") == 1 { if (!done) print ENVIRON["name"] "=" ENVIRON["value"]; done = 1; next }
        { print }
        END { if (!done) print ENVIRON["name"] "=" ENVIRON["value"] }' "$configfile"
}
set_line() { rewrite_by "$configfile" 0644 with_line "$1" "$2"; }
now=$(getenforce | tr 'A-Z' 'a-z')
reboot=
if [ -n "$policy" ]; then
    was=$(setting SELINUXTYPE)
    if [ "$was" != "$policy" ]; then
        say_item done "SELinux policy configuration in '$configfile' changed from '$was' to '$policy'"
        change set_line SELINUXTYPE "$policy"
    fi
    say policy "$policy"
else say policy "$(setting SELINUXTYPE)"
fi
# 1 and 0 as setenforce takes them.
case $state in enforcing) number=1 ;; *) number=0 ;; esac
if [ "$now" != "$state" ]; then
    case $now:$state in
        disabled:*) reboot=1 ;;
        permissive:disabled) reboot=1 ;;
        *:disabled)
            say_item done "SELinux state temporarily changed from '$now' to 'permissive'. State change will take effect next reboot."
            change setenforce 0
            reboot=1 ;;
        *)
            say_item done "SELinux state changed from '$now' to '$state'"
            change setenforce "$number" ;;
    esac
fi
was=$(setting SELINUX)
if [ "$was" != "$state" ]; then
    say_item done "Config SELinux state changed from '$was' to '$state'"
    change set_line SELINUX "$state"
fi
if [ -n "$update_kernel_param" ]; then
    command -v grubby >/dev/null 2>&1 || fail "update_kernel_param needs grubby"
    argument=--remove-args=selinux=0
    off=$(grubby --info=ALL 2>/dev/null | grep -c 'selinux=0')
    [ "$state" != disabled ] || argument=--args=selinux=0
    if { [ "$state" = disabled ] && [ "$off" = 0 ]; } || { [ "$state" != disabled ] && [ "$off" != 0 ]; }; then
        change grubby --update-kernel=ALL "$argument"
        reboot=1
    fi
fi
say reboot "$reboot"
say changed "$changed"
