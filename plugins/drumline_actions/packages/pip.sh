# Packages of Python by pip. The arguments are names, perhaps with versions.
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
[ -z "$umask" ] || umask "$umask"
[ -z "$chdir" ] || cd -- "$chdir" || fail "$chdir is no directory"
output= errors=

run() {
    log=$(mktemp) || fail "no temporary file can be made"
    said=$("$@" 2>"$log" </dev/null)
    code=$?
    output=$output$said errors=$errors$(cat "$log")
    rm -f "$log"
    [ "$code" = 0 ] || { say stdout "$output"; say stderr "$errors"; say_json rc "$code"; fail "'$*' failed: ${errors:-$output}"; }
}

make_environment() {
    changed=1
    [ -z "$check" ] || return 0
    set -- $virtualenv_command
    if command -v "$1" >/dev/null 2>&1; then :
    elif [ "$virtualenv_command" = virtualenv ] && command -v "${virtualenv_python:-python3}" >/dev/null 2>&1; then
        set -- "${virtualenv_python:-python3}" -m venv
        virtualenv_python=
    else fail "Failed to find required executable \"$1\" in paths: $PATH"
    fi
    [ -z "$site_packages" ] || set -- "$@" --system-site-packages
    case "$*" in
        *venv*-m* | *-m*venv* | *pyvenv*) ;;
        *) [ -z "$virtualenv_python" ] || set -- "$@" "-p$virtualenv_python" ;;
    esac
    run "$@" "$virtualenv"
}

# Leaves in $pip what runs pip.
find_pip() {
    if [ -n "$virtualenv" ]; then pip=$virtualenv/bin/pip
    elif [ -n "$executable" ]; then
        case $executable in
            /*) pip=$executable ;;
            *) pip=$(command -v "$executable") || fail "Unable to find $executable: it is no program of the host" ;;
        esac
    else
        for pip in pip3 pip; do
            ! command -v "$pip" >/dev/null 2>&1 || return 0
        done
        python3 -m pip --version >/dev/null 2>&1 || fail "Unable to find any of pip3, pip to use. pip needs to be installed."
        pip='python3 -m pip'
    fi
}

# What there is, as NAME==VERSION with names as they are compared.
installed() { $pip list --format=freeze 2>/dev/null | awk -F== '{ name = tolower($1); gsub(/[-_.]+/, "-", name); print name "==" $2 }'; }
plain() { printf '%s' "${1%%[=<>!~\[ ;@]*}" | tr 'A-Z' 'a-z' | sed 's/[-_.][-_.]*/-/g'; }

# Whether this is there: known for a name, and for a name with one version.
satisfied() {
    case $1 in
        *://* | */* | *[\<\>!~\;@,]*) return 1 ;;
        *==*) printf '%s\n' "$before" | grep -qxF -- "$(plain "$1")==${1##*==}" ;;
        *) printf '%s\n' "$before" | grep -q "^$(plain "$1")==" ;;
    esac
}

if [ -n "$virtualenv" ] && [ ! -x "$virtualenv/bin/pip" ] && [ ! -e "$virtualenv/bin/activate" ]; then
    make_environment
    if [ -n "$check" ]; then
        say changed 1
        exit 0
    fi
fi
find_pip
before=$(installed)
case $state in
    absent)
        count=$#
        while [ "$count" -gt 0 ]; do
            ! printf '%s\n' "$before" | grep -q "^$(plain "$1")==" || set -- "$@" "$1"
            shift
            count=$((count - 1))
        done
        set -- uninstall -y $extra_args ${requirements:+-r "$requirements"} "$@"
        nothing="uninstall -y${extra_args:+ $extra_args}" ;;
    *)
        if [ "$state" = present ] && [ -z "$editable" ]; then
            count=$#
            while [ "$count" -gt 0 ]; do
                satisfied "$1" || set -- "$@" "$1"
                shift
                count=$((count - 1))
            done
        fi
        missing=$#
        if [ -n "$editable" ]; then
            count=$#
            while [ "$count" -gt 0 ]; do
                set -- "$@" -e "$1"
                shift
                count=$((count - 1))
            done
        fi
        upgrade=
        [ "$state" != latest ] || upgrade=-U
        [ "$state" != forcereinstall ] || upgrade='-U --force-reinstall'
        break_system=
        [ -z "$break_system_packages" ] || break_system=--break-system-packages
        nothing=
        [ "$missing" != 0 ] || [ -n "$requirements" ] || nothing=install
        set -- install $upgrade $break_system $extra_args ${requirements:+-r "$requirements"} "$@"
        [ -z "$nothing" ] || nothing=$* ;;
esac
say cmd "$pip $*"
if [ "$*" != "$nothing" ]; then
    if [ -n "$check" ]; then
        case $1 in
            install)
                run $pip "$@" --dry-run
                case $said in *'Would install'*) changed=1 ;; esac ;;
            *) changed=1 ;;
        esac
    else
        run $pip "$@"
        [ "$state" != forcereinstall ] && [ "$before" = "$(installed)" ] || changed=1
    fi
fi
say stdout "$output"
say stderr "$errors"
say changed "$changed"
