# Answers $question of the package $name by the line in standard input, if it hasn't this answer. Answers stay out of lists
# of processes: some are passwords.
command -v debconf-show >/dev/null 2>&1 || fail "This host has no debconf"
line=$(cat)
shown=$(debconf-show "$name" 2>&1) || fail "$shown"
say shown "$shown"
sorted() { printf '%s\n' "$1" | tr ',' '\n' | sed 's/^ *//; s/ *$//' | sort; }
# Whether the answer is there already. Passwords are shown by debconf-communicate alone.
answered() {
    said=$(printf '%s\n' "$shown" | sed 's/^..//' | question=$question awk '
        index($0, ENVIRON["question"] ":") == 1 { print "=" substr($0, length(ENVIRON["question"]) + 3) }')
    [ -n "$said" ] || return 1
    value=${line#"$name $question $vtype"}
    value=${value# }
    case $vtype in
        password)
            has=$(echo "GET $question" | debconf-communicate "$name" 2>/dev/null)
            [ "$has" = "0 $value" ] ;;
        multiselect) [ "$(sorted "${said#=}")" = "$(sorted "$value")" ] ;;
        *) [ "${said#=}" = "$value" ] ;;
    esac
}
set_answer() {
    if [ -n "$unseen" ]; then printf '%s\n' "$line" | debconf-set-selections -u
    else printf '%s\n' "$line" | debconf-set-selections
    fi
}
[ -z "$question" ] || answered || change set_answer
say changed "$changed"
