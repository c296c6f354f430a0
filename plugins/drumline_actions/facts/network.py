"""Interfaces, addresses and routes, by what ``ip`` says and what the kernel has of each interface."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface
from itertools import pairwise
from typing import Any

from drumline_actions.facts.said import Facts, Said, integer

_TYPES = {"1": "ether", "32": "infiniband", "512": "ppp", "772": "loopback", "65534": "tunnel"}
_NET = "/sys/class/net/"
#: Addresses whose routes are asked for, as the reference does.
_V4, _V6 = "8.8.8.8", "2404:6800:400a:800::1012"
_PROMISCUOUS = 0x100


def network_facts(said: Said) -> Facts:
    """``interfaces``, each by its name, the default routes, and all addresses. Nothing on hosts without ``ip``."""
    if "ip" not in said.there:
        return {}
    interfaces = {name: _interface(said, name) for name in sorted(said.below(_NET))}
    default4, default6 = _default(said, _V4), _default(said, _V6)
    all4: list[str] = []
    all6: list[str] = []
    for name, words, label in _addresses(said):
        interface = interfaces.setdefault(name, {})
        if words[0] == "inet":
            _add_ipv4(interfaces, interface, words, label, default4, all4)
        else:
            _add_ipv6(interface, words, default6, all6)
    found: Facts = {name.replace(":", "_"): interface for name, interface in interfaces.items()}
    found["interfaces"] = list(found)
    found |= {"default_ipv4": default4, "default_ipv6": default6}
    found |= {"all_ipv4_addresses": all4, "all_ipv6_addresses": all6}
    local = _local(said)
    found["locally_reachable_ips"] = {
        "ipv4": [here for here in local if ":" not in here],
        "ipv6": [here for here in local if ":" in here],
    }
    return found


def storage_network_facts(said: Said) -> Facts:
    """Names by which storage networks know the host."""
    ports = sorted(path for path in said.files if path.startswith("/sys/class/fc_host/"))
    iqn = re.search(r"^InitiatorName=(.*)", said.file("/etc/iscsi/initiatorname.iscsi") or "", re.MULTILINE)
    nqn = re.search(r"^(nqn\..*)", said.file("/etc/nvme/hostnqn") or "", re.MULTILINE)
    return {
        "fibre_channel_wwn": [(said.file(path) or "")[2:] for path in ports],
        "iscsi_iqn": iqn[1].strip() if iqn else "",
        "hostnqn": nqn[1].strip() if nqn else "",
    }


def _interface(said: Said, name: str) -> Facts:
    def value(what: str) -> str | None:
        return said.file(f"{_NET}{name}/{what}")

    found: Facts = {"device": name}
    address, mtu, state, kind = (value(what) for what in ("address", "mtu", "operstate", "type"))
    if address and address != "00:00:00:00:00:00":
        found["macaddress"] = address
    if mtu:
        found["mtu"] = integer(mtu)
    if state:
        found["active"] = state != "down"
    module = said.links.get(f"{_NET}{name}/device/driver/module")
    if module:
        found["module"] = module.rpartition("/")[2]
    if kind:
        found["type"] = _TYPES.get(kind, "unknown")
    found |= _bridge(said, name) | _bonding(said, name)
    device = said.links.get(f"{_NET}{name}/device")
    if device:
        found["pciid"] = device.rpartition("/")[2]
    if speed := value("speed"):
        found["speed"] = integer(speed)
    flags = value("flags") or ""
    if re.fullmatch("0x[0-9a-fA-F]+", flags):
        found["promisc"] = bool(int(flags, 16) & _PROMISCUOUS)
    return found


def _bridge(said: Said, name: str) -> Facts:
    number = said.file(f"{_NET}{name}/bridge/bridge_id")
    if number is None:
        return {}
    parts = (path.rpartition("/brif/") for path in said.lines("bridges"))
    inside = [member for bridge, _, member in parts if bridge.endswith(f"/{name}") and member != "*"]
    stp = said.file(f"{_NET}{name}/bridge/stp_state") == "1"
    return {"type": "bridge", "interfaces": inside, "id": number, "stp": stp}


def _bonding(said: Said, name: str) -> Facts:
    mode = said.file(f"{_NET}{name}/bonding/mode")
    permanent = said.file(f"{_NET}{name}/bonding_slave/perm_hwaddr")
    found: Facts = {} if permanent is None else {"perm_macaddress": permanent}
    if mode is None:
        return found
    found |= {"type": "bonding", "slaves": (said.file(f"{_NET}{name}/bonding/slaves") or "").split()}
    for key in ("mode", "miimon", "lacp_rate"):
        found[key] = next(iter((said.file(f"{_NET}{name}/bonding/{key}") or "").split()), "")
    if primary := said.file(f"{_NET}{name}/bonding/primary"):
        found["primary"] = primary
        found["all_slaves_active"] = said.file(f"{_NET}{name}/bonding/all_slaves_active") == "1"
    return found


def _addresses(said: Said) -> list[tuple[str, list[str], str]]:
    """Of each line of ``ip -o addr``: the device, the words from ``inet`` on, and the address's label."""
    found = []
    for line in said.lines("addresses"):
        words = line.partition("\\")[0].split()
        if len(words) > 3 and words[2] in ("inet", "inet6"):
            found.append((words[1].partition("@")[0].rstrip(":"), words[2:], words[-1]))
    # As the reference does, which asks for each device's first addresses, and for the others then.
    return sorted(found, key=lambda entry: (entry[0], "secondary" in entry[1]))


def _default(said: Said, asked: str) -> Facts:
    """The way to an address of the world, which was asked for."""
    words = next((words for line in said.lines("addresses") if (words := line.split())[:1] == [asked]), [])
    found: Facts = {}
    names = {"dev": "interface", "src": "address", "via": "gateway"}
    for word, value in pairwise(words):
        if word in names and value != asked:
            found[names[word]] = value
    return found


def _local(said: Said) -> list[str]:
    words = (line.split() for line in said.lines("addresses"))
    return list(dict.fromkeys(found[1] for found in words if len(found) > 1 and found[0] == "local"))


def _add_ipv4(
    interfaces: dict[str, Facts], device: Facts, words: list[str], label: str, default: Facts, every: list[str]
) -> None:
    address, _, length = words[1].partition("/")
    try:
        network = IPv4Interface(f"{address}/{length or 32}")
    except ValueError:
        return
    broadcast = words[3] if len(words) > 3 and words[2] == "brd" else ""
    found: dict[str, Any] = {"address": address, "broadcast": broadcast, "netmask": str(network.netmask)}
    found |= {"network": str(network.network.network_address), "prefix": length or "32"}
    own = device if label == device.get("device") else interfaces.setdefault(label, {})
    secondary = "secondary" in words
    if secondary or "ipv4" in own:
        own.setdefault("ipv4_secondaries", []).append(found)
    else:
        own["ipv4"] = found
    if secondary and own is not device:
        device.setdefault("ipv4_secondaries", []).append(found)
    if default.get("address") == address:
        default |= {key: found[key] for key in ("broadcast", "netmask", "network", "prefix")}
        default |= {"macaddress": device.get("macaddress", ""), "mtu": device.get("mtu"), "alias": label}
        default["type"] = device.get("type", "unknown")
    if not address.startswith("127."):
        every.append(address)


def _add_ipv6(device: Facts, words: list[str], default: Facts, every: list[str]) -> None:
    address, _, prefix = words[1].partition("/")
    if "peer" in words[2:3] and len(words) > 3:
        prefix = words[3].partition("/")[2]
    scope = next((value for word, value in pairwise(words) if word == "scope"), "")
    device.setdefault("ipv6", []).append({"address": address, "prefix": prefix, "scope": scope})
    if default.get("address") == address:
        default |= {"prefix": prefix, "scope": scope, "macaddress": device.get("macaddress", "")}
        default |= {"mtu": device.get("mtu"), "type": device.get("type", "unknown")}
    if address != "::1":
        every.append(address)
