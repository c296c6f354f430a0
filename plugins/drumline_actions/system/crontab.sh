# The crontab in $file, or that of $user: what it holds, or with $since what it is to hold, in standard input.
cron() {
    if [ -n "$user" ]; then crontab -u "$user" "$@"; else crontab "$@"; fi
}
work=$(mktemp) || fail "no temporary file can be made"
tmp=$work
if [ -n "$file" ]; then [ ! -e "$file" ] || cat -- "$file" >"$work" || fail "$file can't be read"
else
    command -v crontab >/dev/null 2>&1 || fail "Failed to find required executable \"crontab\" in paths: $PATH"
    problem=$(cron -l 2>&1 >"$work") || case $problem in *'no crontab'* | *"can't open"*) : >"$work" ;; *) fail "Unable to read crontab: $problem" ;; esac
fi
sum_of sha1 "$work"
if [ -z "$since" ]; then
    say checksum "$sum"
    say_json exists "$([ -z "$file" ] || [ -e "$file" ] && echo true || echo false)"
    say_rest content
    cat "$work"
    rm -f "$work"
    exit 0
fi
[ "$sum" = "$since" ] || fail "The crontab was changed by someone else meanwhile, so it was left alone: run again"
if [ -n "$backup" ]; then
    backup_file=$(mktemp "${TMPDIR:-/tmp}/crontabXXXXXX") || fail "no temporary file can be made"
    cat "$work" >"$backup_file"
    say backup_file "$backup_file"
fi
cat >"$work"
if [ -n "$file" ]; then
    rewrite_by "$file" 0644 cat -- "$work" 2>/dev/null || fail "$file can't be written"
else try cron "$work"
fi
rm -f "$work"
tmp=
say changed 1
