"""Tests (``x is …``) of IP and hardware addresses.

Names, arguments and results are those that ansible.utils documents for its tests of the same names.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

_MAC = re.compile(
    r"(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12}", re.I
)


def _address(value: Any) -> Address | None:
    try:
        return ipaddress.ip_address(str(value))
    except ValueError:
        return None


def _network(value: Any) -> Network | None:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError:
        return None


def ip(value: Any) -> bool:
    """An address or a network."""
    return _network(value) is not None


def ip_address(value: Any) -> bool:
    """One address."""
    return _address(value) is not None


def ipv4(value: Any) -> bool:
    """An address or a network of IPv4."""
    return isinstance(_network(value), IPv4Network)


def ipv4_address(value: Any) -> bool:
    """One address of IPv4."""
    return isinstance(_address(value), IPv4Address)


def ipv6(value: Any) -> bool:
    """An address or a network of IPv6."""
    return isinstance(_network(value), IPv6Network)


def ipv6_address(value: Any) -> bool:
    """One address of IPv6."""
    return isinstance(_address(value), IPv6Address)


def _bits(value: Any) -> str | None:
    found = _address(value)
    return f"{int(found):032b}" if isinstance(found, IPv4Address) else None


def ipv4_netmask(value: Any) -> bool:
    """A mask such as 255.255.255.0."""
    bits = _bits(value)
    return bits is not None and "01" not in bits


def ipv4_hostmask(value: Any) -> bool:
    """A mask such as 0.0.0.255."""
    bits = _bits(value)
    return bits is not None and "10" not in bits


def ipv6_ipv4_mapped(value: Any) -> bool:
    """An address of IPv4 written as one of IPv6."""
    found = _address(value)
    return isinstance(found, IPv6Address) and found.ipv4_mapped is not None


def ipv6_sixtofour(value: Any) -> bool:
    """An address of 6to4."""
    found = _address(value)
    return isinstance(found, IPv6Address) and found.sixtofour is not None


def ipv6_teredo(value: Any) -> bool:
    """An address of Teredo."""
    found = _address(value)
    return isinstance(found, IPv6Address) and found.teredo is not None


def _has(value: Any, is_so: Callable[[Address | Network], bool]) -> bool:
    found = _address(value) or _network(value)
    return found is not None and is_so(found)


def loopback(value: Any) -> bool:
    """It is of this machine itself."""
    return _has(value, lambda found: found.is_loopback)


def multicast(value: Any) -> bool:
    """It is one for many receivers."""
    return _has(value, lambda found: found.is_multicast)


def private(value: Any) -> bool:
    """It is of a private network."""
    return _has(value, lambda found: found.is_private)


def public(value: Any) -> bool:
    """It is one of the whole internet."""
    return _has(value, lambda found: found.is_global)


def reserved(value: Any) -> bool:
    """It is reserved."""
    return _has(value, lambda found: found.is_reserved)


def unspecified(value: Any) -> bool:
    """It stands for none."""
    return _has(value, lambda found: found.is_unspecified)


def mac(value: Any) -> bool:
    """A hardware address."""
    return _MAC.fullmatch(str(value)) is not None


def resolvable(value: Any) -> bool:
    """A name or address that this machine can look up."""
    try:
        socket.getaddrinfo(str(value), None)
    except (OSError, UnicodeError):
        return False
    return True


def _within(inner: Network | None, outer: Network | None) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def in_network(value: Any, network: Any) -> bool:
    """The address or network lies in the other one."""
    return _within(_network(value), _network(network))


def in_any_network(value: Any, networks: Iterable[Any]) -> bool:
    """It lies in one of these, or several."""
    return any(in_network(value, network) for network in networks)


def in_one_network(value: Any, networks: Iterable[Any]) -> bool:
    """It lies in just one of these."""
    return sum(in_network(value, network) for network in networks) == 1


def subnet_of(value: Any, network: Any) -> bool:
    """The network lies in the other one."""
    return in_network(value, network)


def supernet_of(value: Any, network: Any) -> bool:
    """The other network lies in it."""
    return in_network(network, value)
