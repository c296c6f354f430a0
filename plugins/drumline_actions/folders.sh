# Makes the folder $base and those in it that are this script's arguments; answers whether any was missing.
tmp= changed= deref= nofollow=
make_folder "$base"
for folder do make_folder "$base/$folder"; done
say changed "$changed"
