"""``gather_subset``: which facts are wanted, and which parts of ``gather.sh`` they are made of."""

from __future__ import annotations

from collections.abc import Iterable

#: Each subset with the parts that it needs.
_PARTS = {
    "apparmor": "there",
    "caps": "caps",
    "chroot": "env there links hardware",
    "cmdline": "files",
    "date_time": "date zone",
    "distribution": "files there links system kernel lsb",
    "dns": "files",
    "env": "env",
    "facter": "",
    "fibre_channel_wwn": "files",
    "fips": "files",
    "hardware": "files hardware there links cpus block holders pci vgs lvs pvs mounts machine",
    "iscsi": "files",
    "loadavg": "files",
    "local": "local",
    "lsb": "files there lsb",
    "network": "there links net bridges addresses",
    "nvme": "files",
    "ohai": "",
    "pkg_mgr": "there links apt",
    "platform": "files machine system kernel version nodename bits fqdn fullname",
    "python": "python",
    "selinux": "files",
    "service_mgr": "files there links system",
    "ssh_pub_keys": "files",
    "systemd": "systemd",
    "user": "files user",
    "virtual": "files hardware there cpus",
}
ALL_PARTS = frozenset(part for parts in _PARTS.values() for part in parts.split())
_NEEDS = {"hardware": ("platform",), "network": ("distribution", "platform"), "pkg_mgr": ("distribution",)}
_NEEDS |= {"service_mgr": ("distribution", "platform")}
_MINIMAL = frozenset(
    [
        "apparmor",
        "caps",
        "cmdline",
        "date_time",
        "distribution",
        "dns",
        "env",
        "fips",
        "local",
        "lsb",
        "pkg_mgr",
        "platform",
        "python",
        "selinux",
        "service_mgr",
        "ssh_pub_keys",
        "user",
    ]
)
#: Facts whose names stand for the subset that they are in.
_OTHERS = {
    "caps": "system_capabilities system_capabilities_enforced",
    "chroot": "is_chroot",
    "distribution": "distribution_major_version distribution_release distribution_version os_family",
    "hardware": "devices mounts processor processor_cores processor_count",
    "network": "all_ipv4_addresses all_ipv6_addresses default_ipv4 default_ipv6 interfaces",
    "platform": "architecture kernel kernel_version machine machine_id python_version system",
    "ssh_pub_keys": (
        "ssh_host_key_dsa_public ssh_host_key_ecdsa_public ssh_host_key_ed25519_public ssh_host_key_rsa_public "
        "ssh_host_pub_keys"
    ),
    "user": (
        "effective_group_ids effective_user_id real_user_id user_dir user_gecos user_gid user_id user_shell user_uid"
    ),
    "virtual": ("virtualization_role virtualization_tech_guest virtualization_tech_host virtualization_type"),
}
_MEANT = {name: name for name in _PARTS} | {word: name for name, words in _OTHERS.items() for word in words.split()}


class UnknownSubset(ValueError):
    """A name after ``gather_subset`` that no subset has."""

    def __init__(self, name: str) -> None:
        known = ", ".join(sorted(_MEANT))
        super().__init__(f"Bad subset '{name}' given to gather_subset. There are: all, min, {known}")


def chosen(wanted: Iterable[str]) -> frozenset[str]:
    """The subsets that are meant, with those that they need. Raises :class:`UnknownSubset`.

    As in Ansible: the minimal ones are meant unless ``!min`` says otherwise, ``!NAME`` takes one away, and what is
    named itself is there whatever else is taken away. A ``!NAME`` that is unknown takes nothing away.
    """
    words = list(wanted) or ["all"]
    added, removed, named = set(_MINIMAL), set[str](), set[str]()
    for word in words:
        name = word.removeprefix("!")
        if word in ("all", "!all", "min", "!min"):
            of_all = name == "all"
            if word != name:
                removed |= (_PARTS.keys() - _MINIMAL) if of_all else _MINIMAL
            else:
                added |= _PARTS.keys() if of_all else _MINIMAL
        elif word != name:
            removed |= {_MEANT[name]} if name in _PARTS else set()
        elif name not in _MEANT:
            raise UnknownSubset(name)
        else:
            named.add(_MEANT[name])
    found = (added - removed) | named
    return frozenset(found.union(*(_NEEDS.get(name, ()) for name in found)))


def parts_of(subsets: Iterable[str]) -> frozenset[str]:
    """The parts of the script that these subsets are made of."""
    return frozenset(part for name in subsets for part in _PARTS[name].split())
