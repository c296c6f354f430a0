# The checksums of the files that are this script's arguments, by $algorithm.
for file do
    if [ -f "$file" ] && [ -r "$file" ]; then sum_of "$algorithm" "$file"; else sum=; fi
    say_item sums "$sum"
done
say changed ''
