"""The names of magic variables, whose values come from :mod:`drumline.inventory.variables`."""

#: All names that drumline itself defines; other definitions of them have no effect.
MAGIC_NAMES = frozenset(
    {
        "ansible_check_mode",
        "ansible_collection_name",
        "ansible_dependent_role_names",
        "ansible_diff_mode",
        "ansible_play_batch",
        "ansible_play_hosts",
        "ansible_play_hosts_all",
        "ansible_play_name",
        "ansible_play_role_names",
        "ansible_playbook_python",
        "ansible_parent_role_names",
        "ansible_parent_role_paths",
        "ansible_role_name",
        "ansible_role_names",
        "ansible_search_path",
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
        "role_name",
        "role_names",
        "role_path",
    }
)

#: What a host has once a task of a block has failed there: of the task, and its result.
FAILED_NAMES = ("ansible_failed_task", "ansible_failed_result")
