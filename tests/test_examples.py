"""The playbooks of this repository, run on the practice fleet as a newcomer would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.program import wait_until

from drumline.app import prepare
from drumline.config import Settings
from drumline.model.plan import Plan
from drumline_lab import lab
from drumline_lab.fleet import FleetRequest

_PLAYBOOKS = Path(__file__).parents[1] / "playbooks"
_DRUMLINE = (sys.executable, "-c", "from drumline.cli import main; main()")


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
class Running:
    """A run that goes on."""

    process: subprocess.Popen[str]
    events: Path

    def end(self) -> Ran:
        said, _ = self.process.communicate(timeout=300)
        return Ran(code=self.process.returncode, said=said, events=self.so_far())

    def so_far(self) -> list[dict[str, Any]]:
        if not self.events.exists():
            return []
        # The last line may be being written.
        lines = self.events.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def has_ended(self, task: str, host: str) -> bool:
        wanted = {"task": task, "host": host}
        return any(
            event["event"] == "JobFinished" and wanted.items() <= event["job"].items() for event in self.so_far()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A fleet that is up, and the way to run things on it."""

    directory: Path
    program: str | None
    started: float  #: seconds that it took to start, which tell how busy this machine is

    def run(self, playbook: str, *arguments: str) -> Ran:
        with self.running(playbook, *arguments) as running:
            return running.end()

    @contextmanager
    def running(self, playbook: str, *arguments: str) -> Iterator[Running]:
        """Starts a playbook; it is killed if a test leaves it running."""
        events = self.directory.parent / "events.jsonl"
        events.unlink(missing_ok=True)
        process = subprocess.Popen(
            [
                *_DRUMLINE,
                *("run", str(_PLAYBOOKS / playbook), "-i", str(self.directory / lab.INVENTORY)),
                *("--state", str(self.state), "--events", str(events), *arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory.parent,
        )
        try:
            yield Running(process=process, events=events)
        finally:
            process.kill()
            process.communicate()

    def drumline(self, *arguments: str) -> int:
        """Call another command beside a run; returns its exit status."""
        command = [*_DRUMLINE, *arguments, "--state", str(self.state)]
        return subprocess.run(
            command, cwd=self.directory.parent, capture_output=True, timeout=60, check=False
        ).returncode

    @property
    def state(self) -> Path:
        return self.directory.parent / "state"

    def root(self, host: str) -> Path:
        """The directory of a Linux host."""
        return self.directory / "hosts" / host / "root"

    def read(self, host: str, name: str) -> str:
        """A file of a host; the Linux machine and the Windows host are asked in their own way."""
        state = lab.State.load(self.directory)
        assert state is not None
        if self.program and host.startswith("app"):
            environment = {**os.environ, "WINDOWS_HOST": f"drumline-{state.token}-{host}"}
            command = [self.program, "path", rf"C:\lab\{name}"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return Path(done.stdout.strip()).read_text(encoding="utf-8").strip()
        return (self.root(host) / name).read_text(encoding="utf-8").strip()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Starts a fleet, by default the one of the README."""
    directory = tmp_path / "lab"

    def up(program: str | None = None, *, linux: int = 3, windows: int = 2) -> Fleet:
        began = time.monotonic()
        lab.up(directory, FleetRequest(linux=linux, windows=windows, program=program))
        return Fleet(directory=directory, program=program, started=time.monotonic() - began)

    yield up
    lab.down(directory)


def test_the_rollout_where_there_is_no_windows(fleet: Callable[..., Fleet]) -> None:
    _roll_out(fleet())


@pytest.mark.windows
def test_the_rollout_and_windows_actions_on_windows(fleet: Callable[..., Fleet], windows_program: str) -> None:
    """On one fleet, whose Windows hosts take long to start: they work in directories of their own."""
    up = fleet(windows_program)
    _roll_out(up)
    _act_on_windows(up)


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


def test_the_next_release_and_the_way_back(fleet: Callable[..., Fleet]) -> None:
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
    assert not list(fleet.root("lb1").glob("drained-*"))
    assert f"Release {version}, schema {version}" in fleet.read("web1", "status.html")


def test_a_migration_that_fails_keeps_every_node_stopped(fleet: Callable[..., Fleet]) -> None:
    up = fleet()
    schema = up.root("db1") / "schema"
    schema.mkdir()  # nothing can be written there
    ran = up.run("rollout.yml")
    assert ran.code == 2, ran.said
    assert ran.status("migrated") == {"failed"}
    assert ran.status("configure") == {"abandoned"}
    assert ran.status("page") == {"abandoned"}
    assert [up.read(node, "state.txt") for node in ("app1", "app2")] == ["stopped", "stopped"]
    assert (up.root("lb1") / "drained-app1").exists()
    schema.rmdir()
    ran = up.run("rollout.yml")
    assert ran.code == 0, ran.said
    _check_rolled_out(up, "2.4")


def _act_on_windows(up: Fleet) -> None:
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


def test_a_rolling_upgrade_keeps_half_of_the_nodes_in_service(fleet: Callable[..., Fleet]) -> None:
    up = fleet(linux=1, windows=4)
    _upgrade(up, ["app1", "app2", "app3", "app4"], in_service=2)


@pytest.mark.windows
def test_a_rolling_upgrade_on_windows(fleet: Callable[..., Fleet], windows_program: str) -> None:
    _upgrade(fleet(windows_program, linux=1, windows=2), ["app1", "app2"], in_service=1)


def _upgrade(up: Fleet, nodes: list[str], *, in_service: int) -> None:
    first = up.run("rolling.yml")
    assert first.code == 0, first.said
    assert [up.read(node, "state.txt") for node in nodes] == ["running 3.0"] * len(nodes)
    assert not list(up.root("web1").glob("drained-*"))
    out = {job["job"]["host"]: job["started"] for job in first.jobs("stop")}
    back = {job["job"]["host"]: job["at"] for job in first.jobs("healthy")}
    assert sorted(out) == nodes
    for moment in out.values():
        assert sum(out[node] <= moment < back[node] for node in nodes) <= len(nodes) - in_service
    # The canary was well before anybody else was touched.
    assert min(moment for node, moment in out.items() if node != "app1") > back["app1"]

    again = up.run("rolling.yml")
    assert again.code == 0, again.said
    assert not again.statuses["changed"], again.said


def test_a_canary_that_fails_leaves_the_others_as_they_are(fleet: Callable[..., Fleet]) -> None:
    up = fleet(linux=1, windows=3)
    assert up.run("rolling.yml").code == 0
    (up.root("app1") / "state.txt").unlink()
    (up.root("app1") / "state.txt").mkdir()  # nothing can be written there
    ran = up.run("rolling.yml", "-e", "version=3.1")
    assert ran.code == 2, ran.said
    assert [event["cause"]["host"] for event in ran.of("PlayStopped")] == ["app1"]
    assert [up.read(node, "state.txt") for node in ("app2", "app3")] == ["running 3.0"] * 2


def test_a_cut_over_switches_all_nodes_at_once(fleet: Callable[..., Fleet]) -> None:
    up = fleet(linux=4, windows=0)
    nodes = ["db1", "web1", "web2"]
    agreed = datetime.fromtimestamp(round(time.time() + 2 + 3 * up.started), UTC)
    ran = up.run("cutover.yml", "-e", f"cutover={agreed.isoformat()}")
    assert ran.code == 0, ran.said
    assert [up.read(node, "database") for node in nodes] == ["new"] * 3
    assert [up.read(node, "mode") for node in nodes[1:]] == ["read-write"] * 2
    [skew] = ran.of("StartMeasured")
    assert skew["jobs"] == 3
    # All hosts are this machine: what they wrote can be compared with what is said.
    written = sorted((up.root(node) / "database").stat().st_mtime - agreed.timestamp() for node in nodes)
    assert written[0] > -0.02, "files are dated by the kernel's tick"
    assert written[-1] < 1.0
    assert abs(written[-1] - written[0] - skew["skew"]) < skew["uncertainty"] + 0.25


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_cut_over_waits_for_a_decision(fleet: Callable[..., Fleet], decision: str) -> None:
    up = fleet(linux=3, windows=0)
    with up.running("cutover.yml", "-e", "ask=yes") as running:
        [asked] = wait_until(lambda: [event for event in running.so_far() if event["event"] == "ApprovalRequested"])
        assert asked["message"] == "All data is on db1, up to position 4711. Switch 2 nodes?"
        assert not (up.root("db1") / "database").exists()
        assert up.drumline("approve", "1", *(["--reject"] if decision == "reject" else [])) == 0
        ran = running.end()
    assert ran.code == (0 if decision == "approve" else 2), ran.said
    assert (up.root("db1") / "database").exists() is (decision == "approve")
    [given] = ran.of("ApprovalGiven")
    assert given["approved"] is (decision == "approve")


def test_each_site_waits_only_for_its_own(fleet: Callable[..., Fleet]) -> None:
    up = fleet(linux=5, windows=0)
    with up.running("sites.yml", "-e", "window=yes") as running:
        for host in ("web2", "web3"):
            (up.root(host) / "window-open").touch()
            wait_until(partial(running.has_ended, "open", host))
        assert not running.has_ended("window", "web1")
        assert not (up.root("lb1") / "pool").exists()
        (up.root("web1") / "window-open").touch()
        ran = running.end()
    assert ran.code == 0, ran.said
    assert up.read("lb1", "pool").split() == ["web1", "web2", "web3"]
    assert up.read("web3", "installed.txt").endswith("release.txt")


# One application, one table of nodes, three ways to deploy it.

_WEB = ("web1", "web2", "web3", "web4")


def test_the_flagship_in_three_ways_from_one_table(fleet: Callable[..., Fleet]) -> None:
    _deploy_flagship(fleet(linux=6, windows=2))


@pytest.mark.windows
def test_the_flagship_in_three_ways_on_windows(fleet: Callable[..., Fleet], windows_program: str) -> None:
    _deploy_flagship(fleet(windows_program, linux=6, windows=2))


def _deploy_flagship(up: Fleet) -> None:
    test = up.run("flagship/test.yml", "-e", "version=2.3")
    assert test.code == 0, test.said
    _check_deployed(up, "2.3", ("app1", "app2"), _WEB)
    assert up.read("lb1", "pool") == "2.3 all"
    assert "from row 'lb1'" in test.said  # the console names the rows

    rolled = up.run("flagship/production.yml")
    assert rolled.code == 0, rolled.said
    _check_deployed(up, "2.4", ("app1", "app2"), _WEB)
    _check_order(rolled, [("migrate", "db1"), ("start", "app1"), ("page", "web1"), ("page", "web2"), ("page", "web3")])
    _check_order(rolled, [("start", "app1"), ("start", "app2"), ("page", "web3"), ("page", "web4"), ("pool", "lb1")])

    green = up.run("flagship/bluegreen.yml", "-e", "version=2.5")
    assert green.code == 0, green.said
    _check_deployed(up, "2.5", ("app2",), ("web2", "web4"))
    _check_deployed(up, "2.4", ("app1",), ("web1", "web3"), database="2.5")
    assert up.read("lb1", "pool") == "2.5 green"

    again = up.run("flagship/bluegreen.yml", "-e", "version=2.5")
    assert again.code == 0, again.said
    assert not again.statuses["changed"], again.said


def _check_deployed(
    up: Fleet, version: str, services: Sequence[str], pages: Sequence[str], database: str | None = None
) -> None:
    assert [up.read(node, "state.txt") for node in services] == [f"running {version}"] * len(services)
    assert [up.read(node, "page") for node in pages] == [version] * len(pages)
    assert up.read("db1", "schema") == (database or version)


def _check_order(ran: Ran, jobs: Sequence[tuple[str, str]]) -> None:
    """Each of these jobs began after the one before it had ended."""
    times = {(job["job"]["task"], job["job"]["host"]): job for job in ran.of("JobFinished")}
    for before, after in pairwise(jobs):
        assert times[before]["at"] <= times[after]["started"], (before, after)


_NODES = "all: {vars: {lab_root: /lab}, hosts: {db1: , lb1: , 'app[1:3]': , 'web[1:5]': }}\n"


@pytest.mark.parametrize(
    ("way", "play"), [("test", "service-app3"), ("production", "service-north"), ("bluegreen", "half-app3")]
)
def test_that_a_node_more_brings_its_tasks_and_nothing_else(tmp_path: Path, way: str, play: str) -> None:
    before, after = (_plan_of_flagship(tmp_path / name, way, more) for name, more in (("a", ""), ("b", "app3")))
    gone, new = _jobs(before) - _jobs(after), _jobs(after) - _jobs(before)
    assert gone == set()
    assert new == {(play, task, "app3") for task in ("running", "start", "healthy")}
    # Whoever needs services waits for it, too; beside that no need is another one.
    needs = [
        {planned.play.id: {plan.plays[need].play.id for need in planned.needs} for planned in plan.plays}
        for plan in (before, after)
    ]
    for name, needed in needs[0].items():
        assert needs[1][name] - needed <= {play}
        assert needed <= needs[1][name]


def _plan_of_flagship(directory: Path, way: str, more: str) -> Plan:
    shutil.copytree(_PLAYBOOKS / "flagship", directory)
    (directory / "hosts.yml").write_text(_NODES)
    if more:
        with (directory / "nodes.csv").open("a") as table:
            table.write(f"{more},service,north,green\n")
    settings = Settings(inventory=(str(directory / "hosts.yml"),), state=directory / "state")
    return prepare([directory / f"{way}.yml"], settings).plan


def _jobs(plan: Plan) -> set[tuple[str, str, str]]:
    return {(plan.plays[step.play].play.id, step.task.id, host) for step in plan.steps for host in step.hosts}


def test_that_the_plays_of_the_flagship_run_when_they_are_written_down(
    fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    up = fleet(linux=6, windows=2)
    written = tmp_path / "written.yml"
    command = [*_DRUMLINE, "generate", str(_PLAYBOOKS / "flagship" / "production.yml"), "--show"]
    inventory = ("-i", str(up.directory / lab.INVENTORY))
    written.write_text(subprocess.run([*command, *inventory], capture_output=True, text=True, check=True).stdout)
    ran = up.run(str(written))
    assert ran.code == 0, ran.said
    _check_deployed(up, "2.4", ("app1", "app2"), _WEB)
