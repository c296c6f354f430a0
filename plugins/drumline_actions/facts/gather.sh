# What the host says of itself, as it is: files, listings, answers of programs. drumline makes facts of it.
# $word stands before the name of each part; $skip has the names of those that aren't asked for; $root stands before the
# names of files; $fact_path has local facts; $python is the interpreter to ask for its version, if one was named.
part() {
    case " $skip " in *" $1 "*) return 1 ;; esac
    printf '\n%s %s\n' "$word" "$1"
}

# said NAME PROGRAM ARGUMENT...: what a program says, where there is one.
said() {
    command -v "$2" >/dev/null 2>&1 && part "$1" || return 0
    shift
    "$@" </dev/null 2>/dev/null
}

# files NAME PATH...: those that are files are printed with the others by print_files, as the part "together"; with $apart at
# once, by themselves. No pipe or device is waited for.
files() {
    case " $skip " in *" $1 "*) return 0 ;; esac
    name=$1
    shift
    for path; do
        [ ! -f "$path" ] || [ ! -r "$path" ] || list="$list$path
"
    done
    [ -z "$apart" ] || print_files "$name"
}

# Each file below its name: head names them if there are two.
print_files() {
    [ -n "$list" ] || return 0
    part "$1" || return 0
    IFS='
'
    set -f
    PATH=$own_path head -c 262144 -- $list /dev/null 2>/dev/null
    set +f
    unset IFS
    list=
}

list=
own_path=$PATH
[ -r /proc/self/environ ] || { ! part env || env; }
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

etc=$root/etc
proc=$root/proc
dmi=$root/sys/devices/virtual/dmi/id
zone=$etc/localtime
[ -z "$TZ" ] || zone=$root/usr/share/zoneinfo/${TZ#:}
files env "$proc/self/environ"
files zone "$zone"
files files "$root/usr/lib/os-release" "$etc"/os-release "$etc"/*[-_]release "$etc"/*[-_]version "$etc/coreos/update.conf" \
    "$etc/machine-id" "$root/var/lib/dbus/machine-id" "$etc/resolv.conf" "$etc/selinux/config" \
    "$etc"/ssh/ssh_host_*_key.pub "$etc"/openssh/ssh_host_*_key.pub "$etc"/ssh_host_*_key.pub \
    "$etc/iscsi/initiatorname.iscsi" "$etc/nvme/hostnqn" "$root/run/systemd/container" \
    "$root/sys/fs/selinux/enforce" "$root/sys/fs/selinux/policyvers" "$root"/sys/class/fc_host/*/port_name \
    "$proc/sys/kernel/ostype" "$proc/sys/kernel/arch" "$proc/sys/kernel/osrelease" "$proc/sys/kernel/version" "$proc/sys/kernel/hostname" \
    "$proc/sys/crypto/fips_enabled" "$proc/cmdline" "$proc/loadavg" "$proc/uptime" "$proc/self/status" "$proc/1/comm"
files hardware "$proc/meminfo" "$proc/mounts" "$proc/self/mountinfo" "$proc/sysinfo" "$proc/xen/capabilities" \
    "$root/sys/hypervisor/type" "$proc/1/cgroup" "$proc/1/environ" "$proc/modules" "$dmi/bios_date" "$dmi/bios_vendor" \
    "$dmi/bios_version" "$dmi/board_asset_tag" "$dmi/board_name" "$dmi/board_serial" "$dmi/board_vendor" \
    "$dmi/board_version" "$dmi/chassis_asset_tag" "$dmi/chassis_serial" "$dmi/chassis_vendor" "$dmi/chassis_version" \
    "$dmi/chassis_type" "$dmi/product_name" "$dmi/product_serial" "$dmi/product_uuid" "$dmi/product_version" \
    "$dmi/product_family" "$dmi/sys_vendor"
files net "$root"/sys/class/net/*/address "$root"/sys/class/net/*/mtu "$root"/sys/class/net/*/operstate \
    "$root"/sys/class/net/*/type "$root"/sys/class/net/*/flags "$root"/sys/class/net/*/speed \
    "$root"/sys/class/net/*/bridge/bridge_id "$root"/sys/class/net/*/bridge/stp_state \
    "$root"/sys/class/net/*/bonding/slaves "$root"/sys/class/net/*/bonding/mode "$root"/sys/class/net/*/bonding/miimon \
    "$root"/sys/class/net/*/bonding/lacp_rate "$root"/sys/class/net/*/bonding/primary \
    "$root"/sys/class/net/*/bonding/all_slaves_active "$root"/sys/class/net/*/bonding_slave/perm_hwaddr
files block "$root"/sys/block/*/removable "$root"/sys/block/*/size "$root"/sys/block/*/queue/rotational \
    "$root"/sys/block/*/queue/scheduler "$root"/sys/block/*/queue/logical_block_size \
    "$root"/sys/block/*/queue/hw_sector_size "$root"/sys/block/*/queue/discard_granularity \
    "$root"/sys/block/*/queue/discard_max_hw_bytes "$root"/sys/block/*/device/vendor "$root"/sys/block/*/device/model \
    "$root"/sys/block/*/device/serial "$root"/sys/block/*/device/sas_address "$root"/sys/block/*/device/sas_device_handle \
    "$root"/sys/block/*/*/start "$root"/sys/block/*/*/size "$root"/sys/block/*/dm/name
set -- "$root"/sys/devices/system/cpu/cpu[0-9]*
if [ $# -le 16 ]; then files cpus "$proc/cpuinfo"
elif part cpus && [ -r "$proc/cpuinfo" ]; then
    # The flags of one processor are enough: they are those of all, and most of the text.
    LC_ALL=C awk '/^flags/ { if (flags++) next } { print substr($0, 1, 8192) }' "$proc/cpuinfo" 2>/dev/null ||
        head -c 262144 "$proc/cpuinfo" 2>/dev/null
fi
print_files together

if part there; then
    for path in /usr/bin/rpm-ostree /usr/bin/yum /usr/bin/dnf /usr/bin/dnf-3 /usr/bin/dnf5 /usr/bin/microdnf \
        /usr/bin/apt-get /usr/bin/zypper /usr/sbin/urpmi /usr/bin/pacman /bin/opkg /usr/pkg/bin/pkgin \
        /opt/local/bin/pkgin /opt/tools/bin/pkgin /opt/local/bin/port /usr/local/bin/brew /opt/homebrew/bin/brew \
        /sbin/apk /usr/sbin/pkg /usr/sbin/swlist /usr/bin/emerge /usr/sbin/pkgadd /usr/bin/pkg /usr/bin/xbps-install \
        /usr/local/sbin/pkg /usr/bin/swupd /usr/sbin/sorcery /usr/bin/installp /run/ostree-booted \
        /run/systemd/system /dev/.run/systemd /dev/.systemd /etc/init /sbin/openrc /etc/init.d /etc/dinit.d \
        /proc/vz /proc/lve /proc/bc /proc/xen /.dockerenv /.dockerinit /dev/kvm /rhev \
        /sys/kernel/security/apparmor /sys/fs/selinux /sys/devices/virtual/dmi/id/product_name \
        /etc/altlinux-release /etc/vmware-release /etc/arch-release; do
        [ ! -e "$root$path" ] || printf '%s\n' "$path"
    done
    for program in systemctl initctl ip lsb_release; do
        ! command -v "$program" >/dev/null 2>&1 || printf '%s\n' "$program"
    done
    if [ / -ef /proc/1/root/. ]; then echo root; elif [ -e /proc/1/root/. ]; then echo chroot; fi
fi
# The links that say which device is which.
if part links; then
    ls -ldni / "$root"/sbin/init "$etc/products.d/baseproduct" "$root"/usr/bin/dnf "$root"/usr/bin/microdnf "$root"/sys/block/* \
        "$root"/sys/class/net/*/device "$root"/sys/class/net/*/device/driver/module "$root"/dev/disk/by-id/* \
        "$root"/dev/disk/by-uuid/* "$root"/dev/disk/by-label/* 2>/dev/null
fi

# Each program takes its millisecond: none is asked for what a file has said.
[ -r "$proc/sys/kernel/arch" ] || said machine uname -m
[ -r "$proc/sys/kernel/osrelease" ] || {
    said system uname -s
    said kernel uname -r
    said version uname -v
    said nodename uname -n
}
said bits getconf LONG_BIT
said date date '+%s %N %z %Z'
user=${LOGNAME:-$USER}
[ -n "$user" ] || user=$(id -un 2>/dev/null)
if [ -n "$user" ] && command -v getent >/dev/null 2>&1; then said user getent passwd "$user"
elif part user; then
    while IFS= read -r line; do
        case $line in "$user":*) printf '%s\n' "$line" ;; esac
    done <"$etc/passwd"
fi
if [ -r "$proc/sys/kernel/hostname" ]; then read -r name <"$proc/sys/kernel/hostname"; else name=$(uname -n); fi
case $name in
    '' | -*) ;;
    *)
        if command -v getent >/dev/null 2>&1; then
            if part fqdn; then
                address=$(getent ahosts "$name" 2>/dev/null)
                address=${address%%[!0-9a-fA-F:.]*}
                [ -z "$address" ] || getent hosts "$address" 2>/dev/null
            fi
        else said fullname hostname -f
        fi
        ;;
esac

lsb=yes
[ ! -r "$etc/os-release" ] || while IFS= read -r line; do
    # There it says what this file says, after a dozen programs.
    case $line in ID=debian | ID=ubuntu) lsb= ;; esac
done <"$etc/os-release"
[ -z "$lsb" ] || said lsb lsb_release -a
said caps capsh --print
[ ! -e /run/systemd/system ] || said systemd systemctl --version
[ ! -e "$root/usr/bin/apt-get" ] || [ ! -e "$root/usr/bin/rpm" ] || said apt rpm -q --whatprovides /usr/bin/apt-get
for program in "$python" /usr/bin/python3 /usr/libexec/platform-python python3 python; do
    command -v "$program" >/dev/null 2>&1 || continue
    # Its version is all that it is asked for: it need not be started wholly.
    if part python; then
        command -v "$program"
        "$program" -V 2>&1 </dev/null
    fi
    break
done

if part bridges; then printf '%s\n' "$root"/sys/class/net/*/brif/*; fi
if command -v ip >/dev/null 2>&1 && part addresses; then
    # One ip for all that it is asked for; busybox has no such way.
    answer=$(ip -o -force -batch - 2>/dev/null <<END
addr show
route get 8.8.8.8
route get 2404:6800:400a:800::1012
route show table local
END
)
    if [ -n "$answer" ]; then printf '%s\n' "$answer"
    else
        ip -o addr show 2>/dev/null </dev/null
        ip -4 route get 8.8.8.8 2>/dev/null </dev/null
        ip -6 route get 2404:6800:400a:800::1012 2>/dev/null </dev/null
        ip -4 route show table local 2>/dev/null </dev/null
    fi
    ip -6 route show table local 2>/dev/null </dev/null
fi
if part holders; then printf '%s\n' "$root"/sys/block/*/slaves/* "$root"/sys/block/*/holders/* "$root"/sys/block/*/*/holders/*; fi
if command -v lspci >/dev/null 2>&1; then
    case $(ls -ldn "$root"/sys/block/* 2>/dev/null) in
        */pci[0-9]*) said pci lspci -D ;;
    esac
fi
if command -v vgs >/dev/null 2>&1 && [ -w / ]; then
    for program in vgs lvs pvs; do
        LC_ALL=C said "$program" "$program" --noheadings --nosuffix --units g --separator ,
    done
fi
if part mounts && [ -r "$proc/mounts" ]; then
    while read -r device place rest; do
        case $device in
            /* | \\* | *:/*) ;;
            *) continue ;;
        esac
        name=mount:$place
        case $place in
            *\\*) place=$(printf %b "$(printf %s "$place" | sed 's/\\/\\0/g')") ;;
        esac
        said "$name" stat -f -c '%S %s %b %a %c %d' "$place"
        skip="$skip $name"
    done <"$proc/mounts"
fi
number=0
! part local || for path in "$fact_path"/*.fact; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    number=$((number + 1))
    part "local$number" || continue
    printf '\n%s local%s\n' "$word" "$number" >&2
    printf '%s\n' "$path"
    if [ ! -f "$path" ]; then echo no
    else
        if [ -x "$path" ]; then set -- "$path"; else set -- cat "$path"; fi
        echo said
        # What never ends is ended by the end of its reader.
        { "$@" </dev/null; printf "\n%s local%s code\n%s\n" "$word" "$number" "$?"; } | head -c 262144
    fi
done
printf '\n%s end\n' "$word"
