# Keeps the volume $name in the group $vg: a volume, a snapshot of $origin, or what is thin. The arguments are devices.
for program in vgs lvs lvcreate; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program: install the package lvm2"
done
export LC_ALL=C
numbers() { "$@" --noheadings --units b --nosuffix 2>/dev/null | tr -d ' '; }
extent=$(numbers vgs -o vg_extent_size "$vg")
if [ -z "$extent" ]; then
    [ "$state" = present ] || { say changed ''; exit 0; }
    fail "Volume group $vg does not exist."
fi
has=$(numbers lvs -o lv_size "$vg/$name")
if [ "$state" = absent ]; then
    if [ -n "$has" ]; then
        [ -n "$force" ] || fail "Sorry, no removal of logical volume $name without force=true."
        change lvremove --force "$vg/$name"
    fi
    say changed "$changed"
    exit 0
fi
# Bytes that a share or a size mean, in whole extents.
wanted() {
    if [ -n "$size" ]; then echo $(((size + extent - 1) / extent * extent))
    else
        whole=${share#*%}
        case $whole in
            VG | PVS) base=$(numbers vgs -o vg_size "$vg") ;;
            FREE) base=$(numbers vgs -o vg_free "$vg") ;;
            ORIGIN) base=$(numbers lvs -o lv_size "$vg/$origin") ;;
        esac
        echo $((base * ${share%%%*} / 100 / extent * extent))
    fi
}
amount() { if [ -n "$size" ]; then printf -- "-L$1%sb" "$size"; else printf -- "-l$1%s" "$share"; fi; }
create() {
    case $kind in
        snapshot) lvcreate -y -s -n "$name" $(amount '') $opts "$vg/$origin" ;;
        pool) lvcreate -y $(amount '') -T "$vg/$pool" $opts "$@" ;;
        thin) lvcreate -y -n "$name" -V "${size}b" -T "$vg/$pool" $opts ;;
        *) lvcreate -y -n "$name" $(amount '') $opts "$vg" "$@" ;;
    esac
}
resize() { lvresize -y -f $resizefs "$1" "$vg/$name"; }
fit() {
    goal=$(wanted)
    case $sign in
        +) goal=$((has + goal)) ;;
        -) goal=$((has - goal)) ;;
        *) case $share in *FREE) goal=$((has + goal)) ;; esac ;;
    esac
    if [ "$goal" -gt "$has" ]; then
        change resize "-L${goal}b"
    elif [ "$goal" -lt "$has" ] && [ -n "$shrink" ]; then
        [ "$goal" -gt 0 ] || fail "Sorry, no shrinking of $name to 0 permitted."
        [ -n "$force" ] || fail "Sorry, no shrinking of $name without force=true."
        change resize "-L${goal}b"
    fi
}
if [ -z "$has" ]; then
    [ -n "$size$share" ] || { [ "$kind" = snapshot ] && share=100%ORIGIN; } || fail "No size given."
    [ -z "$sign" ] || fail "$name isn't there, so that its size can't be changed by $sign$size$share"
    change create "$@"
elif [ -n "$size$share" ] && [ "$kind" != snapshot ]; then fit
fi
if [ -n "$has" ]; then
    is=$(lvs --noheadings -o lv_attr "$vg/$name" | awk '{ print substr($1, 5, 1) }')
    if [ -n "$active" ]; then [ "$is" = a ] || change lvchange -ay "$vg/$name"
    else [ "$is" != a ] || change lvchange -an "$vg/$name"
    fi
fi
say changed "$changed"
