# What became of the job $jid in the background; with $erase what it left is removed. Of each output $limit bytes are told.
jobs=${ANSIBLE_ASYNC_DIR:-$HOME/.ansible_async}
case $jobs in "~/"*) jobs=$HOME/${jobs#??} ;; esac
j=$jobs/$jid
say results_file "$j"
[ -d "$j" ] || { say missing 1; exit 0; }
if [ -n "$erase" ]; then
    change rm -rf -- "$j"
    exit 0
fi
[ -f "$j/code" ] || exit 0
say code "$(cat "$j/code")"
[ ! -f "$j/late" ] || say late 1
say known "$(cat "$j/known")"
cut=0
# told STREAM: how many bytes of it are told, in $told.
told() {
    told=$(($(wc -c <"$j/$1")))
    [ "$told" -le "$limit" ] || { cut=$((cut + told - limit)); told=$limit; }
}
told err
told out
say cut "$cut"
say size "$told"
say_rest outputs
for stream in out err; do head -c "$limit" <"$j/$stream"; done
