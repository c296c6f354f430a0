# Packages of Debian; apt_packages.sh stands ahead of it.
command -v apt-get >/dev/null 2>&1 || fail "This host has no apt-get"
apt_packages "$@"
