"""Whether a host is a virtual machine or container, or runs such."""

from __future__ import annotations

import re
from collections.abc import Iterator

from drumline_actions.facts.hardware import cpu_lines
from drumline_actions.facts.said import Facts, Said

#: What was found: the technology, and whether the host is a ``guest`` or a ``host`` of it.
_Found = tuple[str, str]

_DMI = "/sys/devices/virtual/dmi/id/"
_CGROUPS = {
    r"/docker(/|-[0-9a-f]+\.scope)": "docker",
    r"/lxc/|/machine.slice/machine-lxc": "lxc",
    r"/system.slice/containerd.service": "containerd",
}
_KVM_PRODUCTS = ("KVM", "KVM Server", "Bochs", "AHV", "CloudStack KVM Hypervisor")
_BIOSES = {"Xen": "xen", "innotek GmbH": "virtualbox"}
_BIOSES |= dict.fromkeys(("Amazon EC2", "DigitalOcean", "Hetzner", "Linode"), "kvm")
_VENDORS = dict.fromkeys(("QEMU", "Amazon EC2", "DigitalOcean", "Google", "Scaleway", "Nutanix"), "kvm")
_VENDORS |= {"KubeVirt": "KubeVirt", "Microsoft Corporation": "VirtualPC", "OpenStack Foundation": "openstack"}
_VENDORS |= {"Parallels Software International Inc.": "parallels"}
_PROCESSORS = {
    "model name.*QEMU Virtual CPU": "kvm",
    "vendor_id.*User Mode Linux": "uml",
    "model name.*UML": "uml",
    "machine.*CHRP IBM pSeries .emulated by qemu.": "kvm",
    "vendor_id.*PowerVM Lx86": "powervm_lx86",
    "vendor_id.*IBM/S390": "PR/SM",
}


def virtual_facts(said: Said) -> Facts:
    """The first that is found says type and role; the sets have all."""
    found = [*_containers(said), *_machines(said), *_kernel(said)]
    guest = {name for name, role in found if role != "host"}
    if guest & {"docker", "lxc", "podman", "openvz", "containerd"} or said.file("/run/systemd/container"):
        guest.add("container")
    kind, role = found[0] if found else ("NA", "NA")
    return {
        "virtualization_type": kind,
        "virtualization_role": role,
        "virtualization_tech_guest": sorted(guest),
        "virtualization_tech_host": sorted({name for name, role in found if role == "host"}),
    }


def _containers(said: Said) -> Iterator[_Found]:
    for line in (said.file("/proc/1/cgroup") or "").split("\n"):
        yield from ((name, "guest") for pattern, name in _CGROUPS.items() if re.search(pattern, line))
    for entry in (said.file("/proc/1/environ") or "").split("\0"):
        yield from ((name, "guest") for name in ("lxc", "podman") if f"container={name}" in entry)
        if re.match("container=.", entry):
            yield "container", "guest"
    if "/proc/vz" in said.there and "/proc/lve" not in said.there:
        yield "openvz", "host" if "/proc/bc" in said.there else "guest"
    if container := said.file("/run/systemd/container"):
        yield container, "guest"
    if said.there & {"/.dockerenv", "/.dockerinit"}:
        yield "docker", "guest"
    if "/proc/xen" in said.there:
        yield "xen", "host" if "control_d" in (said.file("/proc/xen/capabilities") or "") else "guest"


def _machines(said: Said) -> Iterator[_Found]:
    """By the names that the firmware gives."""
    names = ("product_name", "sys_vendor", "product_family", "bios_vendor")
    product, vendor, family, bios = (said.file(_DMI + name) or "" for name in names)
    if product in _KVM_PRODUCTS:
        yield "kvm", "guest"
    if vendor == "oVirt":
        yield "oVirt", "guest"
    if vendor == "Red Hat" and family == "RHV":
        yield "RHV", "guest"
    elif vendor == "Red Hat" and product == "RHEV Hypervisor":
        yield "RHEV", "guest"
    if product.startswith("VMware"):
        yield "VMware", "guest"
    if product in ("OpenStack Compute", "OpenStack Nova"):
        yield "openstack", "guest"
    if bios in _BIOSES:
        yield _BIOSES[bios], "guest"
    if vendor in _VENDORS:
        yield _VENDORS[vendor], "guest"


def _kernel(said: Said) -> Iterator[_Found]:
    """By what the kernel says of itself, its processors and its modules."""
    context = re.search(r"^VxID:\s+(\d+)", said.file("/proc/self/status") or "", re.MULTILINE)
    if context:
        yield "linux_vserver", "host" if context[1].startswith("0") else "guest"
    for line in cpu_lines(said):
        for pattern, name in _PROCESSORS.items():
            if re.match(pattern, line):
                yield name, "LPAR" if name == "PR/SM" else "guest"
                break
    modules = {line.partition(" ")[0] for line in (said.file("/proc/modules") or "").split("\n")}
    if "kvm" in modules:
        yield "kvm", "host"
    if "vboxdrv" in modules:
        yield "virtualbox", "host"
    if "virtio" in modules:
        # As in Ansible: with virtio the host is a guest of KVM.
        yield "kvm", "guest"
    if "/dev/kvm" in said.there:
        yield "kvm", "host"
