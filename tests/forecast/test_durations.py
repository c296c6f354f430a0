"""What earlier runs took, and how far that spreads: of runs, of tasks, of single jobs."""

from __future__ import annotations

import math
import random

import pytest
from support.history import constant, past_of, past_run
from support.worlds import P, build, chain

from drumline.forecast.durations import ASSUMED, read_past
from drumline.journal.past import PastJob, PastRun

HOSTS = [f"h{number:02}" for number in range(20)]
PLAN = build(P(chain(HOSTS, HOSTS, HOSTS)))
KEYS = [("p0", f"t{number}") for number in range(3)]


def test_times_are_kept_by_task_run_and_host() -> None:
    past = past_of(PLAN, {("t0", "h00"): 1.5}, {("t0", "h00"): 2.5, ("t1", "h01"): 3.0})
    assert past.runs == [2, 1]
    assert past.tasks[KEYS[0]].took == {1: {"h00": 1.5}, 2: {"h00": 2.5}}
    assert past.tasks[KEYS[1]].took == {2: {"h01": 3.0}}
    assert KEYS[2] not in past.tasks


def test_what_was_skipped_is_marked() -> None:
    past = read_past([past_run(PLAN, 1, {("t0", "h00"): 0.25}, status="skipped")])
    assert past.tasks[KEYS[0]].took == {1: {"h00": -0.25}}


def test_a_run_without_results_is_none() -> None:
    assert past_of(PLAN, {}).runs == []


def test_the_task_that_opened_connections_is_known() -> None:
    past = past_of(PLAN, constant(PLAN))
    assert [past.tasks[key].connects for key in KEYS] == [True, False, False]


def test_of_what_was_held_back_the_command_alone_counts_and_the_staging_by_itself() -> None:
    ending = PastJob(0, "h00", "changed", 10.0, 15.0, 12.0)
    past = read_past([PastRun(number=1, plan=PLAN, endings=[ending], staged={(0, "h00"): 10.5})])
    assert past.tasks[KEYS[0]].took == {1: {"h00": 3.0}}
    assert past.tasks[KEYS[0]].staging == {"h00": 0.5}


def test_spreads_are_assumed_until_something_ran_twice() -> None:
    past = past_of(PLAN, constant(PLAN))
    task = past.tasks[KEYS[0]]
    assert (past.between_runs, task.between_runs, task.of_a_job) == (ASSUMED, ASSUMED, ASSUMED)


@pytest.mark.parametrize(("whole", "task", "job"), [(0.3, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, 0.0, 0.3), (0.2, 0.1, 0.3)])
def test_the_three_spreads_are_told_apart(whole: float, task: float, job: float) -> None:
    chance = random.Random(7)
    runs = []
    for _ in range(60):
        of_run = chance.gauss(0, whole)
        of_tasks = {f"t{number}": chance.gauss(0, task) for number in range(3)}
        runs.append(constant(PLAN, lambda t, _h, r=of_run, ts=of_tasks: math.exp(r + ts[t] + chance.gauss(0, job))))
    past = past_of(PLAN, *runs)
    found = past.tasks[KEYS[1]]
    # With three tasks a third of what is each one's own looks like the run's.
    assert past.between_runs == pytest.approx(math.hypot(whole, task / math.sqrt(3)), abs=0.06)
    assert math.hypot(past.between_runs, found.between_runs) == pytest.approx(math.hypot(whole, task), abs=0.08)
    assert found.of_a_job == pytest.approx(job, abs=0.02)


def test_doing_something_else_is_no_spread() -> None:
    """The first time every host is changed, which takes long; from then on nothing is to be done."""
    first = past_run(PLAN, 1, constant(PLAN, lambda _t, _h: 60.0), status="changed")
    others = [past_run(PLAN, number, constant(PLAN, lambda _t, _h: 0.2), status="ok") for number in (4, 3, 2)]
    past = read_past([*others, first])
    assert past.between_runs == pytest.approx(0.0)
    assert past.tasks[KEYS[0]].of_a_job == pytest.approx(0.0)
