# Unpacks $src in $dest, if what is there differs; web.sh stands ahead of it. The arguments are more options of tar or unzip.
drop() { leave; [ -z "$drop_src" ] || rm -f -- "$src"; }
refuse() { drop; fail "$1"; }

# The name of Ansible's for what reads it, by how it begins.
kind_of() {
    case $(head -c 6 -- "$1" | od -An -v -tx1 | tr -d ' \n') in
        504b*) echo ZipArchive ;;
        1f8b* | 1f9d*) echo TgzArchive ;;
        425a68*) echo TarBzipArchive ;;
        fd377a585a00*) echo TarXzArchive ;;
        28b52ffd*) echo TarZstdArchive ;;
        *) echo TarArchive ;;
    esac
}

# How tar is to decompress it, where it doesn't see that by itself.
compression() {
    case $handler in
        TgzArchive) echo -z ;;
        TarBzipArchive) echo -j ;;
        TarXzArchive) echo -J ;;
        TarZstdArchive) echo --zstd ;;
    esac
}

# each LIST COMMAND…: the command with one more word for each line of a list.
list_names() {
    if [ "$handler" = ZipArchive ]; then unzip -Z1 "$src" $includes 2>/dev/null || unzip -l "$src" | awk 'NR > 3 && NF > 3 { sub(/^ *[0-9]+ +[0-9-]+ +[0-9:]+ +/, ""); print }'
    else tar -t $packing -f "$src" $excluding $includes
    fi
}

# plain NAME: leaves in $file what tar shows as \303\274 where its language hasn't the letter, or as \n.
plain() {
    file=$1
    case $1 in *\\*) [ -z "$escapes" ] || file=$(printf "$(printf '%s' "$1" | sed 's/%/%%/g')x") && file=${file%x} ;; esac
}

# own NAME: what was unpacked belongs to whom the task says. What a link leads to may be anyone's, and is left alone.
own() {
    case /$1/ in */../*) return ;; esac
    if [ -L "$dest/$1" ]; then
        nofollow=-h
        attributes "$dest/$1" ''
        nofollow=
    elif [ -e "$dest/$1" ]; then attributes "$dest/$1" "$mode"
    fi
}

# Whether tar finds no difference; what is said about owners and modes counts only where the task doesn't set them.
same_by_tar() {
    differences=$(tar -d $packing -f "$src" -C "$dest" "$@" $excluding $includes 2>&1)
    code=$?
    ignoring='^$'
    [ -z "$owner" ] && [ "$(id -u)" = 0 ] || ignoring="$ignoring|: Uid differs\$"
    [ -z "$group" ] && [ "$(id -u)" = 0 ] || ignoring="$ignoring|: Gid differs\$"
    [ -z "$mode" ] || ignoring="$ignoring|: Mode differs\$"
    [ -z "$keep_newer" ] || ignoring="$ignoring|: Mod time differs\$"
    [ "$code" -le 1 ] || return 1
    ! printf '%s\n' "$differences" | grep -vE "$ignoring" | grep -q .
}

# Unpacked beside, each file is compared; of owners and modes nothing is known that way.
same_by_copy() {
    mkdir -- "$work/copy"
    unpack "$work/copy" "$@" >/dev/null 2>&1 || return 1
    differing=$(cd "$work/copy" && find . -type f -exec sh -c 'for file do cmp -s -- "$file" "$0/$file" || echo "$file"; done' "$dest" {} +)
    missing=$(cd "$work/copy" && find . -type d -exec sh -c 'for place do [ -d "$0/$place" ] || echo "$place"; done' "$dest" {} +)
    [ -z "$differing$missing" ]
}

unpack() {
    place=$1
    shift
    if [ "$handler" = ZipArchive ]; then
        if [ -n "$keep_newer" ]; then set -- -uo "$@"; else set -- -o "$@"; fi
        unzip "$@" "$src" $includes $zip_excluding -d "$place"
        [ $? -le 1 ]
    else
        [ -z "$keep_newer" ] || set -- --keep-newer-files "$@"
        tar -x $packing -f "$src" -C "$place" "$@" $excluding $includes
    fi
}

if [ -n "$excluding" ] && ! tar --exclude=x --help >/dev/null 2>&1 && ! tar --help 2>&1 | grep -q -e --exclude; then
    refuse "The tar of this host can't leave out files (exclude)"
fi
if [ -n "$creates" ] && { [ -e "$creates" ] || [ -L "$creates" ]; }; then
    drop
    say skipped 1
    say msg "skipped, since $creates exists"
    say changed ''
    exit 0
fi
if [ -n "$url" ]; then
    request
    [ "$status" = 200 ] || refuse "Failure downloading $url, ${trouble:-HTTP Error $status}"
    src=$work/content
fi
[ -e "$src" ] || refuse "Source '$src' does not exist"
[ -f "$src" ] && [ -r "$src" ] || refuse "Source '$src' not readable"
[ -s "$src" ] || refuse "Invalid archive '$src', the file is 0 bytes"
[ -d "$dest" ] || refuse "Destination '$dest' is not a directory"
dest=${dest%/}
[ -n "$dest" ] || dest=/
handler=$(kind_of "$src")
packing=$(compression)
if [ "$handler" = ZipArchive ]; then
    command -v unzip >/dev/null 2>&1 || refuse "This host has no unzip, which zip archives need"
else command -v tar >/dev/null 2>&1 || refuse "This host has no tar"
fi
set -f
names=$(list_names 2>&1) || refuse "Failed to find handler for \"$src\": $names"
same= escapes=
if [ "$handler" != ZipArchive ] && tar --version 2>/dev/null | grep -q GNU; then escapes=1; fi
if [ -n "$escapes" ]; then ! same_by_tar "$@" || same=1
else ! same_by_copy "$@" || same=1
fi
if [ -z "$same" ]; then
    changed=1
    if [ -z "$check" ]; then
        output=$(unpack "$dest" "$@" 2>&1) || refuse "failed to unpack $src to $dest: $output"
    fi
fi
if [ -n "$owner$group$mode" ]; then
    while IFS= read -r file; do
        plain "$file"
        [ -z "$file" ] || own "$file"
    done <<END
$names
END
fi
if [ -n "$list_files" ]; then
    while IFS= read -r file; do plain "$file" && [ -z "$file" ] || say_item files "$file"; done <<END
$names
END
fi
say handler "$handler"
say state directory
drop
report "$dest"
