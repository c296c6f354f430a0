# What the files that are this script's arguments hold: each with its name and its size ahead of it.
say_rest files
for file do
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
    size=$(($(wc -c <"$file")))
    printf '%s\0%s\0' "$file" "$size"
    head -c "$size" <"$file"
done
