"""Tests of addresses, with the examples that ansible.utils documents for its tests of the same names."""

from __future__ import annotations

from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.templating.templates import Templating

CASES = [
    ("'10.1.1.1' is ansible.utils.ip", True),
    ("'10.0.0.0/8' is ansible.utils.ip", True),
    ("'2001:db8::/32' is ansible.utils.ip", True),
    ("'host' is ansible.utils.ip", False),
    ("'10.1.1.1' is ansible.utils.ip_address", True),
    ("'10.0.0.0/8' is ansible.utils.ip_address", False),
    ("'10.0.0.0/8' is ansible.utils.ipv4", True),
    ("'2001:db8::' is ansible.utils.ipv4", False),
    ("'10.1.1.1' is ansible.utils.ipv4_address", True),
    ("'255.255.255.0' is ansible.utils.ipv4_netmask", True),
    ("'255.0.255.0' is ansible.utils.ipv4_netmask", False),
    ("'0.0.0.255' is ansible.utils.ipv4_hostmask", True),
    ("'2001:db8::/32' is ansible.utils.ipv6", True),
    ("'2001:db8::1' is ansible.utils.ipv6_address", True),
    ("'::ffff:10.1.1.1' is ansible.utils.ipv6_ipv4_mapped", True),
    ("'2002:c0a8:6301:1::1' is ansible.utils.ipv6_sixtofour", True),
    ("'2001::c0a8:6301:1' is ansible.utils.ipv6_teredo", True),
    ("'127.0.0.1' is ansible.utils.loopback", True),
    ("'224.0.0.1' is ansible.utils.multicast", True),
    ("'10.1.1.1' is ansible.utils.private", True),
    ("'8.8.8.8' is ansible.utils.public", True),
    ("'253.0.0.1' is ansible.utils.reserved", True),
    ("'0.0.0.0' is ansible.utils.unspecified", True),
    ("'02:16:3e:e4:16:f3' is ansible.utils.mac", True),
    ("'02:16:3e:e4:16' is ansible.utils.mac", False),
    ("'127.0.0.1' is ansible.utils.resolvable", True),
    ("'10.1.1.1' is ansible.utils.in_network('10.0.0.0/8')", True),
    ("'10.1.1.1' is ansible.utils.in_any_network(['10.0.0.0/8', '192.168.0.0/16'])", True),
    ("'10.1.1.1' is ansible.utils.in_one_network(['10.0.0.0/8', '10.1.0.0/16'])", False),
    ("'10.1.1.0/24' is ansible.utils.subnet_of('10.0.0.0/8')", True),
    ("'10.0.0.0/8' is ansible.utils.supernet_of('10.1.1.0/24')", True),
    ("'10.0.0.0/8' is ansible.utils.supernet_of('2001:db8::/32')", False),
]


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_addresses(expression: str, expected: Any) -> None:
    assert Templating().condition([Template(expression, Position("test"), bare=True)], {}) is expected
