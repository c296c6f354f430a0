"""Which hosts a fleet has, and what the inventory says of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from drumline_lab import inventory
from drumline_lab.fleet import Fleet, FleetHost, FleetRequest, answers, linux_names, loopback
from drumline_lab.sshd import Sshd


@pytest.mark.parametrize("count", range(1, 8))
def test_every_role_is_there_and_no_host_is_idle(count: int) -> None:
    names = linux_names(count)
    assert len({name for name, _ in names}) == count
    assert {group for _, groups in names for group in groups} == {"web", "db", "lb"}
    assert all(groups for _, groups in names)


def test_three_linux_hosts() -> None:
    assert linux_names(3) == [("lb1", ("lb",)), ("db1", ("db",)), ("web1", ("web",))]
    assert linux_names(0) == []


def test_every_host_has_an_address_of_its_own() -> None:
    addresses = [loopback(network, number) for network in (1, 2) for number in range(1, 1001)]
    assert len(set(addresses)) == 2000
    assert all(address.startswith("127.") for address in addresses)


def test_the_inventory_holds_everything_as_it_is() -> None:
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


def test_a_host_survives_json() -> None:
    host = _host("app1", "windows", ("app", "x"), {"a": "b"})
    assert FleetHost.from_json(json.loads(json.dumps(host.to_json()))) == host


def _host(
    name: str, kind: Literal["linux", "windows"], groups: tuple[str, ...], variables: dict[str, str]
) -> FleetHost:
    return FleetHost(
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


def test_without_sshd_the_lab_has_an_ssh_server_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drumline_lab.fleet.find_sshd", lambda: None)
    fleet = Fleet(tmp_path, FleetRequest(linux=1, windows=0), "token")
    try:
        (host,) = fleet.start()
        assert "no sshd is installed" in host.behind
        assert answers(host)
        options = host.variables["ansible_ssh_common_args"].split()
        command = ["ssh", "-F", "none", "-i", host.variables["ansible_ssh_private_key_file"], *options]
        command += ["-p", str(host.port), "-l", host.user, host.address, "echo here; exit 3"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == ("here\n", 3), done.stderr
    finally:
        fleet.stop()
    assert not answers(host, timeout=1)


def test_where_sshd_refuses_the_account_the_lab_serves_ssh_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Sshd):
        def __init__(self, directory: Path, **options: Any) -> None:
            super().__init__(directory, **options, settings={"DenyUsers": "*"})

    monkeypatch.setattr("drumline_lab.fleet.Sshd", Refusing)
    fleet = Fleet(tmp_path, FleetRequest(linux=1, windows=0), "token")
    try:
        (host,) = fleet.start()
        assert "sshd refuses this account" in host.behind
        assert answers(host)
    finally:
        fleet.stop()
