# Keeps a source of apt in a file of its own: what is $above and $below its key, which is at $url or in $key.
keyrings=/etc/apt/keyrings
dest=/etc/apt/sources.list.d/$slug.sources
command -v apt-get >/dev/null 2>&1 || fail "This host has no apt-get"
say dest "$dest"
if [ "$state" = absent ]; then
    say key_filename "$keyrings/$slug.gpg"
    for one in "$dest" "$keyrings/$slug.gpg" "$keyrings/$slug.asc"; do
        [ ! -e "$one" ] || change rm -f -- "$one"
    done
    say changed "$changed"
    exit 0
fi
download() {
    if command -v curl >/dev/null 2>&1; then curl -fsSL -o "$1" -- "$url"
    else wget -qO "$1" -- "$url"
    fi
}
keep_key() {
    mkdir -p "$keyrings" && cat "$tmp" >"$key.drumline.$$" && chmod 0644 "$key.drumline.$$" && mv -f -- "$key.drumline.$$" "$key"
}
if [ -n "$url" ]; then
    tmp=$(mktemp) || fail "no temporary file can be made"
    problem=$(download "$tmp" 2>&1) || fail "Could not fetch signed_by key: $problem"
    key=$keyrings/$slug.gpg
    ! head -n 1 "$tmp" | grep -q '^-----BEGIN PGP PUBLIC KEY BLOCK' || key=$keyrings/$slug.asc
    cmp -s "$tmp" "$key" || change keep_key
    rm -f -- "$tmp"
    tmp=
    above="${above}Signed-By: $key
"
fi
say key_filename "$key"
content() { printf '%s%s' "$above" "$below"; }
say repo "$above$below"
if ! content | cmp -s - "$dest"; then
    say_content before "$dest"
    change rewrite_by "$dest" "$mode" content
fi
attributes "$dest" "$mode"
report "$dest"
