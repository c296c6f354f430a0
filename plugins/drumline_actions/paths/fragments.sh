# What the files in the directory $src hold: each with its name and its size ahead of it.
[ -e "$src" ] || fail "Source ($src) does not exist"
[ -d "$src" ] || fail "Source ($src) is not a directory"
say_rest files
for file in "$src"/* "$src"/.[!.]* "$src"/..?*; do
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
    size=$(($(wc -c <"$file")))
    printf '%s\0%s\0' "$file" "$size"
    head -c "$size" <"$file"
done
