"""Filters over IP and hardware addresses, by netaddr.

Names, arguments and results are those that ansible.utils documents for its filters of the same names. In most of them
a list gives the list of what its items give, without those that give nothing, and what is no address gives false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import netaddr
from jinja2.exceptions import FilterArgumentError
from netaddr import IPAddress, IPNetwork
from netaddr.core import AddrFormatError

from drumline.templating.bounds import limit_items

_LOOPBACK = ("127.0.0.0/8", "::1/128")
_LINK_LOCAL = ("169.254.0.0/16", "fe80::/10")


class _Given:
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


def _read(value: Any, version: Any) -> _Given | None:
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
    return _Given(found, text, is_network, str(value).isdigit())


def _each(value: Any, work: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [found for found in map(work, value) if found]
    return work(value)


def ipaddr(value: Any, query: Any = "", version: Any = False, alias: str = "ipaddr") -> Any:
    """What is asked of an address or a network, such as ``network``, ``netmask``, ``size``, ``192.0.2.0/24``, ``1``."""

    def asked(one: Any) -> Any:
        given = _read(one, version)
        return False if given is None else _answer(given, str(query), alias)

    return _each(value, asked)


def ipv4(value: Any, query: Any = "") -> Any:
    """The same of IPv4 only."""
    return ipaddr(value, query, 4, "ipv4")


def ipv6(value: Any, query: Any = "") -> Any:
    """The same of IPv6 only."""
    return ipaddr(value, query, 6, "ipv6")


def ipwrap(value: Any, query: Any = "") -> Any:
    """IPv6 addresses in brackets; all else as it is."""

    def wrapped(one: Any) -> Any:
        given = _read(one, False)
        if given is None:
            return one
        shown = _empty(given)
        if given.version == 4:
            return shown
        address, slash, prefix = shown.partition("/")
        return f"[{address}]{slash}{prefix}"

    def of_list(one: Any) -> Any:
        given = _read(one, False)  # of a list IPv4 stays as it is written
        return wrapped(one) if given is None or given.version == 6 else given.written

    return [of_list(one) for one in value] if isinstance(value, (list, tuple)) else wrapped(value)


def _answer(given: _Given, query: str, alias: str) -> Any:
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


def _shown(given: _Given) -> str:
    return str(given.network) if "/" in given.written else str(given.address)


def _empty(given: _Given) -> str:
    return str(given.address) if given.number else _shown(given)


def _with_prefix(given: _Given, number: int) -> str:
    return f"{IPAddress(number, given.version)}/{given.network.prefixlen}"


def _nth(given: _Given, number: int) -> Any:
    size = given.network.size
    if size == 1:
        return str(given.address) if given.number else given.written
    if not -size <= number < size:
        return False
    place = int(given.network.first) + number if number >= 0 else int(given.network.last) + 1 + number
    return _with_prefix(given, place)


def _address(given: _Given) -> Any:
    return None if given.is_network and given.version == 4 else str(given.address)


def _address_prefix(given: _Given) -> Any:
    return False if given.is_network else str(given.network)


def _ip_prefix(given: _Given) -> Any:
    return None if given.is_network or given.single else str(given.network)


def _ip_netmask(given: _Given) -> Any:
    return None if given.is_network or given.single else f"{given.address} {given.network.netmask}"


def _cidr(given: _Given) -> str:
    return f"{given.network.network}/{given.network.prefixlen}"


def _end_usable(place: int) -> Callable[[_Given], Any]:
    def found(given: _Given) -> Any:
        usable = given.usable()
        return str(IPAddress(usable[place], given.version)) if usable else None

    return found


def _neighbour(step: int) -> Callable[[_Given], Any]:
    def found(given: _Given) -> Any:
        usable = given.usable()
        number = int(given.address) + step
        if usable is None or not usable[0] <= number <= usable[1]:
            return None
        return str(IPAddress(number, given.version))

    return found


def _range(given: _Given) -> Any:
    usable = given.usable()
    return "-".join(str(IPAddress(number, given.version)) for number in usable) if usable else None


def _size_usable(given: _Given) -> int:
    usable = given.usable() if "/" in given.written and not given.number else None
    return usable[1] - usable[0] + 1 if usable else 0


def _among(networks: Iterable[str], outside: bool = False) -> Callable[[_Given], Any]:
    def found(given: _Given) -> Any:
        inside = any(given.network in IPNetwork(network) for network in networks)
        return given.written if inside is not outside else None

    return found


def _public(given: _Given) -> Any:
    address = given.address
    return given.written if address.is_unicast() and address.is_global() else None


def _private(given: _Given) -> Any:
    return None if given.address.is_global() else given.written


def _number(given: _Given) -> Any:
    plain = "/" not in given.written or given.number
    return int(given.address) if plain else f"{int(given.address)}/{given.network.prefixlen}"


def _peer(given: _Given) -> Any:
    size = given.network.size
    if size == 2:
        return str(IPAddress(int(given.address) ^ 1, given.version))
    if size == 4 and not given.is_network:
        return str(IPAddress(int(given.address) ^ 3, given.version))
    raise FilterArgumentError("Not a point-to-point network")


def _six_to_four(given: _Given) -> Any:
    if given.version == 6:
        return given.written if given.network in IPNetwork("2002::/16") else False
    if given.is_network or not given.address.is_unicast():
        return False
    high, low = divmod(int(given.address), 1 << 16)
    return f"2002:{high:04x}:{low:04x}::1/48"


def _of_version(version: int) -> Callable[[_Given], Any]:
    def found(given: _Given) -> Any:
        if given.version == version:
            return given.written
        if version == 6:
            return str(IPNetwork(f"{given.address.ipv6()}/{given.network.prefixlen + 96}"))
        try:
            return str(given.network.ipv4())
        except netaddr.AddrConversionError:
            return False

    return found


def _wrapped(given: _Given) -> Any:
    return given.written if given.version == 4 else ipwrap(given.written)


_QUERIES: dict[str, Callable[[_Given], Any]] = {
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
    "ip_netmask": lambda given: (
        None if given.is_network or given.single else f"{given.address} {given.network.netmask}"
    ),
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


def _network(text: Any) -> IPNetwork:
    try:
        return IPNetwork(str(text))
    except (AddrFormatError, ValueError):
        raise FilterArgumentError(f"'{text}' is neither an address nor a network.") from None


def _one_address(text: Any) -> IPAddress:
    return _network(text).ip


def ipsubnet(value: Any, query: Any = "", index: Any = None) -> Any:
    """Subnets: how many of a prefix are in the network, or which one; the supernet of an address of a prefix."""
    given = _read(value, False)
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
    """The address that lies so many after this one, or before it."""
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


def _steps(sign: int, value: Any, offset: Any) -> Any:
    given = _read(value, False)
    usable = given.usable() if given else None
    if given is None:
        return False
    if usable is None:
        return None
    number = int(given.address) + sign * int(offset)
    return str(IPAddress(number, given.version)) if usable[0] <= number <= usable[1] else None


def next_nth_usable(value: Any, offset: Any) -> Any:
    """The nth address of hosts after this one, in its network."""
    return _steps(1, value, offset)


def previous_nth_usable(value: Any, offset: Any) -> Any:
    """The nth address of hosts before this one, in its network."""
    return _steps(-1, value, offset)


def network_in_network(value: Any, test: Any) -> bool:
    """Whether the second one lies in the first."""
    return _network(test) in _network(value)


def network_in_usable(value: Any, test: Any) -> bool:
    """Whether the second one lies among the addresses of hosts of the first."""
    around, inner = _read(value, False), _network(test)
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
    given = _read(value, 6)
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
    """A hardware address as another program writes it; false for what is none."""

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

    return _each(value, asked)


def macaddr(value: Any, query: str = "") -> Any:
    """The same."""
    return hwaddr(value, query, "macaddr")
