# Makes locales of glibc available, or takes them away; the arguments are their names.
file=/etc/locale.gen
command -v locale-gen >/dev/null 2>&1 || fail "This host has no locale-gen: it is for Debian, Ubuntu and Arch (package locales)"
# As locale -a writes them: de_DE.utf8.
plain() { printf '%s' "$1" | awk '{ at = index($0, "."); if (!at) { print; next }
    rest = substr($0, at + 1); tail = ""
    mark = index(rest, "@"); if (mark) { tail = substr(rest, mark); rest = substr(rest, 1, mark - 1) }
    gsub(/-/, "", rest); print substr($0, 1, at) tolower(rest) tail }'; }
there=$(locale -a 2>/dev/null)
has() { printf '%s\n' "$there" | grep -qxF -- "$(plain "$1")"; }
supported() {
    name=$1 awk '{ sub(/^[# \t]+/, "") } $1 == ENVIRON["name"] { found = 1 } END { exit !found }' \
        "$file" /usr/share/i18n/SUPPORTED 2>/dev/null
}
line_of() { name=$1 awk '$1 == ENVIRON["name"] { print; exit }' /usr/share/i18n/SUPPORTED 2>/dev/null; }
# The file with each of the names as it is to be: its line uncommented, or commented.
edited() {
    names=$* state=$state awk '
        BEGIN { count = split(ENVIRON["names"], given, " "); for (i = 1; i <= count; i++) wanted[given[i]] = 1 }
        { bare = $0; sub(/^[# \t]+/, "", bare); split(bare, words, " ")
          if (words[1] in wanted && words[2] != "" && words[3] == "") {
              if (ENVIRON["state"] == "present") print bare
              else if ($0 ~ /^#/) print
              else print "# " bare
              seen[words[1]] = 1
          } else print }' "$file"
    [ "$state" = present ] || return 0
    for one do
        name=$one awk '{ sub(/^[# \t]+/, "") } $1 == ENVIRON["name"] { found = 1 } END { exit !found }' "$file" || line_of "$one"
    done
}
make_all() {
    if [ -e "$file" ]; then rewrite_by "$file" 0644 edited "$@" && locale-gen
    elif [ "$state" = present ]; then locale-gen "$@"
    else
        echo "on this host locales can't be taken away" >&2
        return 1
    fi
}
ubuntu=1
[ ! -e "$file" ] || ubuntu=
say ubuntu "$ubuntu"
missing=
for one do
    if [ -n "$ubuntu" ] || supported "$one"; then :; else missing="$missing $one"; fi
done
[ -z "$missing" ] || fail "The following locales you have entered are not available on your system:$missing"
for one do
    shift
    if [ "$state" = present ]; then has "$one" || set -- "$@" "$one"
    else ! has "$one" || set -- "$@" "$one"
    fi
done
[ $# = 0 ] || change make_all "$@"
say changed "$changed"
