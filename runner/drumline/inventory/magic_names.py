"""The names of magic variables, which :mod:`drumline.inventory.variables` gives their values."""

#: All names that drumline itself defines; no one else's definition of them counts.
MAGIC_NAMES = frozenset(
    {
        "ansible_check_mode",
        "ansible_diff_mode",
        "ansible_play_batch",
        "ansible_play_hosts",
        "ansible_play_hosts_all",
        "ansible_play_name",
        "ansible_playbook_python",
        "ansible_verbosity",
        "ansible_version",
        "drumline_version",
        "group_names",
        "groups",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "inventory_sources",
        "omit",
        "play_batch",
        "play_hosts",
        "playbook_dir",
        "results",
    }
)
