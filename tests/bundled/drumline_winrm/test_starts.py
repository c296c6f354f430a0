"""Synchronised starts on Windows hosts and Linux ones together, whose clocks are wrong by known amounts."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.program import Ended, call

from drumline_lab.sshd import Sshd
from drumline_lab.wsman import Settings, WsmanServer

pytestmark = pytest.mark.windows

#: Seconds by which each host's clock is ahead.
CLOCKS = {"win1": 7200.5, "win2": -3000.25, "unix1": 0.0}
PASSWORD = "pässw:örd"
#: Seconds for a command to say its clock after it was started, on a machine that other tests keep busy.
LATER = 2.0

_UNIX = "date +%s.%N"
_WINDOWS = "([DateTime]::UtcNow.Ticks - 621355968000000000) / 1e7"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, windows_host: Any) -> Iterator[Path]:
    """A project whose inventory has the three hosts; ``stamp`` is a command that says what time it is there."""
    directory = tmp_path_factory.mktemp("starts")
    with ExitStack() as stack:
        sshd = stack.enter_context(Sshd(directory / "sshd"))
        known = f"-o UserKnownHostsFile={sshd.known_hosts}"
        hosts = {
            "unix1": {
                "ansible_connection": "ssh",
                "ansible_host": sshd.address,
                "ansible_port": sshd.port,
                "ansible_user": sshd.user,
                "ansible_ssh_private_key_file": str(sshd.client_key),
                "ansible_ssh_common_args": known,
                "stamp": _UNIX,
            }
        }
        for name in ("win1", "win2"):
            settings = Settings(users={"deploy": PASSWORD}, clock_offset=CLOCKS[name])
            server = stack.enter_context(WsmanServer(settings, backend=windows_host))
            hosts[name] = {
                "ansible_connection": "winrm",
                "ansible_host": server.host,
                "ansible_port": server.port,
                "ansible_winrm_scheme": "http",
                "ansible_user": "deploy",
                "ansible_password": PASSWORD,
                "stamp": _WINDOWS,
            }
        (directory / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        yield directory


def run(directory: Path, *plays: dict[str, Any]) -> Ended:
    name = f"{secrets.token_hex(4)}.yml"
    (directory / name).write_text(json.dumps(plays))
    return call(directory, "run", name, "-i", "inventory.json", "--events", "-")


def test_what_is_reported_is_what_the_hosts_themselves_say(directory: Path) -> None:
    burst = {"id": "burst", "shell": "{{ stamp }}", "start": {"together": True}}
    clocked = {"id": "clocked", "shell": "{{ stamp }}", "start": {"max_skew": "2s"}}
    ended = run(directory, {"hosts": "all", "tasks": [burst, clocked]})
    assert ended.status == 0, ended.said
    measured = {event["task"]: event for event in ended.events() if event["event"] == "StartMeasured"}
    _, released = [event for event in ended.events() if event["event"] == "StartReleased"]
    for task in ("burst", "clocked"):
        jobs = {event["job"]["host"]: event for event in finished(ended) if event["job"]["task"] == task}
        assert jobs.keys() == CLOCKS.keys()
        began = [job["began"] for job in jobs.values()]
        assert measured[task]["skew"] == pytest.approx(max(began) - min(began), abs=1e-6)
        for host, job in jobs.items():
            said = float(job["result"]["stdout"]) - CLOCKS[host]
            assert -measured[task]["uncertainty"] <= said - job["began"] <= LATER, (task, host)
            if task == "clocked":
                assert released["instant"] - measured[task]["uncertainty"] <= said <= released["instant"] + LATER


def test_nothing_starts_anywhere(directory: Path) -> None:
    strict = {"id": "strict", "shell": "{{ stamp }}", "start": {"max_skew": "1ms"}}
    broken = {"id": "broken", "shell": "{{ 'if (' if inventory_hostname == 'win2' else stamp }}"}
    ended = run(
        directory,
        {"hosts": "win1:unix1", "tasks": [strict]},
        {"hosts": "win2:unix1", "needs": [], "tasks": [broken | {"start": {"together": True}}]},
    )
    assert ended.status == 2, ended.said
    reasons = {event["task"]: event["reason"] for event in ended.events() if event["event"] == "StartCalledOff"}
    assert "the clock of win1 is known to" in reasons["strict"]
    assert "win2" in reasons["broken"]
    assert "win2 says: " in ended.err
    assert not {event["event"] for event in ended.events()} & {"StartReleased", "StartMeasured"}
    assert [job["began"] or job["result"].get("stdout") or None for job in finished(ended)] == [None] * 4


def finished(ended: Ended) -> list[dict[str, Any]]:
    return [event for event in ended.events() if event["event"] == "JobFinished"]
