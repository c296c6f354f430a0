"""Processors, memory, devices and mounted file systems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from drumline_actions.facts.said import Facts, Said, integer

_MEMORY = ("MemTotal", "MemFree", "SwapTotal", "SwapFree", "Buffers", "Cached", "SwapCached")
_DMI = "/sys/devices/virtual/dmi/id/"
_DMI_FACTS = [
    "bios_date",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "product_name",
    "product_serial",
    "product_uuid",
    "product_version",
]
#: By the number in ``chassis_type``, as the DMI standard has them.
_FORMS = [
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
]
_UNITS = ("TB", "GB", "MB", "KB")
_OCTAL = re.compile(r"\\([0-7]{3})")


def hardware_facts(said: Said, machine: str) -> Facts:
    uptime = (said.file("/proc/uptime") or "").partition(".")[0]
    links = _device_links(said)
    return {
        **_processors(said, machine),
        **_memory(said),
        **_firmware(said),
        **_devices(said, links),
        **({"uptime_seconds": int(uptime)} if uptime.isdigit() else {}),
        **_volumes(said),
        **_mounts(said, links["uuids"]),
    }


def _memory(said: Said) -> Facts:
    text = said.file("/proc/meminfo")
    if text is None:
        return {}
    megabytes = {name: int(size) // 1024 for name, size in re.findall(r"^(\w+):\s+(\d+)", text, re.MULTILINE)}
    total, free, swap, swap_free, buffers, cached, swap_cached = (megabytes.get(name) for name in _MEMORY)
    found: Facts = {f"{name.lower()}_mb": megabytes[name] for name in _MEMORY[:4] if name in megabytes}
    unused = _sum(free, buffers, cached)
    found["memory_mb"] = {
        "real": {"total": total, "used": _less(total, free), "free": free},
        "nocache": {"free": unused, "used": _less(total, unused)},
        "swap": {"total": swap, "free": swap_free, "used": _less(swap, swap_free), "cached": swap_cached},
    }
    return found


def _less(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else whole - part


def _sum(*numbers: int | None) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _processors(said: Said, machine: str) -> Facts:
    """Counts as the reference has them: sockets by ``physical id``, with the cores that ``cpu cores`` says."""
    lines = cpu_lines(said)
    if not lines:
        return {}
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    names = [name for name, _ in pairs]
    named = [value for name, value in pairs if name in _NAMING]
    found: Facts = {"processor": named}
    flags = next((value for name, value in reversed(pairs) if name == "flags"), None)
    if flags is not None:
        found["flags"] = flags.split()
    count = len(named)
    if 0 < names.count("vendor_id") == names.count("model name"):
        count = names.count("vendor_id")
    if machine.startswith(("armv", "aarch", "ppc")):
        count = names.count("processor")
    known = dict(pairs)
    if machine == "s390x":
        processors, threads = integer(known.get("# processors")), integer(known.get("max thread id")) + 1
        return found | _counts(1, round(processors / threads), threads, processors)
    xen = "/proc/xen" in said.there or said.file("/sys/hypervisor/type") == "xen"
    if xen and flags is not None and "vme" not in flags:
        return found | _counts(count, count, 1, count, every=count)
    sockets = [value for name, value in pairs if name == "physical id"]
    cores = integer(known.get("cpu cores"), 1) or 1
    siblings = integer(known.get("siblings"), 1)
    threads = round(siblings / cores)
    return found | _counts(len(set(sockets)) or count, cores, threads, _may_use(said) or names.count("processor"))


_NAMING = ("model name", "Processor", "vendor_id", "cpu", "Vendor", "processor")


def cpu_lines(said: Said) -> list[str]:
    """What the kernel says of processors: all of it, or with the flags of one where there are many."""
    return said.file_lines("/proc/cpuinfo") or said.lines("cpus")


def _counts(sockets: int, cores: int, threads: int, usable: int, *, every: int | None = None) -> Facts:
    return {
        "processor_count": sockets,
        "processor_cores": cores,
        "processor_threads_per_core": threads,
        "processor_vcpus": sockets * cores * threads if every is None else every,
        "processor_nproc": usable,
    }


def _may_use(said: Said) -> int:
    """How many processors a process may run on: ``0-3,8``."""
    found = re.search(r"^Cpus_allowed_list:\s+(\S+)", said.file("/proc/self/status") or "", re.MULTILINE)
    ranges = (part.partition("-") for part in found[1].split(",")) if found else ()
    return sum(integer(last or first) - integer(first) + 1 for first, _, last in ranges)


def _firmware(said: Said) -> Facts:
    sysinfo = said.file("/proc/sysinfo")
    known = _DMI + "product_name" in said.there
    found = {name: (said.file(_DMI + name) if known else None) or "NA" for name in _DMI_FACTS}
    found["system_vendor"] = (said.file(_DMI + "sys_vendor") if known else None) or "NA"
    form = said.file(_DMI + "chassis_type") if known else None
    number = integer(form, -1)
    found["form_factor"] = "NA" if form is None else f"unknown ({form})"
    if 0 <= number < len(_FORMS):
        found["form_factor"] = _FORMS[number]
    if sysinfo is not None:  # IBM Z
        found |= dict.fromkeys(("system_vendor", "product_version", "product_serial", "product_name"), "NA")
        words = {"Manufacturer": "system_vendor", "Type": "product_name", "Sequence Code": "product_serial"}
        pairs = (line.partition(":") for line in sysinfo.split("\n"))
        found |= {words[name]: value.strip().lstrip("0") for name, _, value in pairs if name in words}
    return found


# Devices.


def _devices(said: Said, links: dict[str, dict[str, list[str]]]) -> Facts:
    files = said.below("/sys/block/")
    wwns = {device: name[4:] for device, names in links["ids"].items() for name in names if name.startswith("wwn-")}
    pci = dict(line.partition(" ")[::2] for line in said.lines("pci"))
    holders = _holders(said)
    devices = {}
    for name, below in files.items():
        device = _device(said, name, links, holders)
        if name in wwns:
            device["wwn"] = wwns[name]
        address = re.findall(
            r"/([0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])(?=/)", said.links.get(f"/sys/block/{name}", "")
        )
        device["host"] = pci.get(address[-1], "").strip() if address else ""
        parts = sorted({path.removesuffix("/start") for path in below if path.endswith("/start")})
        device["partitions"] = {part: _partition(said, name, part, links, holders) for part in parts}
        devices[name] = device
    return {"devices": devices, "device_links": links}


def _device_links(said: Said) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {"ids": {}, "uuids": {}, "labels": {}, "masters": {}}
    kinds = {"by-id": "ids", "by-uuid": "uuids", "by-label": "labels"}
    for path, target in sorted(said.links.items()):
        match = re.match("/dev/disk/(by-[a-z]+)/(.+)", path)
        if match and match[1] in kinds:
            found[kinds[match[1]]].setdefault(target.rpartition("/")[2], []).append(match[2])
    for line in sorted(said.lines("holders")):
        match = re.search("/sys/block/([^/*]+)/slaves/([^/*]+)$", line)
        if match:
            found["masters"].setdefault(match[2], []).append(match[1])
    return found


def _holders(said: Said) -> dict[str, list[str]]:
    """The device mapper's devices that are made of a device or partition, by the name that they have there."""
    found: dict[str, list[str]] = {}
    for line in said.lines("holders"):
        match = re.search(r"/sys/block/(?:[^/*]+/)?([^/*]+)/holders/(dm-\d+)$", line)
        if match:
            name = said.file(f"/sys/block/{match[2]}/dm/name") or match[2]
            found.setdefault(match[1], []).append(name)
    return found


def _linked(links: Mapping[str, Mapping[str, list[str]]], name: str) -> dict[str, list[str]]:
    return {kind: list(known.get(name, ())) for kind, known in links.items()}


def _device(
    said: Said, name: str, links: dict[str, dict[str, list[str]]], holders: Mapping[str, list[str]]
) -> dict[str, Any]:
    def value(what: str) -> str | None:
        return said.file(f"/sys/block/{name}/{what}")

    size = integer(value("queue/logical_block_size") or value("queue/hw_sector_size"), 512) or 512
    sectors = integer(value("size")) * 512 // size
    mode = re.search(r"\[(.*)\]", value("queue/scheduler") or "")
    cannot = value("queue/discard_max_hw_bytes") == "0"
    found: dict[str, Any] = {
        "virtual": 1,
        "links": _linked(links, name),
        **{key: value(f"device/{key}") for key in ("vendor", "model", "sas_address", "sas_device_handle")},
        "removable": value("removable"),
        "support_discard": "0" if cannot else value("queue/discard_granularity"),
        "rotational": value("queue/rotational"),
        "scheduler_mode": mode[1] if mode else "",
        "sectorsize": value("queue/logical_block_size") or value("queue/hw_sector_size") or 512,
        "sectors": sectors,
        "size": _readable(sectors * size),
        "holders": holders.get(name, []),
    }
    if serial := value("device/serial"):
        found["serial"] = serial
    return found


def _partition(
    said: Said, device: str, name: str, links: dict[str, dict[str, list[str]]], holders: Mapping[str, list[str]]
) -> dict[str, Any]:
    place = f"/sys/block/{device}/{name}"
    sectors = integer(said.file(f"{place}/size"))
    return {
        "links": _linked(links, name),
        "start": said.file(f"{place}/start") or 0,
        "sectors": sectors,
        "sectorsize": 512,
        "size": _readable(sectors * 512),
        "uuid": next(iter(links["uuids"].get(name, ())), None),
        "holders": holders.get(name, []),
    }


def _readable(size: float) -> str:
    for index, unit in enumerate(_UNITS):
        limit = 1024 ** (len(_UNITS) - index)
        if size >= limit:
            return f"{size / limit:.2f} {unit}"
    return f"{size:.2f} Bytes"


# Volumes and mounts.


def _volumes(said: Said) -> Facts:
    if "vgs" not in said.parts:
        return {"lvm": "N/A"}
    groups = {f[0]: {"size_g": f[-2], "free_g": f[-1], "num_lvs": f[2], "num_pvs": f[1]} for f in _rows(said, "vgs", 7)}
    volumes = {f[0]: {"size_g": f[3], "vg": f[1]} for f in _rows(said, "lvs", 4)}
    names = {f"/dev/{name}": said.file(f"/sys/block/{name}/dm/name") for name in said.below("/sys/block/")}
    physical = {}
    for fields in _rows(said, "pvs", 6):
        mapped = names.get(fields[0])
        name = f"/dev/mapper/{mapped}" if mapped else fields[0]
        physical[name] = {"size_g": fields[4], "free_g": fields[5], "vg": fields[1]}
    return {"lvm": {"lvs": volumes, "vgs": groups, "pvs": physical}}


def _rows(said: Said, part: str, least: int) -> Iterator[list[str]]:
    rows = (line.strip().split(",") for line in said.lines(part))
    return (row for row in rows if len(row) >= least)


def mounted(said: Said) -> Iterator[tuple[str, list[str]]]:
    """The file systems that are on devices or on other hosts: the part with their sizes, and the fields of their lines.

    The part has the place in its name, as it stands in the line.
    """
    for line in (said.file("/proc/mounts") or "").split("\n"):
        written = line.split()
        fields = [_OCTAL.sub(lambda match: chr(int(match[1], 8)), field) for field in written]
        if len(fields) > 5 and (fields[0].startswith(("/", "\\")) or ":/" in fields[0]) and fields[2] != "none":
            yield f"mount:{written[1]}", fields


def _mounts(said: Said, named: Mapping[str, list[str]]) -> Facts:
    if said.file("/proc/mounts") is None:
        return {"mounts": []}
    uuids = {device: names[0] for device, names in named.items()}
    parts = {part: _mapper_name(said, part) for part in uuids}
    known = {f"/dev/{part}": uuid for part, uuid in uuids.items()} | {parts[part]: uuid for part, uuid in uuids.items()}
    bound = set(_bound(said))
    found: dict[str, Facts] = {}
    for part, (device, place, kind, options, dump, check, *_) in mounted(said):
        entry: Facts = {"mount": place, "device": device, "fstype": kind, "options": options}
        entry |= {"dump": integer(dump), "passno": integer(check)}
        if place in bound:
            entry["options"] += ",bind"
        answer = said.parts.get(part)
        if answer is None:
            entry["note"] = "Could not get extra information due to timeout"
        else:
            entry |= _sizes(answer) | {"uuid": known.get(device, "N/A")}
        found[place] = entry
    return {"mounts": list(found.values())}


def _mapper_name(said: Said, device: str) -> str:
    return f"/dev/mapper/{said.file(f'/sys/block/{device}/dm/name') or device}"


def _bound(said: Said) -> Iterator[str]:
    """Where something below the root of another file system is mounted."""
    for line in (said.file("/proc/self/mountinfo") or "").split("\n"):
        fields = line.split()
        if len(fields) > 4 and fields[3] != "/" and not fields[3].startswith(("net:", "mnt:")):
            yield _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])


def _sizes(answer: str) -> Facts:
    numbers = [integer(word, -1) for word in answer.split()]
    if len(numbers) != 6 or min(numbers) < 0:
        return {}
    fragment, block, total, available, files, free = numbers
    return {
        "size_total": fragment * total,
        "size_available": fragment * available,
        "block_size": block,
        "block_total": total,
        "block_available": available,
        "block_used": total - available,
        "inode_total": files,
        "inode_available": free,
        "inode_used": files - free,
    }
