# Makes the directory $base and those in it that are this script's arguments; answers whether any was missing.
make_directory "$base"
for directory do make_directory "$base/$directory"; done
say changed "$changed"
