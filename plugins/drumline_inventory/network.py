"""Hosts of address ranges that answer on a port."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

from drumline.plugin import Argument, Duration, InventorySource, Position, SourceCall, SourceData
from drumline_inventory.constructed import OPTIONS
from drumline_inventory.rows import with_constructed

#: The most addresses that are tried.
_MOST = 65_536


def _read(call: SourceCall) -> SourceData:
    addresses = list(_addresses(call))
    found = _answering(call, addresses)
    hosts: dict[str, dict[str, Any]] = {}
    members: dict[str, dict[str, None]] = {}
    for address, ports in found.items():
        name = _name(address) if call["resolve"] else address
        hosts[name] = {"ansible_host": address, "open_ports": ports}
        if 22 not in ports:
            hosts[name]["ansible_port"] = ports[0]
        for port in ports:
            members.setdefault(f"port_{port}", {})[name] = None
    places = {name: Position(str(hosts[name]["ansible_host"]), 0) for name in hosts}
    data = SourceData(hosts=hosts, members=dict(members.items()), places=places, trusted=False)
    return with_constructed(call, data)


def _addresses(call: SourceCall) -> Iterator[str]:
    left = _MOST
    for text in call["networks"]:
        try:
            network = ipaddress.ip_network(str(text), strict=False)
        except ValueError as error:
            call.refuse("Not a range of addresses", f"{error}. Write it as 192.0.2.0/24.", "networks")
        left -= network.num_addresses
        if left < 0:
            call.refuse("Too many addresses", f"At most {_MOST:,} are tried: {text} has too many.", "networks")
        yield from map(str, network.hosts())


def _answering(call: SourceCall, addresses: list[str]) -> dict[str, list[int]]:
    """The open ports of each address that has any, in the order of the addresses."""
    from concurrent.futures import ThreadPoolExecutor

    ports = _ports(call)

    def tried(address: str) -> list[int]:
        return [port for port in ports if _is_open(address, port, call["connect_timeout"])]

    with ThreadPoolExecutor(max(1, call["at_once"])) as pool:
        call.undo.append(lambda: pool.shutdown(wait=False, cancel_futures=True))
        return {address: found for address, found in zip(addresses, pool.map(tried, addresses), strict=True) if found}


def _ports(call: SourceCall) -> list[int]:
    ports = [int(port) if str(port).isdecimal() else 0 for port in call["ports"]]
    if not ports or any(not 0 < port < 65_536 for port in ports):
        call.refuse("Not a port", "'ports' is a list of numbers from 1 to 65535.", "ports")
    return ports


def _is_open(address: str, port: int, timeout: float) -> bool:
    try:
        with socket.create_connection((address, port), timeout):
            return True
    except OSError:
        return False


def _name(address: str) -> str:
    try:
        return socket.gethostbyaddr(address)[0]
    except OSError:
        return address


SOURCE = InventorySource(
    name="network",
    read=_read,
    waits=True,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="networks", type=list, required=True, help="Ranges of addresses: `192.0.2.0/24`."),
        Argument(name="ports", type=list, default=[22], help="The ports of which a host has to answer on one."),
        Argument(name="connect_timeout", type=Duration, default=1.0, help="Seconds to wait for one answer."),
        Argument(name="at_once", type=int, default=64, help="How many addresses are tried at the same time."),
        Argument(name="resolve", type=bool, default=False, help="Whether hosts get the names that DNS has for them."),
        *OPTIONS,
    ),
)
