# Puts $paths without $excluded and what $patterns match into $dest; place.sh stands ahead of it. Lists have a name a line:
# names with line ends can't be archived.
line_end='
'
# expanded WORDS: the paths that they mean; one with wildcards that matches nothing is none.
expanded() {
    eval "set -- $1"
    for one do
        case $one in *[*?]*) [ -e "$one" ] || [ -L "$one" ] || continue ;; esac
        printf '%s\n' "${one%/}"
    done
}
each_item() { # NAME LIST
    IFS=$line_end
    set -f
    for one in $2; do say_item "$1" "$one"; done
    set +f
    unset IFS
}
all=$(expanded "$paths")
without=$(expanded "$excluded")
wanted=$(printf '%s\n' "$all" | { if [ -n "$without" ]; then grep -vxF -- "$without"; else cat; fi; } | grep . | LC_ALL=C sort -u)
[ -n "$wanted" ] || fail "Error, no source paths were found"

# The directory that all are in, with a slash.
root_of() {
    printf '%s\n' "$1" | awk '
        { sub(/[^\/]*$/, "")
          if (NR == 1) common = $0
          while (substr($0, 1, length(common)) != common) common = substr(common, 1, length(common) - 1) }
        END { sub(/[^\/]*$/, "", common); print common }'
}
root=$(root_of "$wanted")
many=$force_archive
case $wanted in *"$line_end"*) many=1 ;; esac
[ ! -d "$wanted" ] || many=1
eval "set -f; set -- $paths; set +f"
for one do case $one in *[*?]*) many=1 ;; esac; done
if [ -z "$dest" ]; then
    [ -z "$many" ] || fail "Error, must specify \"dest\" when archiving multiple files or trees"
    dest=$wanted.$format
fi

# The names of everything in them, relative to the root; whatever cannot be read or matches a pattern is left out.
left_out() {
    IFS=$line_end
    set -f
    for pattern in $patterns; do
        case $1 in $pattern) set +f; unset IFS; return 0 ;; esac
    done
    set +f
    unset IFS
    return 1
}
names_in() {
    printf '%s\n' "$wanted" | while IFS= read -r one; do
        [ -e "$one" ] || [ -L "$one" ] || continue
        find "$one" | LC_ALL=C sort | while IFS= read -r name; do
            [ "$name" != "$dest" ] || continue
            below=${name#"$root"}
            [ -n "$below" ] || continue
            [ -z "$patterns" ] || ! left_out "$below" || continue
            printf '%s\n' "$below"
        done
    done
}
missing=$(printf '%s\n' "$wanted" | while IFS= read -r one; do [ -e "$one" ] || [ -L "$one" ] || printf '%s\n' "$one"; done)
names=$(names_in)
each_item expanded_paths "$all"
each_item expanded_exclude_paths "$without"
each_item missing "$missing"
say arcroot "$root"
if [ -z "$names" ]; then
    if [ -e "$dest" ]; then say dest_state "$([ -n "$many" ] && echo archive || echo compress)"
    else say dest_state absent
    fi
    say dest "$dest"
    say changed ''
    exit 0
fi
if [ -n "$remove" ]; then
    IFS=$line_end
    set -f
    for one in $wanted; do
        case $dest in "$one"/*) fail "Error, created archive can not be contained in source paths when remove=true" ;; esac
    done
    set +f
    unset IFS
fi

need() { command -v "$1" >/dev/null 2>&1 || fail "This host has no $1, so it can't make such an archive"; }
compressed() {
    case $format in
        gz) gzip -n ;;
        bz2) bzip2 ;;
        xz) xz ;;
        *) cat ;;
    esac
}
# By names one by one; GNU's would take those that begin with - for options. busybox's takes whole directories alone.
make_tar() {
    case $(tar --version 2>&1) in
        *GNU*) printf '%s\n' "$names" | tar -c -f - --no-recursion --verbatim-files-from -T - ;;
        *bsdtar*) printf '%s\n' "$names" | tar -c -f - -n -T - ;;
        *)
            [ -z "$patterns" ] || { echo "this host's tar can't leave files out" >&2; return 1; }
            set --
            IFS=$line_end
            for one in $wanted; do
                [ ! -e "$one" ] || set -- "$@" "${one#"$root"}"
            done
            tar -c -f - -- "$@" ;;
    esac
}
make_archive() {
    if [ "$format" = zip ]; then
        (cd -- "${root:-.}" && printf '%s\n' "$names" | zip -q -X -y - -@ >"$made")
    elif [ -n "$many" ] || [ "$format" = tar ]; then
        { (cd -- "${root:-.}" && make_tar) || echo failed >"$made.failed"; } | compressed >"$made" && [ ! -e "$made.failed" ]
    else compressed <"$wanted" >"$made"
    fi && [ -s "$made" ]
}
case $format in
    gz) need gzip ;;
    bz2) need bzip2 ;;
    xz) need xz ;;
    zip) need zip ;;
esac
name=${wanted##*/}.$format
settle
case $dest in
    */*) directory=${dest%/*}/ ;;
    *) directory=./ ;;
esac
if [ -n "$check" ]; then made=$(mktemp) || fail "no temporary file can be made"
else
    look_for_leftovers "$directory"
    made=$(mktemp "$directory${own}XXXXXX" 2>&1) || fail "$made"
fi
tmp=$made
problem=$(make_archive 2>&1) || { rm -f -- "$made.failed"; fail "The archive can't be made: $problem"; }
sum_of sha1 "$made"
checksum=$sum origin=upload upload=$made tmp=
place
[ -z "$check" ] || rm -f -- "$made"
# Directories as a whole, and of all else only what is in the archive.
remove_all() {
    printf '%s\n' "$wanted" | while IFS= read -r one; do
        if [ ! -d "$one" ] || [ -L "$one" ]; then
            printf '%s\n' "$names" | grep -qxF -- "${one#"$root"}" || continue
        fi
        rm -rf -- "$one" || return 1
    done
}
if [ -n "$remove" ]; then
    say removed 1
    [ -n "$check" ] || try remove_all
fi
kind=compress
[ -z "$many" ] && [ "$format" != zip ] && [ "$format" != tar ] || kind=archive
[ -z "$missing" ] || kind=incomplete
say dest_state "$kind"
IFS=$line_end
set -f
for one in $names; do
    set +f
    say_item archived "$root$one"
done
unset IFS
placed
