# Packages of Red Hat; rpm_packages.sh stands ahead of it.
find_rpm_manager "$managers"
rpm_packages "$@"
