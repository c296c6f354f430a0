# What became of the job $jid in the background; with $erase what it left is removed.
jobs=${ANSIBLE_ASYNC_DIR:-$HOME/.ansible_async}
case $jobs in "~/"*) jobs=$HOME/${jobs#??} ;; esac
j=$jobs/$jid
say results_file "$j"
[ -d "$j" ] || { say missing 1; exit 0; }
if [ -n "$erase" ]; then
    try rm -rf -- "$j"
    exit 0
fi
[ -f "$j/code" ] || exit 0
say code "$(cat "$j/code")"
[ ! -f "$j/late" ] || say late 1
say cmd "$(cat "$j/cmd")"
for stream in out err; do
    printf '%s=' "$stream"
    tr -d '\000' <"$j/$stream"
    printf '\0'
done
