# All that is in the directories that are this script's arguments, with what stat says; $depth is how deep it looks.
form='%f:%h:%u:%g:%s:%X:%Y:%Z:%i:%d:%U:%G:%n'
for directory do
    if [ ! -d "$directory" ]; then
        say_item skipped "$directory"
        say_item reasons "'$directory' is not a directory"
        [ -e "$directory" ] || say_item missing "$directory"
    fi
done
as_gnu=
if stat --printf '' / 2>/dev/null; then as_gnu=1
elif stat -c %f / >/dev/null 2>&1; then as_gnu=0
fi
say_json base "$([ -n "$as_gnu" ] && echo 16 || echo 8)"
say_json nul "$([ "$as_gnu" = 1 ] && echo true || echo false)"
say_json now "$(date +%s)"
say_rest found
for directory do
    [ -d "$directory" ] || continue
    set -- "${directory%/}/" -mindepth 1
    [ -z "$depth" ] || set -- "$@" -maxdepth "$depth"
    case $as_gnu in
        1) find $links "$@" -exec stat $deref --printf "$form\\0" -- {} + 2>/dev/null ;;
        0) find $links "$@" -exec stat $deref -c "$form" -- {} + 2>/dev/null ;;
        *) find $links "$@" -exec stat $deref -f '%p:%l:%u:%g:%z:%a:%m:%c:%i:%d:%Su:%Sg:%N' -- {} + 2>/dev/null ;;
    esac
done
