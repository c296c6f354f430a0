# Carries out $words of parted on $device, if there are any, and says what is there then.
command -v parted >/dev/null 2>&1 || fail "This host has no parted"
export LC_ALL=C
[ -e "$device" ] || fail "Device $device not found."
if [ -n "$words" ]; then
    eval "set -- $words"
    problem=$(parted -s -m $align "$device" -- "$@" 2>&1 </dev/null) || fail "Error while running parted: $problem"
fi
# A disk without a table is an error for parted, and is described all the same.
shown=$(parted -s -m "$device" -- unit "$unit" print 2>/dev/null)
say shown "$shown"
