# Chooses $path for $name among programs that do the same. The arguments are links that follow it: link, name and path of each.
export LC_ALL=C
if command -v update-alternatives >/dev/null 2>&1; then program=update-alternatives
elif command -v alternatives >/dev/null 2>&1; then program=alternatives
else fail "This host has neither update-alternatives nor alternatives"
fi
shown=$("$program" --display "$name" 2>/dev/null)
current=$(printf '%s\n' "$shown" | sed -n 's/^ *link currently points to //p' | head -n 1)
has_path() { printf '%s\n' "$shown" | grep -qE "^$(printf '%s' "$path" | sed 's/[].[\/*^$+?(){}|]/\\&/g') - "; }
has_priority() { printf '%s\n' "$shown" | grep -qE "^$(printf '%s' "$path" | sed 's/[].[\/*^$+?(){}|]/\\&/g') - .*priority $priority\$"; }
# The links that follow a path, as the program shows them: NAME: PATH.
followers() {
    printf '%s\n' "$shown" | path=$path awk '
        index($0, ENVIRON["path"] " - ") == 1 { inside = 1; next }
        /^[^ \t]/ { inside = 0 }
        inside { sub(/^[ \t]*(slave|follower)[ \t]+/, ""); print }' | sort
}
wanted_followers() {
    while [ $# != 0 ]; do
        printf '%s: %s\n' "$2" "$3"
        shift 3
    done | sort
}
is_known() {
    has_path || return 1
    [ -z "$priority" ] || has_priority || return 1
    [ $# = 0 ] || [ "$(followers)" = "$(wanted_followers "$@")" ]
}
install_path() {
    [ -n "$link" ] || link=$(printf '%s\n' "$shown" | sed -n "s/^ *link $name is //p" | head -n 1)
    [ -n "$link" ] || { echo "Needed to install the alternative, but unable to do so as we are missing the link" >&2; return 1; }
    if [ -z "$priority" ]; then
        priority=$(printf '%s\n' "$shown" | path=$path awk 'index($0, ENVIRON["path"] " - ") == 1 { print $NF }')
    fi
    count=$#
    while [ "$count" -gt 0 ]; do
        set -- "$@" --slave "$1" "$2" "$3"
        shift 3
        count=$((count - 3))
    done
    [ -z "$family" ] || set -- "$@" --family "$family"
    "$program" --install "$link" "$name" "$path" "${priority:-50}" "$@"
}
done_it() { say_item done "$1 for '$name'."; }
if [ "$state" = absent ]; then
    if has_path; then
        say_item done "Remove alternative '$path' from '$name'."
        change "$program" --remove "$name" "$path"
    fi
    say changed "$changed"
    exit 0
fi
if [ -n "$path" ]; then
    [ -e "$path" ] || fail "Specified path $path does not exist"
    if ! is_known "$@"; then
        [ -n "$link$shown" ] || fail "Needed to install the alternative, but unable to do so as we are missing the link"
        done_it "Install alternative '$path'"
        change install_path "$@"
    fi
fi
is_auto() { case $shown in *'auto mode'* | *'status is auto'*) return 0 ;; esac; return 1; }
case $state in
    selected)
        if [ "$current" != "$path" ]; then
            done_it "Set alternative '$path'"
            change "$program" --set "$name" "$path"
        fi ;;
    auto)
        if [ -n "$shown" ] && ! is_auto; then
            done_it "Set alternative to auto"
            change "$program" --auto "$name"
        fi ;;
esac
say changed "$changed"
