# Makes the folders that are this script's arguments; answers whether any was missing.
tmp= changed= deref= nofollow=
for folder do make_folder "$folder"; done
say changed "$changed"
