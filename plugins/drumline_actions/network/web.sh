# One request by curl, or by wget where that is all there is. $curl and $wget are their settings, which hold secrets: these
# go by standard input or a file that only this user reads, and are in no command line. Only wget
# has the URL in its own.
umask_before=$(umask)
umask 077
work=$(mktemp -d 2>&1) || fail "no temporary directory can be made: $work"
umask "$umask_before"
trap 'rm -rf -- "$work"; rm -f -- "$tmp"; exit 143' HUP INT TERM

leave() { rm -rf -- "$work"; }
give_up() { leave; fail "$1"; }

# Whether the URL can be asked for by time: elsewhere curl answers with nothing, and success, where nothing is newer.
knows_times() {
    case $url in [hH][tT][tT][pP]:* | [hH][tT][tT][pP][sS]:*) command -v curl >/dev/null 2>&1 ;; *) return 1 ;; esac
}

# request WORDS…: leaves $status, $landed (the URL it came to), $work/headers and $work/content; $trouble if there was none.
request() {
    trouble= landed=$url
    : >"$work/headers"
    : >"$work/content"
    if command -v curl >/dev/null 2>&1; then request_by_curl "$@"
    elif command -v wget >/dev/null 2>&1; then request_by_wget
    else give_up "This host has neither curl nor wget"
    fi
}

# The URL as a setting, since it may hold a password, too.
quoted_url() { printf '%s' "$url" | tr -d '\r\n' | sed 's/[\\"]/\\&/g'; }

request_by_curl() {
    told=$(printf '%s\nurl = "%s"\n' "$curl" "$(quoted_url)" | curl -K - -sS -g -D "$work/headers" -o "$work/content" -w '%{http_code} %{url_effective}' "$@" 2>"$work/errors")
    code=$?
    status=${told%% *} landed=${told#* }
    if [ "$code" != 0 ]; then
        trouble=$(cat "$work/errors")
        trouble="Request failed: ${trouble#curl: }"
        status=-1
    elif [ "$status" = 000 ]; then status=200 # of a file or of FTP
    fi
}

request_by_wget() {
    # A connection that the server has closed meanwhile would be taken for the end, of what a redirect leads to for example.
    printf '%s\nhttp_keep_alive = off\n' "$wget" >"$work/wgetrc"
    set -- -q -S -O "$work/content"
    if wget --help 2>&1 | grep -q -e --content-on-error; then
        set -- "$@" --content-on-error --method="$method"
        [ ! -s "$work/body" ] || set -- "$@" --body-file="$work/body"
    elif [ "$method" = POST ]; then set -- "$@" --post-file="$work/body"
    elif [ "$method" != GET ]; then give_up "This host has no curl, and its wget knows no $method"
    fi
    WGETRC=$work/wgetrc wget "$@" -- "$url" 2>"$work/told"
    code=$?
    awk '/^  HTTP\// { print ""; print substr($0, 3) } /^  [A-Za-z0-9-]+:/ { print substr($0, 3) }' "$work/told" >"$work/headers"
    status=$(sed -n 's/^HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$work/headers" | tail -n 1)
    if [ -z "$status" ] && [ "$code" = 0 ]; then status=200; fi
    [ -n "$status" ] || { status=-1; trouble="Request failed: $(tail -n 1 "$work/told")"; }
}
