# Brings a $unit of systemd into a state; systemd_unit.sh stands ahead of it.
command -v systemctl >/dev/null 2>&1 || fail "Failed to find required executable \"systemctl\" in paths: $PATH"
systemd_unit
