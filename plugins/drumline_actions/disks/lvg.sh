# Keeps the group of volumes $vg. The arguments are the devices that it is to be made of.
for program in vgs pvs vgcreate; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program: install the package lvm2"
done
export LC_ALL=C
for device do [ -e "$device" ] || fail "Device $device not found."; done
group_of() { pvs --noheadings -o vg_name "$1" 2>/dev/null | tr -d ' '; }
is_volume() { pvs "$1" >/dev/null 2>&1; }
has_group() { vgs "$vg" >/dev/null 2>&1; }
volumes() { vgs --noheadings -o lv_count "$vg" 2>/dev/null | tr -d ' '; }
current() { pvs --noheadings -o pv_name,vg_name 2>/dev/null | awk -v vg="$vg" '$2 == vg { print $1 }'; }
true_name() { readlink -f -- "$1" || echo "$1"; }
if [ "$state" = absent ]; then
    if has_group; then
        [ "$(volumes)" = 0 ] || [ -n "$force" ] || fail "Cannot remove non-empty volume group $vg without force=true"
        change vgremove --force "$vg"
    fi
    say changed "$changed"
    exit 0
fi
for device do
    other=$(group_of "$device")
    [ -z "$other" ] || [ "$other" = "$vg" ] || fail "Device $device is already in $other volume group."
done
prepare() { is_volume "$1" || change pvcreate $pv_options -f -y "$1"; }
if ! has_group; then
    [ $# != 0 ] || fail "No physical volumes given."
    for device do prepare "$device"; done
    change vgcreate $vg_options -s "$pesize" "$vg" "$@"
elif [ $# != 0 ]; then
    has=$(current)
    for device do
        shift
        case "
$has
" in *"
$device
"* | *"
$(true_name "$device")
"*) [ -z "$pvresize" ] || [ -n "$check" ] || {
                before=$(pvs --noheadings --units b -o pv_size "$device")
                try pvresize "$device"
                [ "$before" = "$(pvs --noheadings --units b -o pv_size "$device")" ] || changed=1
            } ;;
            *)
                prepare "$device"
                change vgextend "$vg" "$device" ;;
        esac
        set -- "$@" "$device"
    done
    if [ -n "$remove_extra_pvs" ]; then
        wanted=" "
        for device do wanted="$wanted$device $(true_name "$device") "; done
        for device in $has; do
            case $wanted in *" $device "*) ;; *) change vgreduce --force "$vg" "$device" ;; esac
        done
    fi
fi
set_state() {
    # a in the fifth place of a volume's attributes: it is in use.
    on=$(lvs --noheadings -o lv_attr "$vg" 2>/dev/null | awk '{ print substr($1, 5, 1) }' | sort -u | tr -d '\n')
    case $state:$on in
        active:a | inactive:- | *:) ;;
        active:*) change vgchange --activate y "$vg" ;;
        inactive:*) change vgchange --activate n "$vg" ;;
    esac
}
case $state in active | inactive) set_state ;; esac
if [ -n "$reset_vg_uuid" ]; then change vgchange -u "$vg"; fi
if [ -n "$reset_pv_uuid" ]; then
    for device in $(current); do change pvchange -u "$device"; done
fi
say changed "$changed"
