"""``ipaddr`` and the filters like it: what is asked of an IP address or a network, by netaddr.

Names, arguments and results are those that ansible.utils documents for its filters of the same names. A list gives the
list of what its items give, without those that give nothing, and what isn't an address gives false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import netaddr
from jinja2.exceptions import FilterArgumentError
from netaddr import IPAddress, IPNetwork
from netaddr.core import AddrFormatError

_LOOPBACK = ("127.0.0.0/8", "::1/128")
_LINK_LOCAL = ("169.254.0.0/16", "fe80::/10")


class Given:
    """An address or network as it was written."""

    def __init__(self, network: IPNetwork, written: str, is_network: bool, number: bool) -> None:
        self.network = network
        self.written = written
        #: It was written as a number.
        self.number = number
        #: It is a network rather than the address of a host (with or without a prefix).
        self.is_network = is_network

    @property
    def address(self) -> IPAddress:
        return self.network.ip

    @property
    def version(self) -> Any:
        """4 or 6."""
        return self.network.version

    @property
    def single(self) -> bool:
        """It is one address and no network around it."""
        return bool(self.network.prefixlen == (32 if self.version == 4 else 128))

    def usable(self) -> tuple[int, int] | None:
        """The first and the last address of hosts in its network; None for what has a prefix for one address."""
        network = self.network
        if "/" not in self.written or self.number:
            raise FilterArgumentError(f"'{self.written}' is not a network address.")
        if network.size == 1:
            return None
        if network.size == 2:
            return int(network.first), int(network.last)
        return int(network.first) + 1, int(network.last) - 1


def read_address(value: Any, version: Any) -> Given | None:
    """None for what is no address, or none of this version (4, 6, false: any)."""
    if isinstance(value, bool) or value in (None, ""):
        return None
    text = str(value)
    try:
        if text.isdigit():
            found = IPNetwork(IPAddress(int(text), version if version in (4, 6) else None))
        else:
            found = IPNetwork(text)
            if "/" not in text and found.version == 4 and text.count(".") != 3:
                return None
    except (AddrFormatError, ValueError, TypeError):
        return None
    if version and found.version != version:
        return None
    if text.isdigit():
        text = str(found)
    single = found.prefixlen == (32 if found.version == 4 else 128)
    is_network = not single and found.ip == found.network
    return Given(found, text, is_network, str(value).isdigit())


def of_each(value: Any, work: Callable[[Any], Any]) -> Any:
    """What the work gives of a value, or of each in a list."""
    if isinstance(value, (list, tuple)):
        return [found for found in map(work, value) if found]
    return work(value)


def ipaddr(value: Any, query: Any = "", version: Any = False, alias: str = "ipaddr") -> Any:
    """What is asked of an address or a network, such as ``network``, ``netmask``, ``size``, ``192.0.2.0/24``, ``1``."""

    def asked(one: Any) -> Any:
        given = read_address(one, version)
        return False if given is None else _answer(given, str(query), alias)

    return of_each(value, asked)


def ipv4(value: Any, query: Any = "") -> Any:
    """The same of IPv4 only."""
    return ipaddr(value, query, 4, "ipv4")


def ipv6(value: Any, query: Any = "") -> Any:
    """The same of IPv6 only."""
    return ipaddr(value, query, 6, "ipv6")


def ipwrap(value: Any, query: Any = "") -> Any:
    """IPv6 addresses in brackets; all else as it is."""

    def wrapped(one: Any) -> Any:
        given = read_address(one, False)
        if given is None:
            return one
        shown = _empty(given)
        if given.version == 4:
            return shown
        address, slash, prefix = shown.partition("/")
        return f"[{address}]{slash}{prefix}"

    def of_list(one: Any) -> Any:
        given = read_address(one, False)  # of a list IPv4 stays as it is written
        return wrapped(one) if given is None or given.version == 6 else given.written

    return [of_list(one) for one in value] if isinstance(value, (list, tuple)) else wrapped(value)


def _answer(given: Given, query: str, alias: str) -> Any:
    work = _QUERIES.get(query)
    if work is not None:
        return work(given)
    if query.lstrip("-").isdigit():
        return _nth(given, int(query))
    try:
        among = IPNetwork(query)
    except (AddrFormatError, ValueError):
        raise FilterArgumentError(f"{alias}: unknown filter type: {query}") from None
    return given.written if given.network in among else None


def _shown(given: Given) -> str:
    return str(given.network) if "/" in given.written else str(given.address)


def _empty(given: Given) -> str:
    return str(given.address) if given.number else _shown(given)


def _with_prefix(given: Given, number: int) -> str:
    return f"{IPAddress(number, given.version)}/{given.network.prefixlen}"


def _nth(given: Given, number: int) -> Any:
    size = given.network.size
    if size == 1:
        return str(given.address) if given.number else given.written
    if not -size <= number < size:
        return False
    place = int(given.network.first) + number if number >= 0 else int(given.network.last) + 1 + number
    return _with_prefix(given, place)


def _address(given: Given) -> Any:
    return None if given.is_network and given.version == 4 else str(given.address)


def _address_prefix(given: Given) -> Any:
    return False if given.is_network else str(given.network)


def _ip_prefix(given: Given) -> Any:
    return None if given.is_network or given.single else str(given.network)


def _ip_netmask(given: Given) -> Any:
    return None if given.is_network or given.single else f"{given.address} {given.network.netmask}"


def _cidr(given: Given) -> str:
    return f"{given.network.network}/{given.network.prefixlen}"


def _end_usable(place: int) -> Callable[[Given], Any]:
    def found(given: Given) -> Any:
        usable = given.usable()
        return str(IPAddress(usable[place], given.version)) if usable else None

    return found


def _neighbour(step: int) -> Callable[[Given], Any]:
    def found(given: Given) -> Any:
        usable = given.usable()
        number = int(given.address) + step
        if usable is None or not usable[0] <= number <= usable[1]:
            return None
        return str(IPAddress(number, given.version))

    return found


def _range(given: Given) -> Any:
    usable = given.usable()
    return "-".join(str(IPAddress(number, given.version)) for number in usable) if usable else None


def _size_usable(given: Given) -> int:
    usable = given.usable() if "/" in given.written and not given.number else None
    return usable[1] - usable[0] + 1 if usable else 0


def _among(networks: Iterable[str], outside: bool = False) -> Callable[[Given], Any]:
    def found(given: Given) -> Any:
        inside = any(given.network in IPNetwork(network) for network in networks)
        return given.written if inside is not outside else None

    return found


def _public(given: Given) -> Any:
    address = given.address
    return given.written if address.is_unicast() and address.is_global() else None


def _private(given: Given) -> Any:
    return None if given.address.is_global() else given.written


def _number(given: Given) -> Any:
    plain = "/" not in given.written or given.number
    return int(given.address) if plain else f"{int(given.address)}/{given.network.prefixlen}"


def _peer(given: Given) -> Any:
    size = given.network.size
    if size == 2:
        return str(IPAddress(int(given.address) ^ 1, given.version))
    if size == 4 and not given.is_network:
        return str(IPAddress(int(given.address) ^ 3, given.version))
    raise FilterArgumentError("Not a point-to-point network")


def _six_to_four(given: Given) -> Any:
    if given.version == 6:
        return given.written if given.network in IPNetwork("2002::/16") else False
    if given.is_network or not given.address.is_unicast():
        return False
    high, low = divmod(int(given.address), 1 << 16)
    return f"2002:{high:04x}:{low:04x}::1/48"


def _of_version(version: int) -> Callable[[Given], Any]:
    def found(given: Given) -> Any:
        if given.version == version:
            return given.written
        if version == 6:
            return str(IPNetwork(f"{given.address.ipv6()}/{given.network.prefixlen + 96}"))
        try:
            return str(given.network.ipv4())
        except netaddr.AddrConversionError:
            return False

    return found


def _wrapped(given: Given) -> Any:
    return given.written if given.version == 4 else ipwrap(given.written)


_QUERIES: dict[str, Callable[[Given], Any]] = {
    "": _empty,
    "6to4": _six_to_four,
    **dict.fromkeys(("address", "ip"), _address),
    **dict.fromkeys(("address/prefix", "gateway", "gw", "host/prefix", "hostnet", "router"), _address_prefix),
    "bool": lambda given: True,
    "broadcast": lambda given: str(given.network.broadcast) if given.network.broadcast else None,
    "cidr": lambda given: str(given.network),
    "first_usable": _end_usable(0),
    "last_usable": _end_usable(1),
    **dict.fromkeys(("hostmask", "wildcard"), lambda given: str(given.network.hostmask)),
    "host": lambda given: None if given.is_network else str(given.network),
    "ip/prefix": _ip_prefix,
    "int": _number,
    "ip_netmask": _ip_netmask,
    **dict.fromkeys(("ipv4", "v4"), _of_version(4)),
    **dict.fromkeys(("ipv6", "v6"), _of_version(6)),
    "link-local": _among(_LINK_LOCAL),
    **dict.fromkeys(("lo", "loopback"), _among(_LOOPBACK)),
    "multicast": lambda given: given.written if given.address.is_multicast() else None,
    "net": lambda given: str(given.network) if given.is_network and not given.single else None,
    "netmask": lambda given: str(given.network.netmask),
    **dict.fromkeys(("network", "network_id"), lambda given: str(given.network.network)),
    **dict.fromkeys(("network/prefix", "subnet"), _cidr),
    "network_netmask": lambda given: f"{given.network.network} {given.network.netmask}",
    "network_wildcard": lambda given: f"{given.network.network} {given.network.hostmask}",
    "next_usable": _neighbour(1),
    "previous_usable": _neighbour(-1),
    "peer": _peer,
    "prefix": lambda given: int(given.network.prefixlen),
    "private": _private,
    "public": _public,
    "range_usable": _range,
    "revdns": lambda given: str(given.address.reverse_dns),
    "size": lambda given: int(given.network.size),
    "size_usable": _size_usable,
    "type": lambda given: "network" if given.is_network else "address",
    "unicast": lambda given: given.written if given.address.is_unicast() else None,
    "version": lambda given: given.version,
    "wrap": _wrapped,
}
