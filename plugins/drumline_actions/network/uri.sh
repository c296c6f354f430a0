# Asks $url and answers what came; with $dest it is put there. web.sh and place.sh stand ahead of it.
origin=host
[ -z "$has_body" ] || [ -n "$body_file" ] || cat >"$work/body"
[ -z "$body_file" ] || cp -- "$body_file" "$work/body" || give_up "$body_file can't be read"
[ -z "$drop_body" ] || rm -f -- "$body_file"
[ ! -e "$work/body" ] || set -- --data-binary "@$work/body"
if [ -f "$dest" ] && [ -z "$force" ] && knows_times; then set -- "$@" -z "$dest"; fi
began=$(date +%s)
request "$@"
say_json status "$status"
say_json elapsed $(($(date +%s) - began))
say url "$landed"
say trouble "$trouble"
say headers "$(tr -d '\000' <"$work/headers")"
case " $wanted " in *" $status "*) right=1 ;; *) right= ;; esac
if [ -n "$dest" ] && [ -n "$right" ] && [ "$status" != 304 ]; then
    if [ -d "$dest" ]; then dest=${dest%/}/$url_name; fi
    [ ! -L "$dest" ] || dest=$(readlink -f -- "$dest")
    sum_of sha1 "$work/content"
    checksum=$sum src=$work/content follow=1 name=$url_name force=1
    if [ -z "$check" ]; then
        settle
        place
        placed
    else
        ! needed || changed=1
        say path "$dest"
        say changed "$changed"
    fi
elif [ -n "$dest" ] && [ "$status" = 304 ]; then
    attributes "$dest" "$mode"
    report "$dest"
fi
if [ "$(wc -c <"$work/content")" -gt "$limit" ]; then
    if [ -n "$wants_content" ] || [ -z "$right" ]; then give_up "The answer has more than $limit bytes; dest takes any size"; fi
    leave
    exit 0
fi
say_rest content
cat "$work/content"
leave
