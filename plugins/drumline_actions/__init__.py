"""Actions for every day, on POSIX hosts (by ``sh``) and on Windows (by PowerShell): nothing is installed there."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from drumline.plugin import ActionSpec, hookimpl

#: The actions of each module that are Ansible's, and that ``win_NAME`` means as well.
_ON_WINDOWS_TOO = {
    "commands": ("command", "shell"),
    "copy": ("copy",),
    "files": ("file", "stat"),
    "template": ("template",),
    "waiting": ("ping", "wait_for"),
}
#: Others of Ansible's.
_OF_ANSIBLE = {
    "argument_specs": ("validate_argument_spec",),
    "background": ("async_status",),
    "commands": ("raw",),
    "control": ("assert", "debug", "fail", "meta", "pause", "set_fact", "set_stats"),
    "fetch": ("fetch",),
    "firewalls.iptables": ("iptables",),
    "include": ("include_role", "include_tasks"),
    "inventory": ("add_host", "group_by"),
    "include_vars": ("include_vars",),
    "script": ("script",),
    "network.git": ("git",),
    "network.known_hosts": ("known_hosts",),
    "network.get_url": ("get_url",),
    "network.uri": ("uri",),
    "packages.apt": ("apt",),
    "packages.deb822": ("deb822_repository",),
    "packages.debconf": ("debconf", "dpkg_selections"),
    "packages.pip": ("pip",),
    "packages.package": ("package",),
    "packages.package_facts": ("package_facts",),
    "packages.rpm_key": ("rpm_key",),
    "packages.sources": ("apt_key", "apt_repository"),
    "packages.yum_repository": ("yum_repository",),
    "paths.find": ("find",),
    "paths.reading": ("assemble", "slurp", "tempfile"),
    "paths.unarchive": ("unarchive",),
    "services.service_facts": ("service_facts",),
    "system.cron": ("cron",),
    "system.expect": ("expect",),
    "system.reboot": ("reboot",),
    "system.hostname": ("hostname",),
    "system.users": ("getent", "group", "user"),
    "text.blockinfile": ("blockinfile",),
    "text.lineinfile": ("lineinfile",),
    "text.replace": ("replace",),
    "waiting": ("wait_for_connection",),
}
#: Those that have other names as well: the module, and the names by which Ansible knows them.
_BY_MORE_NAMES = {
    "dnf": ("packages.dnf", "dnf5", "yum"),
    "service": ("services.service",),
    "systemd": ("services.service", "systemd_service"),
    "sysvinit": ("services.service",),
}
#: Those of collections, by their prefixes.
_OF_COLLECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "ansible.posix.{0}": {
        "paths.access": ("acl",),
        "firewalls.firewalld": ("firewalld",),
        "system.at": ("at",),
        "system.authorized_key": ("authorized_key",),
        "system.kernel": ("mount", "sysctl"),
        "paths.synchronize": ("synchronize",),
        "system.selinux": ("seboolean", "selinux"),
    },
    "community.general.{0}": {
        "disks.filesystem": ("filesystem",),
        "disks.parted": ("parted",),
        "disks.volumes": ("lvg", "lvol"),
        "firewalls.ufw": ("ufw",),
        "packages.managers": ("apk", "pacman", "zypper"),
        "packages.npm": ("npm",),
        "paths.access": ("xattr",),
        "paths.archive": ("archive",),
        "paths.read_csv": ("read_csv",),
        "system.pam_limits": ("pam_limits",),
        "system.selinux": ("sefcontext",),
        "system.settings": ("alternatives", "locale_gen", "modprobe", "timezone"),
        "text.htpasswd": ("htpasswd",),
        "text.ini_file": ("ini_file",),
        "text.xml": ("xml",),
    },
}
#: Those of Ansible's that are for Windows alone.
_OF_WINDOWS = {
    "windows.accounts": ("win_group", "win_group_membership", "win_user"),
    "windows.acls": ("win_acl", "win_owner"),
    "windows.archives": ("win_unzip", "win_zip"),
    "windows.downloads": ("win_get_url", "win_uri"),
    "windows.dsc": ("win_dsc",),
    "windows.environment": ("win_environment", "win_path"),
    "windows.features": ("win_feature", "win_optional_feature"),
    "windows.firewalls": ("win_firewall", "win_firewall_rule"),
    "windows.iis": (
        "win_iis_virtualdirectory",
        "win_iis_webapplication",
        "win_iis_webapppool",
        "win_iis_webbinding",
        "win_iis_website",
    ),
    "windows.lineinfile": ("win_lineinfile",),
    "windows.machine": ("win_hostname", "win_power_plan", "win_timezone"),
    "windows.packages": ("win_package",),
    "windows.policies": ("win_security_policy", "win_user_right"),
    "windows.powershell": ("win_powershell",),
    "windows.psmodules": ("win_psmodule",),
    "windows.reboot": ("win_reboot",),
    "windows.registry": ("win_reg_stat", "win_regedit"),
    "windows.sharing": ("win_dns_client", "win_share"),
    "windows.services": ("win_service", "win_service_info"),
}
#: Those of Chocolatey's own collection.
_OF_CHOCOLATEY = {
    "windows.chocolatey": (
        "win_chocolatey",
        "win_chocolatey_config",
        "win_chocolatey_feature",
        "win_chocolatey_source",
    ),
}
#: Those that Ansible has not.
_OWN = {"approve": ("approve",), "clock": ("clock",), "include_vars": ("vars_files",)}


@hookimpl
def drumline_actions() -> Iterable[ActionSpec]:
    return (replace(spec, page=partial(_page, spec.name)) for spec in _all_specs())


def _page(name: str) -> str:
    from drumline.plugin.kit import section_of  # only `drumline doc` shows it

    return section_of(__file__, name)


def _all_specs() -> Iterator[ActionSpec]:
    builtin, windows = "ansible.builtin.{0}", ("win_{0}", "ansible.windows.win_{0}")
    yield from _specs(_ON_WINDOWS_TOO, builtin, *windows)
    yield from _specs(_OF_ANSIBLE, builtin)
    for name, (module, *others) in _BY_MORE_NAMES.items():
        known_as = [builtin.format(name), *others, *(builtin.format(other) for other in others)]
        yield ActionSpec(name=name, load=f"drumline_actions.{module}", aliases=tuple(known_as))
    for prefix, modules in _OF_COLLECTIONS.items():
        yield from _specs(modules, "ansible.builtin.{0}", prefix)
    yield from _specs(_OF_WINDOWS, "ansible.windows.{0}", "community.windows.{0}")
    yield from _specs(_OF_CHOCOLATEY, "chocolatey.chocolatey.{0}", "ansible.windows.{0}", "community.windows.{0}")
    yield from _specs(_OWN)
    gathering = ("gather_facts", "ansible.builtin.gather_facts")
    yield from _specs({"setup": ("setup",)}, builtin, "ansible.windows.{0}", *gathering)


def _specs(modules: Mapping[str, tuple[str, ...]], *aliases: str) -> Iterator[ActionSpec]:
    for module, names in modules.items():
        for name in names:
            known_as = tuple(alias.format(name) for alias in aliases)
            yield ActionSpec(name=name, load=f"drumline_actions.{module}", aliases=known_as)


@hookimpl
def drumline_exec_task(
    words: tuple[str, ...], executable: str | None, clock: bool
) -> tuple[str, Mapping[str, Any]] | None:
    if clock:
        return "clock", {}
    if len(words) == 1:
        return "shell", {"cmd": words[0], "executable": executable}
    return "command", {"argv": list(words)} if words else {}
