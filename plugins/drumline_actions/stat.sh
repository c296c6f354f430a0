# All that stat tells of $path.
[ -z "$follow" ] || deref=-L
say path "$path"
[ -e "$path" ] || [ -L "$path" ] || exit 0
# A link that leads nowhere is told of as a link, whatever was asked.
[ -e "$path" ] || deref=
if raw=$(stat $deref -c '%f:%h:%u:%g:%s:%X:%Y:%Z:%i:%d:%b:%U:%G' -- "$path" 2>/dev/null); then say base 16
elif raw=$(stat $deref -f '%p:%l:%u:%g:%z:%a:%m:%c:%i:%d:%b:%Su:%Sg' -- "$path" 2>&1); then say base 8
else fail "$raw"
fi
say raw "$raw"
[ ! -r "$path" ] || say readable 1
[ ! -w "$path" ] || say writeable 1
[ ! -x "$path" ] || say executable 1
if [ -z "$deref" ] && [ -L "$path" ]; then
    say lnk_target "$(readlink -- "$path")"
    say lnk_source "$(readlink -f -- "$path")"
elif [ -n "$get_checksum" ] && [ -f "$path" ] && [ -r "$path" ]; then
    sum_of "$algorithm" "$path"
    say checksum "$sum"
fi
if [ -n "$get_mime" ]; then
    follow_link=
    [ -z "$deref" ] || follow_link=-L
    mime=$(file -b $follow_link --mime-type -- "$path" 2>/dev/null) || mime=unknown
    say mimetype "$mime"
    mime=$(file -b $follow_link --mime-encoding -- "$path" 2>/dev/null) || mime=unknown
    say charset "$mime"
fi
if [ -n "$get_attributes" ] && attributes=$(lsattr -vd -- "$path" 2>/dev/null); then
    set -- $attributes
    say version "$1"
    say attr_flags "$2"
fi
