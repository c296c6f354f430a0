"""Facts of POSIX hosts, out of what ``gather.sh`` prints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from drumline_actions.facts import system
from drumline_actions.facts.distribution import distribution_facts, lsb_facts
from drumline_actions.facts.hardware import hardware_facts
from drumline_actions.facts.network import network_facts, storage_network_facts
from drumline_actions.facts.said import Facts, Said
from drumline_actions.facts.virtual import virtual_facts

#: By the subset that they belong to.
_SIMPLE: Mapping[str, Callable[[Said], Facts]] = {
    "platform": system.platform_facts,
    "distribution": distribution_facts,
    "lsb": lambda said: {"lsb": dict(lsb_facts(said))},
    "selinux": system.selinux_facts,
    "apparmor": system.apparmor_facts,
    "chroot": system.chroot_facts,
    "fips": system.fips_facts,
    "python": system.python_facts,
    "caps": system.capability_facts,
    "cmdline": system.command_line_facts,
    "date_time": system.date_facts,
    "env": system.environment_facts,
    "loadavg": system.load_facts,
    "ssh_pub_keys": system.host_key_facts,
    "user": system.user_facts,
    "systemd": system.systemd_facts,
    "virtual": virtual_facts,
    "dns": system.dns_facts,
    "network": network_facts,
}
_STORAGE = {"fibre_channel_wwn": "fibre_channel_wwn", "iscsi": "iscsi_iqn", "nvme": "hostnqn"}


def posix_facts(said: Said, subsets: Collection[str]) -> Facts:
    """The facts of these subsets, without ``local``; as in Ansible, no name has a dash."""
    found: Facts = {}
    for name, make in _SIMPLE.items():
        if name in subsets:
            found |= make(said)
    storage = storage_network_facts(said)
    found |= {fact: storage[fact] for name, fact in _STORAGE.items() if name in subsets}
    if "hardware" in subsets:
        found |= hardware_facts(said, found["machine"])
    if "pkg_mgr" in subsets:
        found |= system.package_manager_facts(said, found["os_family"])
    if "service_mgr" in subsets:
        found |= system.service_manager_facts(said, found["distribution"])
    return {name.replace("-", "_"): value for name, value in found.items()}
