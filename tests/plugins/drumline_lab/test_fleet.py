"""Which hosts a fleet has, and what the inventory says of them."""

from __future__ import annotations

import json

import pytest
import yaml

from drumline_lab import inventory
from drumline_lab.fleet import Host, linux_names, loopback


@pytest.mark.parametrize("count", range(1, 8))
def test_every_role_is_there_and_no_host_is_idle(count):
    names = linux_names(count)
    assert len({name for name, _ in names}) == count
    assert {group for _, groups in names for group in groups} == {"web", "db", "lb"}
    assert all(groups for _, groups in names)


def test_three_linux_hosts():
    assert linux_names(3) == [("lb1", ("lb",)), ("db1", ("db",)), ("web1", ("web",))]
    assert linux_names(0) == []


def test_every_host_has_an_address_of_its_own():
    addresses = [loopback(network, number) for network in (1, 2) for number in range(1, 1001)]
    assert len(set(addresses)) == 2000
    assert all(address.startswith("127.") for address in addresses)


def test_the_inventory_holds_everything_as_it_is():
    hosts = [
        _host("lb1", "linux", ("lb",), {"ansible_connection": "ssh"}),
        _host("app1", "windows", ("app",), {"ansible_password": 'a"\\: #{ö'}),
    ]
    groups = yaml.safe_load(inventory.render(hosts))["all"]["children"]
    assert list(groups) == ["linux", "windows"]
    assert groups["linux"]["children"] == {"lb": {"hosts": {"lb1": None}}}
    app = groups["windows"]["hosts"]["app1"]
    assert app["ansible_password"] == 'a"\\: #{ö'
    assert (app["ansible_host"], app["ansible_port"], app["ansible_user"]) == ("127.0.0.9", 5, "me")
    assert app["lab_root"] == r"C:\lab"


def test_a_host_survives_json():
    host = _host("app1", "windows", ("app", "x"), {"a": "b"})
    assert Host.from_json(json.loads(json.dumps(host.to_json()))) == host


def _host(name, kind, groups, variables):
    return Host(
        name=name,
        kind=kind,
        address="127.0.0.9",
        port=5,
        groups=groups,
        behind="x",
        root=r"C:\lab",
        user="me",
        variables=variables,
    )
