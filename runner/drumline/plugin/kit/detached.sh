# Starts $text, read by sh, in the background: $jid, $limit in seconds, $known as JSON for later. Its input is this script's.
jobs=${ANSIBLE_ASYNC_DIR:-$HOME/.ansible_async}
case $jobs in "~/"*) jobs=$HOME/${jobs#??} ;; esac
j=$jobs/$jid
mask=$(umask)
umask 077
mkdir -p -- "$j" || fail "$j can't be made"
printf '%s' "$known" >"$j/known" && printf '%s\n' "$text" >"$j/text" && cat >"$j/in" || fail "$j can't be written"
# It runs in a session of its own, if it can, so that it outlives this connection and can be ended with its children.
cat >"$j/runner" <<'END'
j=$1 limit=$2 mask=$3 alone=$4
: >"$j/out" >"$j/err"
(umask "$mask"; exec $alone sh "$j/text" <"$j/in" >"$j/out" 2>"$j/err") &
job=$!
$alone sh -c 'sleep "$1"; : >"$2/late"; kill -9 "-$3" 2>/dev/null || kill -9 "$3"' sh "$limit" "$j" "$job" &
watch=$!
wait "$job"
code=$?
kill -9 "-$watch" 2>/dev/null || kill "$watch" 2>/dev/null
echo "$code" >"$j/code.new" && mv "$j/code.new" "$j/code"
rm -f -- "$j/text" "$j/in" "$j/runner"
END
alone=
if command -v setsid >/dev/null 2>&1; then alone=setsid; fi
(trap '' HUP; exec $alone sh "$j/runner" "$j" "$limit" "$mask" "$alone") </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
say results_file "$j"
