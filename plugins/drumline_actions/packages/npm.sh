# Packages of Node.js by npm, in the directory $path or $everywhere.
command -v "$executable" >/dev/null 2>&1 || fail "This host has no $executable"
export LC_ALL=C.UTF-8 NO_UPDATE_NOTIFIER=1 npm_config_fund=false npm_config_audit=false
if [ -n "$path" ]; then
    [ -d "$path" ] || { make_directory "$path"; [ -z "$check" ] || { say changed 1; exit 0; }; }
    cd -- "$path" || fail "$path is no directory"
fi
wanted=$name
[ -z "$version" ] || wanted=$name@$version
# Whether it is there; a file, a URL or a repository is known by the name of its package alone, so it is asked for anew.
has() {
    if [ -z "$name" ]; then
        [ -d node_modules ] && "$executable" ls --depth=0 $everywhere >/dev/null 2>&1
        return
    fi
    case $wanted in
        */*.tgz | /* | ./* | *:*) installed_from ;;
        *) "$executable" ls --depth=0 $everywhere -- "$wanted" 2>/dev/null | sed 1d | grep -q '@' ;; # the first line is the project itself
    esac
}
installed_from() {
    listed=$("$executable" ls --depth=0 --parseable --long $everywhere 2>/dev/null)
    file=$("$executable" view "$wanted" name --silent 2>/dev/null) || file=
    [ -n "$file" ] && printf '%s\n' "$listed" | grep -q ":$file@"
}
outdated() { ! "$executable" outdated $everywhere ${name:+"$name"} >/dev/null 2>&1; }
uninstall() { "$executable" uninstall $everywhere -- "$name"; }
case $state in
    absent) ! has || change uninstall ;;
    *)
        if [ -n "$ci" ]; then change "$executable" ci $options
        elif ! has; then change "$executable" install $options ${wanted:+"$wanted"}
        elif [ "$state" = latest ] && outdated; then
            if [ -n "$name" ]; then change "$executable" install $options "$name@latest"
            else change "$executable" update $options
            fi
        fi ;;
esac
say changed "$changed"
