"""Filters over IP and hardware addresses beside ``ipaddr``, by netaddr.

Names, arguments and results are those that ansible.utils documents for its filters of the same names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import netaddr
from jinja2.exceptions import FilterArgumentError
from netaddr import IPAddress, IPNetwork
from netaddr.core import AddrFormatError

from drumline.templating.bounds import limit_items
from drumline.templating.ipaddr import of_each, read_address


def _network(text: Any) -> IPNetwork:
    try:
        return IPNetwork(str(text))
    except (AddrFormatError, ValueError):
        raise FilterArgumentError(f"'{text}' is neither an address nor a network.") from None


def _one_address(text: Any) -> IPAddress:
    return _network(text).ip


def ipsubnet(value: Any, query: Any = "", index: Any = None) -> Any:
    """Subnets: how many of a prefix are in the network, or which one; the supernet of an address of a prefix."""
    given = read_address(value, False)
    if given is None:
        return False
    network = given.network.cidr
    if str(query) == "":
        return str(network)
    if not str(query).isdigit():
        return _place_in(network, _network(query))
    prefix = int(query)
    longest = 32 if given.version == 4 else 128
    if not 0 <= prefix <= longest:
        raise FilterArgumentError(f"'ipsubnet' takes a prefix up to {longest}, not {prefix}.")
    if prefix < network.prefixlen or given.single:
        return _above(network, prefix, index)
    count = 1 << (prefix - network.prefixlen)
    if index is None:
        return str(count)
    number = int(index) + (count if int(index) < 0 else 0)
    if not 0 <= number < count:
        return False
    first = int(network.first) + number * (1 << (longest - prefix))
    return str(IPNetwork((first, prefix), version=given.version))


def _above(network: IPNetwork, prefix: int, index: Any) -> Any:
    found = network.supernet(prefix) if network.prefixlen > prefix else [network]
    if index is None:
        return str(found[0])
    try:
        return str(found[int(index)])
    except IndexError:
        return False


def _place_in(network: IPNetwork, around: IPNetwork) -> Any:
    if network not in around:
        raise FilterArgumentError(f"{network} is not in {around}.")
    return str((int(network.first) - int(around.first)) // int(network.size) + 1)


def ipmath(value: Any, amount: Any) -> str:
    """The address this many places after this one, or, if negative, before it."""
    try:
        return str(_one_address(value) + int(amount))
    except (ValueError, TypeError, IndexError):
        raise FilterArgumentError(f"'ipmath' adds a whole number to an address, not '{amount}'.") from None


def nthhost(value: Any, query: Any = "") -> Any:
    """The nth address of a network."""
    network = _network(value)
    try:
        return str(network[int(query)])
    except (ValueError, IndexError):
        return False


def _at_distance(sign: int, value: Any, offset: Any) -> Any:
    given = read_address(value, False)
    usable = given.usable() if given else None
    if given is None:
        return False
    if usable is None:
        return None
    number = int(given.address) + sign * int(offset)
    return str(IPAddress(number, given.version)) if usable[0] <= number <= usable[1] else None


def next_nth_usable(value: Any, offset: Any) -> Any:
    """The nth address of hosts after this one, in its network."""
    return _at_distance(1, value, offset)


def previous_nth_usable(value: Any, offset: Any) -> Any:
    """The nth address of hosts before this one, in its network."""
    return _at_distance(-1, value, offset)


def network_in_network(value: Any, test: Any) -> bool:
    """Whether the second one lies in the first."""
    return _network(test) in _network(value)


def network_in_usable(value: Any, test: Any) -> bool:
    """Whether the second one lies among the addresses of hosts of the first."""
    around, inner = read_address(value, False), _network(test)
    usable = around.usable() if around else None
    if usable is None:
        return False
    return usable[0] <= int(inner.first) and int(inner.last) <= usable[1]


def reduce_on_network(value: Iterable[Any], network: Any) -> list[Any]:
    """The addresses of the list that lie in the network."""
    return [one for one in value if network_in_network(network, one)]


def cidr_merge(value: Iterable[Any], action: str = "merge") -> Any:
    """The networks as few as will do; with ``span`` the smallest one around them all."""
    networks = [_network(one) for one in value]
    if action == "merge":
        return [str(one) for one in netaddr.cidr_merge(networks)]
    if action != "span":
        raise FilterArgumentError(f"'cidr_merge' does 'merge' and 'span', not '{action}'.")
    if len(networks) < 2:
        return str(networks[0]) if networks else None
    return str(netaddr.spanning_cidr(networks))


def usable_range(ip: Any) -> dict[str, Any]:
    """All addresses of a network, and how many they are."""
    network = _network(ip)
    limit_items(network.size)
    return {"usable_ips": [str(one) for one in network], "number_of_ips": int(network.size)}


def ip4_hex(value: Any, delimiter: str = "") -> str:
    """An IPv4 address in hexadecimal."""
    return str(delimiter).join(f"{byte:02x}" for byte in int(_one_address(value)).to_bytes(4, "big"))


def slaac(value: Any, query: Any = "") -> Any:
    """The address that a network card of this hardware address makes for itself in an IPv6 network."""
    given = read_address(value, 6)
    if given is None:
        return False
    try:
        return str(netaddr.EUI(str(query)).ipv6(given.network.first))
    except (AddrFormatError, ValueError):
        return False


_DIALECTS = {
    "bare": netaddr.mac_bare,
    "cisco": netaddr.mac_cisco,
    **dict.fromkeys(("eui48", "win"), netaddr.mac_eui48),
    **dict.fromkeys(("linux", "unix"), netaddr.mac_unix_expanded),
    **dict.fromkeys(("pgsql", "postgresql", "psql"), netaddr.mac_pgsql),
}


def hwaddr(value: Any, query: str = "", alias: str = "hwaddr") -> Any:
    """A hardware address as another program writes it; false for anything else."""

    def asked(one: Any) -> Any:
        try:
            found = netaddr.EUI(str(one))
        except (AddrFormatError, ValueError):
            return None if query == "" else False
        if query in ("", "bool"):
            return one if query == "" else True
        if query == "int":
            return int(found)
        if query not in _DIALECTS:
            raise FilterArgumentError(f"{alias}: unknown filter type: {query}")
        return found.format(_DIALECTS[query])

    return of_each(value, asked)


def macaddr(value: Any, query: str = "") -> Any:
    """The same."""
    return hwaddr(value, query, "macaddr")
