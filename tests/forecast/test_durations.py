"""What earlier runs took, and how far they differ: as wholes, and in single tasks."""

from __future__ import annotations

import math
import random

import pytest
from support.history import constant, past_of, past_run
from support.worlds import P, build, chain

from drumline.forecast.durations import ASSUMED, Spread, read_past
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
    assert (past.spread, past.tasks[KEYS[0]].spread) == (Spread(ASSUMED, ASSUMED), Spread(ASSUMED, ASSUMED))


@pytest.mark.parametrize(("whole", "task"), [(0.3, 0.0), (0.0, 0.3), (0.2, 0.2)])
def test_what_runs_have_in_common_is_told_apart_from_what_is_a_tasks_own(whole: float, task: float) -> None:
    chance = random.Random(7)
    runs = []
    for _ in range(100):
        of_run = chance.gauss(0, whole)
        of_tasks = {f"t{number}": math.exp(of_run + chance.gauss(0, task)) for number in range(3)}
        runs.append({(task_id, host): of_tasks[task_id] for task_id, host in constant(PLAN)})
    past = past_of(PLAN, *runs)
    for found in (past.spread.longest, past.spread.together):
        assert found == pytest.approx(whole, abs=0.08)
    for found in (past.tasks[KEYS[1]].spread.longest, past.tasks[KEYS[1]].spread.together):
        assert found == pytest.approx(task, abs=0.05)


def test_of_many_jobs_that_vary_the_longest_varies_and_all_together_hardly() -> None:
    chance = random.Random(7)
    runs = [constant(PLAN, lambda _t, _h: chance.lognormvariate(0, 0.4)) for _ in range(50)]
    spread = past_of(PLAN, *runs).tasks[KEYS[0]].spread
    assert spread.longest == pytest.approx(0.21, abs=0.05)  # of twenty normal values the largest has 0.525 sigma
    assert spread.together == pytest.approx(0.4 / math.sqrt(20), abs=0.03)


def _pair(spread: Spread) -> tuple[float, float]:
    return spread.longest, spread.together


def test_doing_something_else_is_no_spread() -> None:
    """The first time every host is changed, which takes long; from then on nothing is to be done."""
    first = past_run(PLAN, 1, constant(PLAN, lambda _t, _h: 60.0), status="changed")
    others = [past_run(PLAN, number, constant(PLAN, lambda _t, _h: 0.2), status="ok") for number in (4, 3, 2)]
    past = read_past([*others, first])
    assert _pair(past.spread) == pytest.approx((0.0, 0.0))
    assert _pair(past.tasks[KEYS[0]].spread) == pytest.approx((0.0, 0.0))


def test_a_small_part_of_a_run_says_little_of_the_whole() -> None:
    """What takes long ended differently each time, so that a task of some milliseconds is all that can be compared."""
    long, short = {("t0", host): 60.0 for host in HOSTS}, {("t0", host): 0.02 for host in HOSTS}
    endings = [
        past_run(PLAN, 2, short, status="ok").endings + past_run(PLAN, 2, {("t1", "h00"): 0.02}).endings,
        past_run(PLAN, 1, long).endings + past_run(PLAN, 1, {("t1", "h00"): 0.005}).endings,
    ]
    past = read_past(
        PastRun(number=2 - index, plan=PLAN, endings=jobs, staged={}) for index, jobs in enumerate(endings)
    )
    assert _pair(past.spread) == pytest.approx((ASSUMED, ASSUMED), rel=0.05)
    assert past.tasks[KEYS[0]].spread == Spread(ASSUMED, ASSUMED)
    assert past.tasks[KEYS[1]].spread.longest > 0.6
