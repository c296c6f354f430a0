# Loads or unloads the module $name of the kernel; $persistent says whether it is loaded at the next start, too.
plain=$(printf '%s' "$name" | tr - _)
loads=/etc/modules-load.d options=/etc/modprobe.d
built_in() {
    grep -q "/$plain\.ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null ||
        { [ -d "/sys/module/$plain" ] && [ ! -e "/sys/module/$plain/initstate" ]; }
}
loaded() { grep -q "^$plain " /proc/modules 2>/dev/null || [ -e "/sys/module/$plain/initstate" ]; }
need_modprobe() { command -v modprobe >/dev/null 2>&1 || fail "This host has no modprobe"; }
if [ "$state" = present ]; then
    if ! loaded && ! built_in; then
        need_modprobe
        change modprobe "$name" $params
    fi
elif loaded; then
    need_modprobe
    change modprobe -r "$name"
fi

# Files in which a line begins with these words.
with_line() { grep -lE "^[[:space:]]*$1([[:space:]]|\$)" "$2"/*.conf 2>/dev/null; }
commented() { sed "s/^[[:space:]]*\($1\([[:space:]].*\)\{0,1\}\)\$/#\1/" "$2"; }
comment_out() { rewrite_by "$2" 0644 commented "$1" "$2"; }
written() { printf '%s\n' "$1"; }
escaped=$(printf '%s' "$name" | sed 's/[].[\/*^$]/\\&/g')
case $persistent in
    present)
        [ -n "$(with_line "$escaped" $loads)" ] || change rewrite_by "$loads/$name.conf" 0644 written "$name"
        if [ -n "$params" ] && ! grep -qxF "options $name $params" "$options"/*.conf 2>/dev/null; then
            for file in $(with_line "options[[:space:]]*$escaped" $options); do
                change comment_out "options[[:space:]]*$escaped" "$file"
            done
            change rewrite_by "$options/$name.conf" 0644 written "options $name $params"
        fi ;;
    absent)
        for file in $(with_line "$escaped" $loads); do change comment_out "$escaped" "$file"; done
        for file in $(with_line "options[[:space:]]*$escaped" $options); do
            change comment_out "options[[:space:]]*$escaped" "$file"
        done ;;
esac
say changed "$changed"
