"""The settings that there are: how each is read, and where Ansible has the same one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from drumline.config import values
from drumline.config.values import Read


class Known(NamedTuple):
    """One setting."""

    read: Read
    keys: tuple[tuple[str, str], ...] = ()  #: Its sections and keys in ``ansible.cfg``, strongest first.
    variables: tuple[str, ...] = ()  #: Its variables of Ansible's.
    separator: str = ":"  #: What stands between the items of a list there.

    @property
    def is_path(self) -> bool:
        """Whether it names files, in ``ansible.cfg`` relative to its directory."""
        return self.read in (values.sources, values.paths, values.file)


class RefusedSetting(NamedTuple):
    """A setting of Ansible's that isn't there."""

    harmless: tuple[str, ...]
    variable: str
    instead: str

    def says(self, text: str | None) -> bool:
        """Whether it is set to what doesn't hold here."""
        return bool(text) and str(text).strip().lower() not in self.harmless


def _ansible(read: Read, key: str, variable: str = "", *, section: str = "defaults", separator: str = ":") -> Known:
    return Known(read, ((section, key),), (variable or f"ANSIBLE_{key.upper()}",), separator)


def _become(read: Read, key: str) -> Known:
    return _ansible(read, key, section="privilege_escalation")


def _ssh(read: Read, key: str) -> Known:
    return _ansible(read, key, section="ssh_connection")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWN: Mapping[str, Known] = {
    "inventory": _ansible(values.sources, "inventory", separator=","),
    "inventory_timeout": Known(values.seconds),
    "inventory_cache": Known(values.age),
    "refresh_inventory": Known(values.boolean),
    "allow_missing_source": Known(values.boolean),
    "forks": _ansible(values.count, "forks"),
    "sessions": Known(values.count),
    "state": Known(values.directory),
    "output_limit": Known(values.size_of),
    "journal_limit": Known(values.size_of),
    "slow_reports": Known(values.one_of("drop", "wait")),
    "template_timeout": Known(values.seconds),
    "fact_cache": Known(values.age),
    "lint_skip": Known(values.names),
    "roles_path": _ansible(values.paths, "roles_path"),
    "collections_path": Known(
        values.paths,
        (("defaults", "collections_path"), ("defaults", "collections_paths")),
        ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"),
    ),
    "gathering": _ansible(values.one_of("implicit", "explicit", "smart"), "gathering"),
    "strategy": _ansible(values.strategy, "strategy"),
    "enable_task_debugger": _ansible(values.boolean, "enable_task_debugger"),
    "hash_behaviour": _ansible(values.one_of("replace", "merge"), "hash_behaviour"),
    "run_tags": _ansible(values.names, "run", "ANSIBLE_RUN_TAGS", section="tags"),
    "skip_tags": _ansible(values.names, "skip", "ANSIBLE_SKIP_TAGS", section="tags"),
    "diff_always": _ansible(values.boolean, "always", "ANSIBLE_DIFF_ALWAYS", section="diff"),
    "diff_context": _ansible(values.lines, "context", "ANSIBLE_DIFF_CONTEXT", section="diff"),
    "show_custom_stats": _ansible(values.boolean, "show_custom_stats"),
    "ansible_managed": _ansible(values.text, "ansible_managed"),
    "filter_plugins": _ansible(values.paths, "filter_plugins"),
    "test_plugins": _ansible(values.paths, "test_plugins"),
    "lookup_plugins": _ansible(values.paths, "lookup_plugins"),
    "force_handlers": _ansible(values.boolean, "force_handlers"),
    "any_errors_fatal": _ansible(values.boolean, "any_errors_fatal"),
    "no_log": _ansible(values.boolean, "no_log"),
    "task_timeout": _ansible(values.limit, "task_timeout"),
    "transport": _ansible(values.text, "transport"),
    "remote_user": _ansible(values.text, "remote_user"),
    "remote_port": _ansible(values.count, "remote_port"),
    "private_key_file": _ansible(values.file, "private_key_file"),
    "host_key_checking": Known(
        values.boolean,
        (("ssh_connection", "host_key_checking"), ("defaults", "host_key_checking")),
        ("ANSIBLE_SSH_HOST_KEY_CHECKING", "ANSIBLE_HOST_KEY_CHECKING"),
    ),
    "timeout": Known(
        values.seconds,
        (("ssh_connection", "timeout"), ("defaults", "timeout")),
        ("ANSIBLE_SSH_TIMEOUT", "ANSIBLE_TIMEOUT"),
    ),
    "ssh_args": _ssh(values.text, "ssh_args"),
    "ssh_common_args": _ssh(values.text, "ssh_common_args"),
    "ssh_extra_args": _ssh(values.text, "ssh_extra_args"),
    "become": _become(values.boolean, "become"),
    "become_method": _become(values.text, "become_method"),
    "become_user": _become(values.text, "become_user"),
    "become_exe": _become(values.text, "become_exe"),
    "become_flags": _become(values.text, "become_flags"),
    "ask_pass": _ansible(values.boolean, "ask_pass"),
    "ask_vault_pass": _ansible(values.boolean, "ask_vault_pass"),
    "become_ask_pass": _become(values.boolean, "become_ask_pass"),
    "connection_password_file": _ansible(values.file, "connection_password_file"),
    "become_password_file": _ansible(values.file, "become_password_file"),
    "vault_password_file": _ansible(values.file, "vault_password_file"),
    "vault_identity_list": _ansible(values.names, "vault_identity_list"),
}

#: Settings of Ansible's that mean nothing here: how its output looks, and how it does what drumline does otherwise.
WITHOUT_EFFECT = _words(
    """
    action_warnings agnostic_become_prompt allow_broken_conditionals allow_unsafe_lookups become_allow_same_user
    allow_embedded_templates ansible_connection_path collections_on_ansible_version_mismatch dont_type_filters
    facts_modules invalid_task_attribute_failed library max_diff_size module_args module_ignore_exts
    module_strict_utf8_response module_utils network_group_modules playbook_dir plugin_filters_cfg
    ssh_agent_executable ssh_agent_key_lifetime validate_action_group_metadata vault_encrypt_identity
    vault_encrypt_salt vault_id_match vault_identity bin_ansible_callbacks callback_enabled callback_whitelist
    callbacks_enabled cache_dir collections_scan_sys_path command_warnings control_path control_path_dir
    cow_selection cowpath cow_whitelist cowsay_enabled_stencils debug deprecation_warnings devel_warning
    display_args_to_stdout display_failed_stderr display_ok_hosts display_skipped_hosts display_traceback
    docsite_root_url duplicate_dict_key editor error_on_missing_handler error_on_undefined_vars
    executable export fact_caching_connection fact_caching_prefix force_color force_valid_group_names home
    host_pattern_mismatch inject_facts_as_vars internal_poll_interval interpreter_python inventory_unparsed_warning
    jinja2_extensions jinja2_native keep_remote_files libvirt_lxc_noseclabel local_tmp localhost_warning log_filter
    log_path log_verbosity module_compression module_lang module_name module_set_locale nocolor nocows
    no_target_syslog null_representation old_plugin_cache_clear pager pipelining poll_interval
    python_module_rlimit_nofile record_host_keys remote_tmp result_format retries retry_files_enabled
    retry_files_save_path run_vars_plugins scp_if_ssh sftp_batch_mode show_per_host_start show_task_path_on_failure
    special_context_filesystems squash_actions ssh_agent stdout_callback syslog_facility system_warnings
    target_log_info transfer_method transform_invalid_group_chars unparsed_is_failed
    any_unparsed_is_failed use_persistent_connections usetty vars_plugins_enabled verbose_to_stderr verbosity
    win_async_startup_timeout yaml_valid_extensions
    """
)
_IGNORED = "Which files of a directory are no inventory can't be changed."
#: Settings of Ansible's that would change what a playbook does, and aren't there: their names, the values that say what
#: holds here, their variables, and what to do.
REFUSED: Mapping[tuple[str, str], RefusedSetting] = {
    ("defaults", "private_role_vars"): RefusedSetting(
        *(("no", "false", "off", "0"), "ANSIBLE_PRIVATE_ROLE_VARS"),
        "The variables of roles are shown to later tasks. For a role of which that is wrong, use 'import_role' with "
        "'public: false'.",
    ),
    ("defaults", "task_debugger_ignore_errors"): RefusedSetting(
        *(("yes", "true", "on", "1"), "ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"),
        "No one is asked after a failure that is ignored. Write 'debugger: always' where that is wanted.",
    ),
    ("defaults", "playbook_vars_root"): RefusedSetting(
        *(("top",), "ANSIBLE_PLAYBOOK_VARS_ROOT"),
        "'group_vars' and 'host_vars' are looked for beside the playbooks of the command line.",
    ),
    ("defaults", "precedence"): RefusedSetting(
        (), "ANSIBLE_PRECEDENCE", "The order in which variables of groups count can't be changed."
    ),
    ("defaults", "inventory_ignore_extensions"): RefusedSetting((), "ANSIBLE_INVENTORY_IGNORE", _IGNORED),
    ("defaults", "inventory_ignore_patterns"): RefusedSetting((), "ANSIBLE_INVENTORY_IGNORE_REGEX", _IGNORED),
    ("inventory", "ignore_extensions"): RefusedSetting((), "", _IGNORED),
    ("inventory", "ignore_patterns"): RefusedSetting((), "", _IGNORED),
}
#: Sections of which all settings mean nothing here: what they are for is done by other programs, or looks.
SECTIONS_WITHOUT_EFFECT = (
    "colors",
    "galaxy",
    "galaxy_server",
    "persistent_connection",
    "selinux",
    "callback",
    "paramiko",
)


def facts_are_kept(plugin: Any, timeout: Any) -> str:
    """Ansible's two settings of cached facts as one of ours."""
    if plugin in (None, "memory", "ansible.builtin.memory"):
        return "off"
    text = "86400" if timeout is None else str(timeout).strip()
    return f"{text}s" if text != "0" else "unlimited"
