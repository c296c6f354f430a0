# Sees to it that apt trusts a key, or doesn't: $id, in the file $file, at $url, on $keyserver, or in standard input ($piped).
command -v apt-key >/dev/null 2>&1 ||
    fail "This host has no apt-key: put the key into /etc/apt/keyrings and name it in the source (signed-by)"
set --
[ -z "$keyring" ] || set -- --keyring "$keyring"
export APT_KEY_DONT_WARN_ON_DANGEROUS_USAGE=1 LC_ALL=C
keys() { apt-key "$@" adv --list-public-keys --keyid-format=long --with-colons 2>/dev/null | awk -F: '$1 == "pub" || $1 == "sub" { print $5 }'; }
key_ids() { gpg --show-keys --with-colons "$1" 2>/dev/null | awk -F: '$1 == "pub" { print $5 }'; }
# The ids compared by as many letters as are given, at most 16.
normal() { printf '%s' "${1#0x}" | tr 'a-f' 'A-F' | tail -c 16; }
has() {
    for one in $all; do
        case $one in *"$1") return 0 ;; esac
    done
    return 1
}
work=$(mktemp -d) || fail "no temporary directory can be made"
leave() { rm -rf -- "$work"; }
give_up() { leave; fail "$1"; }
all=$(keys "$@")
for one in $all; do say_item before "$one"; done
source=
if [ -n "$piped" ]; then cat >"$work/key"; source=$work/key
elif [ -n "$file" ]; then source=$file
elif [ -n "$url" ]; then
    source=$work/key
    if command -v curl >/dev/null 2>&1; then problem=$(curl -fsSL $insecure -o "$source" -- "$url" 2>&1)
    else problem=$(wget -qO "$source" -- "$url" 2>&1)
    fi || give_up "Failed to download key at $url: $problem"
fi
short=$(normal "$id")
if [ -z "$short" ] && [ -n "$source" ]; then
    [ -r "$source" ] || give_up "$source can't be read"
    short=$(key_ids "$source" | head -n 1)
    [ -n "$short" ] || give_up "No key was found in it"
fi
add() {
    if [ -n "$source" ]; then apt-key "$@" add "$source"; else apt-key "$@" adv --no-tty --keyserver "$keyserver" --recv "$id"; fi
}
if [ "$state" = present ]; then
    if ! has "$short"; then
        if [ -z "$source" ] && [ -z "$keyserver" ]; then give_up "missing key_id: nothing says where the key $id is"; fi
        changed=1
        if [ -z "$check" ]; then
            problem=$(add "$@" 2>&1) || give_up "Error fetching or adding the key: $problem"
            all=$(keys "$@")
            has "$short" || give_up "The key $id isn't the one that was given"
        fi
    fi
elif has "$short"; then
    changed=1
    if [ -z "$check" ]; then problem=$(apt-key "$@" del "$short" 2>&1) || give_up "$problem"; fi
fi
for one in $(keys "$@"); do say_item after "$one"; done
say id "${id:-$short}"
say key_id "$short"
say short_id "$(printf '%s' "$short" | tail -c 8)"
say fp "${id:-$short}"
leave
say changed "$changed"
