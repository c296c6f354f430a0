# Makes a file system of $fstype on $dev, lets it grow, or wipes what is there.
export LC_ALL=C
need() { command -v "$1" >/dev/null 2>&1 || fail "This host has no $1"; }
if [ ! -e "$dev" ]; then
    [ "$state" = present ] || { say changed ''; exit 0; }
    fail "Device $dev not found."
fi
need blkid
is=$(blkid -c /dev/null -o value -s TYPE "$dev" 2>/dev/null)
[ "$is" != LVM2_member ] || is=lvm
if [ "$state" = absent ]; then
    if [ -n "$is" ]; then
        need wipefs
        change wipefs --all "$dev"
    fi
    say changed "$changed"
    exit 0
fi

make() {
    forcing=
    case $fstype in
        ext*) [ -z "$uuid" ] || set -- -U "$uuid"; "mkfs.$fstype" -q -F $opts "$@" "$dev" ;;
        xfs) [ -z "$uuid" ] || set -- -m "uuid=$uuid"; mkfs.xfs -q -f $opts "$@" "$dev" ;;
        btrfs) [ -z "$uuid" ] || set -- -U "$uuid"; mkfs.btrfs -q -f $opts "$@" "$dev" ;;
        f2fs | bcachefs) "mkfs.$fstype" -q -f $opts "$dev" ;;
        reiserfs) mkfs.reiserfs -q -f $opts "$dev" ;;
        ocfs2) mkfs.ocfs2 -Fx $opts "$dev" ;;
        vfat) [ -z "$uuid" ] || set -- -i "$uuid"; mkfs.vfat $opts "$@" "$dev" ;;
        swap) [ -z "$uuid" ] || set -- -U "$uuid"; mkswap -f $opts "$@" "$dev" ;;
        lvm) [ -z "$uuid" ] || set -- --norestorefile --uuid "$uuid"; pvcreate -ff -y $opts "$@" "$dev" ;;
    esac
}
mounted_at() { awk -v dev="$dev" '$1 == dev { print $2; exit }' /proc/mounts; }
device_size() { blockdev --getsize64 "$dev" 2>/dev/null || wc -c <"$dev"; }
# The size that the file system has, in bytes.
own_size() {
    case $fstype in
        ext*) dumpe2fs -h "$dev" 2>/dev/null | awk '/^Block count:/ { n = $3 } /^Block size:/ { s = $3 } END { printf "%.0f", n * s }' ;;
        xfs) xfs_info "$place" 2>/dev/null | sed -n 's/^data *= *bsize=\([0-9]*\) *blocks=\([0-9]*\).*/\1 \2/p' | awk '{ printf "%.0f", $1 * $2 }' ;;
        btrfs) btrfs filesystem show --raw "$dev" 2>/dev/null | awk '/devid/ { print $4; exit }' ;;
        lvm) pvs --noheadings --units b --nosuffix -o dev_size,pv_size "$dev" 2>/dev/null | awk '{ printf "%.0f", $2 }' ;;
    esac
}
grow() {
    case $fstype in
        ext*)
            [ -n "$place" ] || e2fsck -f -p "$dev" >/dev/null
            resize2fs "$dev" ;;
        xfs) xfs_growfs "$place" ;;
        btrfs) btrfs filesystem resize max "$place" ;;
        lvm) pvresize "$dev" ;;
    esac
}
ensure_size() {
    place=$(mounted_at)
    case $fstype in
        ext* | lvm) ;;
        xfs | btrfs) [ -n "$place" ] || fail "$fstype filesystem on $dev must be mounted to be resized" ;;
        *) fail "module does not support resizing $fstype filesystem yet" ;;
    esac
    has=$(own_size)
    [ -n "$has" ] || fail "The size of the $fstype filesystem on $dev can't be found out"
    # What is less than a block, or lvm's extent of 4 MiB, isn't worth it.
    spare=65536
    [ "$fstype" != lvm ] || spare=8388608
    [ $(($(device_size) - has)) -lt "$spare" ] || change grow
}
if [ "$is" = "$fstype" ] && { [ -z "$force" ] || [ -n "$resizefs" ]; }; then
    [ -z "$resizefs" ] || ensure_size
elif [ -n "$is" ] && [ -z "$force" ]; then fail "'$dev' is already used as $is, use force=true to overwrite"
else
    case $fstype in
        swap) need mkswap ;;
        lvm) need pvcreate ;;
        *) need "mkfs.$fstype" ;;
    esac
    change make
fi
say changed "$changed"
