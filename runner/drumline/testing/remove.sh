# Removes the directory $path with all that is in it.
try rm -rf -- "$path"
say path "$path"
