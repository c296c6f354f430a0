"""Durations don't change when someone sets the machine's clock while a run goes on."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from support.program import call, running, wait_until
from support.worlds import Hand, P, T, build

from drumline.clock import SystemClock
from drumline.model.event import TimePassed
from drumline.model.playbook import Start

#: Makes the time of day that the program sees a matter of a file; what counts steadily stays as it is.
SET = """
import time
real = time.time
time.time = lambda: real() + float(open({path!r}).read())
"""
HOUR = 3600.0

TASKS = """
- hosts: all
  tasks:
    - {name: First, shell: "touch began; while ! [ -e gate ]; do sleep 0.05; done"}
    - {name: Second, command: "true"}
"""


def test_what_is_set_changes_only_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, before = SystemClock(), time.time()
    assert abs(clock.now() - before) < 5
    monkeypatch.setattr(time, "time", lambda: before - HOUR)
    assert abs(clock.now() - before) < 5
    assert clock.wall() == before - HOUR


@pytest.mark.parametrize("shift", ["-3600", "3600"])
def test_the_clock_is_set_while_a_run_goes_on(tmp_path: Path, shift: str) -> None:
    (tmp_path / "site.yml").write_text(TASKS)
    (tmp_path / "inventory").write_text("h1 ansible_connection=local\n")
    offset = tmp_path / "offset"
    offset.write_text("0")
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(SET.format(path=str(offset)))
    faked = {"PYTHONPATH": str(tmp_path / "python")}
    events = tmp_path / "events"
    with running(tmp_path, "run", "site.yml", "--events", events, env=faked) as program:
        wait_until((tmp_path / "began").exists)
        offset.write_text(shift)
        going_on = call(tmp_path, "runs", "show", env=faked).out
        (tmp_path / "gate").touch()
        ended = program.end()
    assert ended.status == 0, ended.said
    said = [ended.out, going_on, call(tmp_path, "runs", "show").out, call(tmp_path, "runs", "list").out]
    for text in said:
        assert not re.search(r" h | -3|\b(?:60|59) m", text), text
    times = [json.loads(line)["at"] for line in events.read_text().splitlines()]
    assert times == sorted(times)
    assert times[-1] - times[0] < 60
    shown = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)
    assert all(0 <= job["ended"] - job["started"] < 60 for job in shown["jobs"])
    assert 0 <= shown["run"]["finished"] - shown["run"]["started"] < 60


def test_a_start_at_a_time_of_day_follows_the_clock_as_it_is_set() -> None:
    hand = Hand(build(P([T(["a", "b"], start=Start(at=10_000.0))])))
    held = hand.state.wake_at
    assert held is not None
    hand.feed(TimePassed(at=5.0, ahead=HOUR))
    assert hand.state.wake_at == held - HOUR
    hand.feed(TimePassed(at=held - HOUR, ahead=HOUR))
    hand.stage(6_390.0, "t0", "a", "b")
    at = hand.state.wake_at
    assert at is not None
    hand.feed(TimePassed(at=at, ahead=HOUR))
    [release] = hand.releases
    assert release.instant == 10_000.0 - HOUR
