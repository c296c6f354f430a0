# Sees to it that rpm trusts a key, or doesn't: the one with that $identifier, at the $url, or in a file, as $key says.
for program in rpm gpg; do
    command -v "$program" >/dev/null 2>&1 || fail "This host has no $program"
done
export LC_ALL=C
file=$key
if [ -n "$url" ]; then
    tmp=$(mktemp) || fail "no temporary file can be made"
    file=$tmp
    if command -v curl >/dev/null 2>&1; then problem=$(curl -fsSL $insecure -o "$file" -- "$key" 2>&1)
    else problem=$(wget -qO "$file" -- "$key" 2>&1)
    fi || fail "failed to fetch key at $key: $problem"
fi
if [ -n "$identifier" ]; then id=$key
else
    [ -r "$file" ] || fail "$file can't be read"
    shown=$(gpg --no-tty --batch --show-keys --with-colons "$file" 2>/dev/null)
    id=$(printf '%s\n' "$shown" | awk -F: '$1 == "pub" { print $5; exit }')
    [ -n "$id" ] || fail "Not a valid key $key"
fi
if [ -n "$fingerprints" ]; then
    has=$(printf '%s\n' "$shown" | awk -F: '$1 == "fpr" { print $10 }')
    matches=
    for one in $fingerprints; do
        case "
$has
" in *"
$one
"*) matches=1 ;; esac
    done
    [ -n "$matches" ] || fail "The specified fingerprint, '$fingerprints', does not match any key fingerprints in '$has'"
fi
# rpm knows keys by the last eight letters of their identifiers.
short=$(printf '%s' "$id" | tr 'A-F' 'a-f' | tail -c 8)
is_there() { rpm -q gpg-pubkey --qf '%{VERSION}\n' 2>/dev/null | grep -q "$short$"; }
remove_key() { rpm --erase --allmatches "gpg-pubkey-$short"; }
if [ "$state" = present ]; then is_there || change rpm --import "$file"
else ! is_there || change remove_key
fi
[ -z "$tmp" ] || rm -f -- "$tmp"
say changed "$changed"
