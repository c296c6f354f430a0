"""The playbooks of this repository, carried out on the practice fleet as a newcomer would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drumline_lab import lab
from drumline_lab.fleet import Wanted

_PLAYBOOKS = Path(__file__).parents[1] / "playbooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run: how it ended, and what happened in it."""

    code: int
    said: str
    events: list[dict[str, Any]]

    @property
    def statuses(self) -> Counter[str]:
        return Counter(event["status"] for event in self.of("JobFinished"))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]

    def jobs(self, task: str) -> list[dict[str, Any]]:
        return [event for event in self.of("JobFinished") if event["job"]["task"] == task]

    def status(self, task: str) -> set[str]:
        """What became of the task's jobs: those that never started are told of together."""
        abandoned = (job for event in self.of("JobsAbandoned") for job in event["jobs"])
        return {event["status"] for event in self.jobs(task)} | {
            "abandoned" for job in abandoned if job["task"] == task
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A fleet that is up, and the way to run things on it."""

    folder: Path
    program: str | None

    def run(self, playbook: str, *arguments: str) -> Ran:
        events = self.folder.parent / "events.jsonl"
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from drumline.cli import main; main()"),
                *("run", str(_PLAYBOOKS / playbook), "-i", str(self.folder / lab.INVENTORY)),
                *("--state", str(self.folder.parent / "state"), "--events", str(events), *arguments),
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=self.folder.parent,
        )
        return Ran(
            code=done.returncode,
            said=done.stdout + done.stderr,
            events=[json.loads(line) for line in events.read_text().splitlines()] if events.exists() else [],
        )

    def read(self, host: str, name: str) -> str:
        """A file of a host; the Linux machine and the Windows host are asked in their own way."""
        state = lab.State.load(self.folder)
        assert state is not None
        root = self.folder / "hosts" / host / "root"
        if self.program and host.startswith("app"):
            environment = {**os.environ, "WINDOWS_HOST": f"drumline-{state.token}-{host}"}
            command = [self.program, "path", rf"C:\lab\{name}"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return Path(done.stdout.strip()).read_text(encoding="utf-8").strip()
        return (root / name).read_text(encoding="utf-8").strip()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Starts the fleet of the README."""
    folder = tmp_path / "lab"

    def up(program: str | None = None) -> Fleet:
        lab.up(folder, Wanted(linux=3, windows=2, program=program))
        return Fleet(folder=folder, program=program)

    yield up
    lab.down(folder)


def test_the_rollout_where_there_is_no_windows(fleet):
    _roll_out(fleet())


@pytest.mark.windows
def test_the_rollout_on_windows(fleet, windows_program):
    _roll_out(fleet(windows_program))


def _roll_out(fleet: Fleet) -> None:
    first = fleet.run("rollout.yml")
    assert first.code == 0, first.said
    _check_rolled_out(fleet, "2.4")
    assert "2 nodes run 2.4; the schema was none and is 2.4." in first.said
    assert first.status("unpack") == {"changed"}
    # The branches meet where they should, and only there.
    assert max(job["at"] for job in first.jobs("migrated")) <= min(job["started"] for job in first.jobs("configure"))
    assert max(job["at"] for job in first.jobs("stop")) <= min(job["started"] for job in first.jobs("migrate"))

    again = fleet.run("rollout.yml")
    assert again.code == 0, again.said
    assert not again.statuses["changed"], again.said
    assert again.status("stop") == {"skipped"}


def test_the_next_release_and_the_way_back(fleet):
    up = fleet()
    assert up.run("rollout.yml").code == 0
    other = up.run("rollout.yml", "-e", "version=2.5")
    assert other.code == 0, other.said
    _check_rolled_out(up, "2.5")

    back = up.run("rollout.yml")
    assert back.code == 0, back.said
    _check_rolled_out(up, "2.4")
    assert back.status("unpack") == {"skipped"}


def _check_rolled_out(fleet: Fleet, version: str) -> None:
    for node in ("app1", "app2"):
        assert fleet.read(node, "state.txt") == f"running {version}"
        assert fleet.read(node, f"flagship-{version}/config.txt") == f"schema {version}"
    assert fleet.read("db1", "schema") == version
    assert fleet.read("lb1", "pool").splitlines() == [f"{node} running {version}" for node in ("app1", "app2")]
    assert not list((fleet.folder / "hosts" / "lb1" / "root").glob("drained-*"))
    assert f"Release {version}, schema {version}" in fleet.read("web1", "status.html")


def test_a_migration_that_fails_keeps_every_node_stopped(fleet):
    up = fleet()
    schema = up.folder / "hosts" / "db1" / "root" / "schema"
    schema.mkdir()  # nothing can be written there
    ran = up.run("rollout.yml")
    assert ran.code == 2, ran.said
    assert ran.status("migrated") == {"failed"}
    assert ran.status("configure") == {"abandoned"}
    assert ran.status("page") == {"abandoned"}
    assert [up.read(node, "state.txt") for node in ("app1", "app2")] == ["stopped", "stopped"]
    assert (up.folder / "hosts" / "lb1" / "root" / "drained-app1").exists()
    schema.rmdir()
    ran = up.run("rollout.yml")
    assert ran.code == 0, ran.said
    _check_rolled_out(up, "2.4")


@pytest.mark.windows
def test_windows_actions(fleet, windows_program):
    up = fleet(windows_program)
    first = up.run("windows.yml")
    assert first.code == 0, first.said
    for node in ("app1", "app2"):
        assert up.read(node, "Flagship/current.txt") == "2.4"
        settings = up.read(node, "Flagship/conf/flagship.ini").splitlines()
        assert settings[1:] == ["version=2.4", f"node={node}", "peers=app1,app2"]
        assert up.read(node, "Flagship/note.txt") == f"Grüße von {node}"
    again = up.run("windows.yml")
    assert again.code == 0, again.said
    assert not again.statuses["changed"], again.said
