# Packages of Red Hat and its kin, by rpm_packages. $manager is dnf, dnf5 or yum; the arguments are names.
export LC_ALL=C.UTF-8 LANG=C.UTF-8

find_rpm_manager() {
    for manager in $1; do
        ! command -v "$manager" >/dev/null 2>&1 || return 0
    done
    fail "This host has none of these: $1"
}

run_rpm_manager() {
    log=$(mktemp) || fail "no temporary file can be made"
    output=$("$manager" -y $rpm_options "$@" 2>"$log" </dev/null)
    code=$?
    errors=$(cat "$log")
    rm -f "$log"
}

act_by_rpm() {
    was_changed=$changed changed=1
    [ -z "$check" ] || return 0
    run_rpm_manager "$@"
    results=$results$output
    if [ "$code" != 0 ]; then
        say_json rc "$code"
        say results "$output"
        fail "'$manager $*' failed: ${errors:-$output}"
    fi
    case $output in *'Nothing to do'*) changed=$was_changed ;; esac
}

# Names, groups (@NAME), files, and what packages provide.
rpm_has() {
    case $1 in
        @*) "$manager" -q $rpm_options group list --installed 2>/dev/null | sed 's/^ *//' | grep -qixF -- "${1#@}" ;;
        *://* | */*.rpm | *.rpm)
            [ -e "$1" ] || return 1
            rpm -q -- "$(rpm -qp --qf '%{NAME}-%{VERSION}-%{RELEASE}' -- "$1" 2>/dev/null)" >/dev/null 2>&1 ;;
        *'*'* | *'?'*) [ -n "$(rpm -qa -- "$1" 2>/dev/null)" ] ;;
        *) rpm -q $root -- "$1" >/dev/null 2>&1 || rpm -q $root --whatprovides -- "$1" >/dev/null 2>&1 ;;
    esac
}

# What isn't there of the arguments, or, with absent, what is.
choose_by_rpm() {
    count=$#
    while [ "$count" -gt 0 ]; do
        if rpm_has "$1"; then is=present; else is=absent; fi
        [ "$is" = "$wanted" ] || set -- "$@" "$1"
        shift
        count=$((count - 1))
    done
    chosen=$#
    [ $# = 0 ] || act_by_rpm "$verb" "$@"
}

# latest: what there is to update of these, and what isn't there. dnf installs nothing over an older version unless it is
# set to (best).
newest_by_rpm() {
    count=$# newer=
    while [ "$count" -gt 0 ]; do
        if ! rpm_has "$1" && [ -z "$update_only" ]; then set -- "$@" "$1"
        elif [ "$1" = '*' ] || rpm_has "$1"; then
            if [ "$1" = '*' ]; then updates=$("$manager" -q $rpm_options check-update 2>/dev/null); else updates=$("$manager" -q $rpm_options check-update "$1" 2>/dev/null); fi
            [ $? != 100 ] || newer="$newer $1"
        fi
        shift
        count=$((count - 1))
    done
    [ $# = 0 ] || act_by_rpm "$verb" "$@"
    [ -n "$newer" ] || return 0
    case "$newer " in *' * '*) newer= ;; esac
    set -f
    act_by_rpm "upgrade${verb#install}" $newer
    set +f
}

rpm_packages() {
    results=
    if [ -n "$update_cache" ]; then
        run_rpm_manager makecache
        [ "$code" = 0 ] || fail "Failed to update the cache of $manager: $errors"
    fi
    if [ -n "$list" ]; then
        run_rpm_manager list $list
        say results "$output"
    fi
    wanted=present verb=install
    [ -z "$download_only" ] || verb="install --downloadonly"
    if [ $# != 0 ]; then
        case $state in
            latest) newest_by_rpm "$@" ;;
            absent | removed)
                wanted=absent verb=remove
                choose_by_rpm "$@" ;;
            *) choose_by_rpm "$@" ;;
        esac
    fi
    if [ -n "$autoremove" ] && [ $# = 0 ]; then act_by_rpm autoremove; fi
    [ -z "$results" ] || say results "$results"
    say_json rc 0
    say changed "$changed"
}
