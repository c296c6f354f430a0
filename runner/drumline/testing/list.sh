# Says what is in the directory $path, at any depth, in order: names relative to it, and what each is.
list() {
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ -e "$entry" ] || [ -L "$entry" ] || continue
        say_item names "${entry#"$path"/}"
        what=$(status "$entry")
        if [ -L "$entry" ]; then say_item kinds "link $(readlink -- "$entry")"
        elif [ -d "$entry" ]; then
            say_item kinds "directory ${what%%:*}"
            list "$entry"
        elif [ -f "$entry" ]; then say_item kinds "file ${what%%:*}"
        else say_item kinds "special ${what%%:*}"
        fi
    done
}
list "$path"
say path "$path"
