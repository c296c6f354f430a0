"""Synchronised starts, on real sshd hosts whose clocks are wrong by known amounts.

What drumline reports of a start is held against what the hosts themselves wrote.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.needs import need
from support.proxy import Proxy
from support.running import Ran, run_text

from drumline.model.event import Event, JobStaged, StartCalledOff, StartMeasured, StartReleased
from drumline_lab.sshd import Sshd

#: Seconds by which the clocks of the hosts are ahead.
AHEAD = {"east1": 3600.25, "east2": 3600.25, "west1": -7200.5, "west2": -7200.5, "home1": 0.0, "home2": 0.0}
ADDRESSES = ("127.0.0.1", "127.0.0.2")
#: Seconds that a command may take to write down when it began, on a machine that others keep busy.
WRITING = 0.5


@dataclass(kw_only=True)
class Fleet:
    """Runs one task on all hosts. Each writes the time that its clock shows into a file of this machine."""

    directory: Path
    hosts: dict[str, dict[str, Any]]

    def run(self, task: dict[str, Any], *, listen: Callable[[Event], None] = lambda _event: None) -> Ran:
        for path in self.directory.glob("wrote-*"):
            path.unlink()
        command = f"echo $EPOCHREALTIME > {self.directory}/wrote-{{{{ inventory_hostname }}}}"
        plays = [{"hosts": "all", "tasks": [{"id": "flip", "shell": command, "args": {"executable": "bash"}, **task}]}]
        inventory = json.dumps({"all": {"hosts": self.hosts}})
        return run_text(self.directory, json.dumps(plays), inventory=inventory, listen=listen)

    def wrote(self) -> dict[str, float]:
        """When each host's command began, by this machine's clock as far as the hosts know it."""
        found = {path.name.removeprefix("wrote-"): float(path.read_text()) for path in self.directory.glob("wrote-*")}
        return {host: at - AHEAD[host] for host, at in found.items()}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sshd]]:
    """One for each clock."""
    need("sshd")
    directory = tmp_path_factory.mktemp("starts")
    with ExitStack() as stack:
        servers: dict[str, Sshd] = {}
        for name in ("east", "west", "home"):
            server = Sshd(directory / name, addresses=ADDRESSES, clock_offset=AHEAD[f"{name}1"])
            servers[name] = stack.enter_context(server)
        yield servers


def _variables(server: Sshd, address: str) -> dict[str, Any]:
    return {
        "ansible_connection": "ssh",
        "ansible_host": address,
        "ansible_port": server.port,
        "ansible_user": server.user,
        "ansible_ssh_private_key_file": str(server.client_key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={server.known_hosts}",
    }


@pytest.fixture
def fleet(tmp_path: Path, servers: dict[str, Sshd]) -> Fleet:
    hosts = {
        f"{name}{number}": _variables(server, address)
        for name, server in servers.items()
        for number, address in enumerate(ADDRESSES, 1)
    }
    return Fleet(directory=tmp_path, hosts=hosts)


def of(ran: Ran, kind: type[Event]) -> list[Any]:
    return [event for event in ran.events if isinstance(event, kind)]


def began(ran: Ran) -> dict[str, float]:
    """By host, as reported."""
    return {event.job.host: event.began for event in ran.ends() if event.began is not None}


def check_report(fleet: Fleet, ran: Ran) -> StartMeasured:
    """The report of a start, held against what the hosts wrote."""
    assert ran.exit_status == 0
    measured: StartMeasured
    [measured] = of(ran, StartMeasured)
    wrote, told = fleet.wrote(), began(ran)
    assert wrote.keys() == told.keys() == AHEAD.keys()
    for event in of(ran, JobStaged):
        assert abs(event.offset - AHEAD[event.job.host]) <= event.uncertainty
    for host, at in told.items():
        assert -measured.uncertainty <= wrote[host] - at <= measured.uncertainty + WRITING
    achieved = max(wrote.values()) - min(wrote.values())
    assert abs(measured.skew - achieved) <= measured.uncertainty + WRITING
    assert measured.skew == pytest.approx(max(told.values()) - min(told.values()))
    assert measured.jobs == len(AHEAD)
    assert told[measured.worst.host] == max(told.values())
    assert min(wrote[host] - at for host, at in told.items()) <= measured.uncertainty + WRITING / 5
    return measured


def check_nothing_started(fleet: Fleet, ran: Ran) -> None:
    assert fleet.wrote() == {}
    assert began(ran) == {}
    assert not of(ran, StartReleased)
    assert not of(ran, StartMeasured)


def test_together_in_one_burst(fleet: Fleet) -> None:
    ran = fleet.run({"start": {"together": True}})
    check_report(fleet, ran)
    [released] = of(ran, StartReleased)
    assert released.instant is None
    last = max(event.at for event in of(ran, JobStaged))
    assert min(began(ran).values()) >= last - max(event.uncertainty for event in of(ran, JobStaged))


def test_by_each_hosts_own_clock(fleet: Fleet) -> None:
    ran = fleet.run({"start": {"max_skew": "1s"}})
    measured = check_report(fleet, ran)
    [released] = of(ran, StartReleased)
    assert min(began(ran).values()) >= released.instant - measured.uncertainty
    assert max(began(ran).values()) <= released.instant + measured.uncertainty + WRITING


def test_at_a_given_time(fleet: Fleet) -> None:
    at = round(time.time() + 2.5, 3)
    ran = fleet.run({"start": {"at": datetime.fromtimestamp(at, UTC).isoformat()}})
    measured = check_report(fleet, ran)
    assert all(
        -measured.uncertainty <= wrote - at <= measured.uncertainty + WRITING for wrote in fleet.wrote().values()
    )


def test_a_host_that_is_unreachable_keeps_all_from_starting(fleet: Fleet) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        fleet.hosts["gone"] = {**fleet.hosts["home1"], "ansible_port": closed.getsockname()[1]}
        ran = fleet.run({"start": {"together": True}})
    assert ran.exit_status == 4
    check_nothing_started(fleet, ran)
    assert ran.status("flip", "gone") == "unreachable"
    assert "refused" in ran.result("flip", "gone")["msg"]
    [off] = of(ran, StartCalledOff)
    assert off.cause.job.host == "gone"
    assert "gone" in off.reason


def test_a_host_that_can_not_be_made_ready_keeps_all_from_starting(fleet: Fleet) -> None:
    directory = "{{ '/not/there' if inventory_hostname == 'west1' else '/' }}"
    ran = fleet.run({"start": {"together": True}, "args": {"executable": "bash", "chdir": directory}})
    assert ran.exit_status == 2
    check_nothing_started(fleet, ran)
    assert ran.status("flip", "west1") == "failed"
    assert "/not/there" in str(ran.result("flip", "west1"))
    [off] = of(ran, StartCalledOff)
    assert off.cause.job.host == "west1"
    assert "west1" in off.reason


def test_a_host_that_is_lost_while_it_waits_keeps_all_from_starting(fleet: Fleet, servers: dict[str, Sshd]) -> None:
    staged: list[Event] = []

    def listen(event: Event) -> None:
        staged.extend([event] if isinstance(event, JobStaged) else [])
        if len(staged) == len(AHEAD) and isinstance(event, JobStaged):
            servers["west"].drop_connections()

    at = datetime.fromtimestamp(time.time() + 4, UTC).isoformat()
    ran = fleet.run({"start": {"at": at}}, listen=listen)
    check_nothing_started(fleet, ran)
    # Of a host the command is gone as well as the connection: whichever is heard of first.
    assert {ran.status("flip", host) for host in ("west1", "west2")} <= {"unreachable", "failed"}
    assert ran.exit_status in (2, 4)
    [off] = of(ran, StartCalledOff)
    assert off.cause.job.host.startswith("west")
    assert {ran.status("flip", host) for host in AHEAD if not host.startswith("west")} == {"cancelled"}


def test_clocks_that_are_not_known_well_enough_keep_all_from_starting(fleet: Fleet) -> None:
    ran = fleet.run({"start": {"max_skew": "0.01ms"}})
    assert ran.exit_status == 2
    check_nothing_started(fleet, ran)
    [off] = of(ran, StartCalledOff)
    worst = max(of(ran, JobStaged), key=lambda event: event.uncertainty)
    assert off.reason.startswith(f"the clock of {worst.job.host} is known to ±")
    assert off.reason.endswith(" more than the max_skew of 0.01 ms")
    assert ran.result("flip", worst.job.host)["msg"] == off.reason


def test_a_slow_way_to_a_host_is_told_as_uncertainty(fleet: Fleet, servers: dict[str, Sshd]) -> None:
    """It is slow in one direction only, which no measurement from one side can see: the offset is off by half of it."""
    west = servers["west"]
    with Proxy(ADDRESSES[0], west.port, there=0.06) as proxy:
        way = {"ansible_host": "127.0.0.1", "ansible_port": proxy.port, "ansible_host_key_checking": False}
        fleet.hosts["west1"] = fleet.hosts["west1"] | way
        ran = fleet.run({"start": {"max_skew": "1s"}})
        measured = check_report(fleet, ran)
        [staged] = [event for event in of(ran, JobStaged) if event.job.host == "west1"]
        assert staged.offset - AHEAD["west1"] > 0.015
        assert measured.uncertainty >= staged.uncertainty >= 0.03
        ran = fleet.run({"start": {"max_skew": "30ms"}})
    assert ran.exit_status == 2
    check_nothing_started(fleet, ran)
    [off] = of(ran, StartCalledOff)
    assert off.reason.startswith("the clock of west1 is known to ±")


def test_ctrl_c_while_all_wait_starts_nothing(fleet: Fleet) -> None:
    staged: list[Event] = []

    def listen(event: Event) -> None:
        staged.extend([event] if isinstance(event, JobStaged) else [])
        if len(staged) == len(AHEAD) and isinstance(event, JobStaged):
            os.kill(os.getpid(), signal.SIGINT)

    at = time.time() + 50
    ran = fleet.run({"start": {"at": datetime.fromtimestamp(at, UTC).isoformat()}}, listen=listen)
    assert ran.exit_status == 130
    assert time.time() < at - 20
    check_nothing_started(fleet, ran)
    assert {event.status for event in ran.ends()} == {"cancelled"}
