"""What tasks register, beside what ansible-core registers for the same playbook, over a real OpenSSH server.

``differences.yml`` lists every key that isn't the same, so that a new difference, or one that is gone, is seen. The
documentation says what is behind them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.needs import need
from support.program import call

from drumline_lab.sshd import Sshd
from results.playbook import CASES, RECORDED, results, write_playbook

ANSIBLE: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
KNOWN: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("differences.yml").read_text(encoding="utf-8"))
#: Keys that only Ansible has, everywhere: the arguments again, traces of Python, and the host's times of a command.
ONLY_THERE = frozenset(
    [
        *("invocation", "exception", "diff", "warnings", "deprecations", "failed_when_suppressed_exception"),
        *("start", "end", "delta"),
    ]
)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The results of all cases by name."""
    need("sshd")
    directory = tmp_path_factory.mktemp("results").resolve()
    playbook = write_playbook(directory, "there")
    with Sshd(directory / "sshd", addresses=["127.0.0.2"]) as server:
        options = f"-o UserKnownHostsFile={server.known_hosts}"
        (directory / "hosts").write_text(
            f"there ansible_host={server.addresses[0]} ansible_port={server.port} ansible_user={server.user} "
            f"ansible_ssh_private_key_file={server.client_key} ansible_ssh_common_args='{options}'\n"
        )
        ended = call(directory, "run", playbook, "-i", directory / "hosts")
        assert ended.status == 0, ended.said[-3000:]
        yield results(directory)


@pytest.mark.parametrize("name", [case["name"] for case in CASES])
def test_a_task_registers_what_it_registers_in_ansible(registered: dict[str, Any], name: str) -> None:
    assert sorted(differences(ANSIBLE[name], registered[name])) == KNOWN.get(name, [])


def differences(there: Any, here: Any, place: str = "") -> Iterator[str]:
    """The places that differ, as ``results.0.msg``; ``-place`` is missing here, ``+place`` is here only."""
    if isinstance(there, dict) and isinstance(here, dict):
        skipped_here = {"failed"} if here.get("failed") is False else set()  # which Ansible leaves out at times
        for name in sorted((there.keys() | here.keys()) - ONLY_THERE):
            inner = f"{place}.{name}" if place else name
            if name not in here:
                yield f"-{inner}"
            elif name not in there:
                yield from () if name in skipped_here else (f"+{inner}",)
            else:
                yield from differences(there[name], here[name], inner)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, (one, other) in enumerate(zip(there, here, strict=True)):
            yield from differences(one, other, f"{place}.{number}")
    elif there != here:
        yield place
