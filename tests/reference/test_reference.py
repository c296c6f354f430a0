"""Each case has the effects that were recorded of ansible-playbook; with ansible-core, those that it has beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from reference.sides import HERE, HOSTS, cases, differences, effects, prepare
from support.program import call, environment

from drumline_lab.sshd import Sshd

_LOCALLY = ("-i", ",".join((*HOSTS, "")), "-e", "ansible_connection=local")


@pytest.mark.parametrize("name", cases())
def test_the_effects_are_those_that_were_recorded(name: str, tmp_path: Path) -> None:
    expected = json.loads((HERE / "expected" / f"{name}.json").read_text())
    options = prepare(name, tmp_path, ours=True)
    ended = call(tmp_path, "run", *options, *_LOCALLY)
    assert differences(tmp_path, effects(tmp_path, ended.status), expected) == [], ended.said


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An inventory of real servers."""
    directory = tmp_path_factory.mktemp("fleet")
    with Sshd(directory, addresses=[f"127.0.9.{number}" for number, _ in enumerate(HOSTS, 1)]) as server:
        lines = [f"{host} ansible_host={address}" for host, address in zip(HOSTS, server.addresses, strict=True)]
        common = {
            "ansible_port": server.port,
            "ansible_ssh_private_key_file": server.client_key,
            "ansible_ssh_common_args": f"'-o UserKnownHostsFile={server.known_hosts}'",
            "ansible_python_interpreter": sys.executable,
        }
        lines += ["[all:vars]", *(f"{name}={value}" for name, value in common.items())]
        inventory = directory / "hosts"
        inventory.write_text("\n".join(lines) + "\n")
        yield inventory


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    """A directory whose name is short enough for sockets in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.mark.ansible
@pytest.mark.parametrize("name", cases())
def test_the_effects_are_those_of_ansible(name: str, fleet: Path, sockets: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    options = prepare(name, ours, ours=True), prepare(name, theirs, ours=False)
    program = Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("ansible-playbook")
    there = subprocess.run(
        [program, *options[1], "-i", fleet],
        cwd=theirs,
        env=environment(tmp_path, {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets)}),
        capture_output=True,
        text=True,
        check=False,
    )
    here = call(ours, "run", *options[0], "-i", fleet)
    found = differences(ours, effects(ours, here.status), effects(theirs, there.returncode))
    assert found == [], here.said + there.stdout + there.stderr
