# Waits, for $timeout seconds at most, until $port of $address or $path is as $state says.

# Nothing that says nothing, never ends or never stops talking may hold this up.
patient() { if command -v timeout >/dev/null 2>&1; then timeout "$limit" "$@"; else "$@"; fi; }

# How much time there is for what comes next: to connect, and in all.
bounds() {
    now
    elapsed=$((now - begin))
    left=$((timeout - elapsed))
    [ "$left" -ge 1 ] || left=1
    connect=$connect_timeout
    [ "$connect" -le "$left" ] || connect=$left
    case $search_regex,$state in
        ,* | *,stopped | *,absent) limit=$connect ;;
        *) limit=$left ;;
    esac
}

# What connects: bash, python3, perl or nc, whichever this host has. With $search_regex it prints its own process's number
# and then what the port says.
if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    dial() {
        patient bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1; [ -z "$3" ] || { echo $$; exec cat <&3; }' - "$address" "$port" "$search_regex" 2>/dev/null
    }
elif command -v python3 >/dev/null 2>&1; then
    dial() {
        python3 -c '
import os, signal, socket, sys
signal.alarm(int(sys.argv[5]))
try: link = socket.create_connection(sys.argv[1:3], float(sys.argv[4]))
except OSError: sys.exit(1)
if sys.argv[3]: print(os.getpid(), flush=True)
link.settimeout(None)
try:
 while sys.argv[3]:
  data = link.recv(4096)
  if not data: break
  sys.stdout.buffer.write(data); sys.stdout.flush()
except OSError: pass
' "$address" "$port" "$search_regex" "$connect" "$limit" 2>/dev/null
    }
elif command -v perl >/dev/null 2>&1; then
    dial() {
        perl -MIO::Socket::INET -e '
my ($host, $port, $read, $connect, $limit) = @ARGV;
alarm $limit;  # without a handler: Perl would call it only when the name servers have answered
my $link = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => $connect) or exit 1;
$| = 1; print "$$\n" if $read ne ""; alarm $limit;
while ($read ne "" && sysread($link, my $data, 4096)) { print $data }
' "$address" "$port" "$search_regex" "$connect" "$limit" 2>/dev/null
    }
elif command -v nc >/dev/null 2>&1; then
    # Without -z (busybox) nc stays for as long as the port is open: to be ended after its own -w is as good as a 0.
    if nc -h 2>&1 | grep -q -e -z; then quick=-z; else quick=; fi
    dial() {
        if [ -n "$search_regex" ]; then
            patient sh -c 'echo $$; exec nc -w "$@"' - "$limit" "$address" "$port" </dev/null 2>/dev/null
        elif [ -n "$quick" ]; then patient nc -z -w "$connect" "$address" "$port" </dev/null >/dev/null 2>&1
        else
            limit=$((limit + 1))
            patient nc -w "$connect" "$address" "$port" </dev/null >/dev/null 2>&1
            [ $? -ne 1 ]
        fi
    }
elif [ -n "$port" ]; then
    fail "This host has none of bash (with timeout), python3, perl and nc, so it can't try a port"
fi

# Python's expressions are read best by grep -P, where there is one.
if printf x | grep -P x >/dev/null 2>&1; then flavour=-P; else flavour=-E; fi
matches() { patient grep -a -q $flavour -e "$search_regex" "$@" 2>/dev/null; }
[ -z "$search_regex" ] || echo x | grep $flavour -e "$search_regex" >/dev/null 2>&1
[ $? -le 1 ] || fail "search_regex isn't an expression that this host's grep $flavour understands: $search_regex"

# A port that goes on talking, or is silent, isn't listened to any longer than it takes.
hears() {
    read -r dialer
    matches
    found=$?
    kill "$dialer" 2>/dev/null
    return $found
}

there() {
    if [ -n "$path" ]; then
        if [ -n "$search_regex" ]; then matches "$path"; else [ -e "$path" ] || [ -L "$path" ]; fi
    elif [ -n "$search_regex" ]; then dial | hears
    else dial
    fi
}

now
begin=$now
while :; do
    bounds
    case $state in
        started | present) if there; then break; fi ;;
        *) there || break ;;
    esac
    bounds
    if [ "$elapsed" -ge "$timeout" ]; then
        say elapsed "$elapsed"
        say late 1
        exit 0
    fi
    [ "$pause" -le "$left" ] || pause=$left
    sleep "$pause"
done
bounds
say elapsed "$elapsed"
