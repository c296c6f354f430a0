# Turns the switch $name of SELinux's policy on or off ($wanted), for good where it is $persistent.
for program in getsebool setsebool; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program: SELinux's programs aren't installed"
done
if [ -z "$offline" ] && command -v selinuxenabled >/dev/null 2>&1 && ! selinuxenabled; then
    fail "SELinux is disabled on this host."
fi
# Now, and after the next start: on or off each. semanage knows the second.
now=$(getsebool "$name" 2>/dev/null | sed -n 's/.*--> //p')
later=$now
if [ -n "$persistent" ] && command -v semanage >/dev/null 2>&1; then
    listed=$(semanage boolean -l -n 2>/dev/null | awk -v name="$name" '$1 == name { gsub(/[(),]/, " "); print $2, $3; exit }')
    if [ -n "$listed" ]; then
        now=${listed% *} later=${listed#* }
    fi
fi
[ -n "$now" ] || fail "SELinux boolean $name does not exist."
if [ "$now" != "$wanted" ] || { [ -n "$persistent" ] && [ "$later" != "$wanted" ]; }; then
    differs "$name" "$now" "$wanted"
    if [ -n "$persistent" ]; then change setsebool -P "$name" "$wanted"
    else change setsebool "$name" "$wanted"
    fi
fi
say changed "$changed"
