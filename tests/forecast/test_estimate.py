"""Estimates: intervals that hold what they say, the same answer to the same question, and what has no history."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable

import pytest
from support.history import Times, constant, past_of
from support.worlds import P, build, chain

from drumline.forecast.draws import Range, Round, Scenario
from drumline.forecast.durations import Past, Spread
from drumline.forecast.estimate import LEAST_ROUNDS, MOST_ROUNDS, Estimate, estimate, interval, rounds_for
from drumline.forecast.simulation import Simulation
from drumline.model.plan import Plan

HOSTS = [f"h{number}" for number in range(6)]
PLAN = build(P(chain(HOSTS, HOSTS, HOSTS)))


def ask(past: Past, plan: Plan = PLAN, scenario: Scenario | None = None, rounds: int | None = None) -> Estimate:
    return estimate(plan, past, scenario, forks=50, sessions=4, rounds=rounds)


def test_equal_runs_give_their_time_and_hardly_an_interval() -> None:
    times = constant(PLAN, lambda _t, host: 5.0 if host == "h3" else 1.0)
    found = ask(past_of(PLAN, times, times))
    assert found.run.middle == pytest.approx(15.0, abs=0.1)
    assert found.run.high - found.run.low < 0.01
    assert found.wave((0, 0, 1)) == pytest.approx((5.0, 5.0, 5.0), abs=0.02)
    assert found.runs == 2


def test_the_same_question_has_the_same_answer() -> None:
    past = past_of(PLAN, constant(PLAN), constant(PLAN, lambda _t, _h: 2.0))
    one, other = ask(past), ask(past)
    assert (one.run, one.path) == (other.run, other.path)


def test_what_has_no_history_is_named_unless_its_time_is_given() -> None:
    past = past_of(PLAN, {("t0", host): 1.0 for host in HOSTS})
    assert ask(past).unknown == (("p0", "t1"), ("p0", "t2"))
    assert ask(past, scenario=Scenario(take={("p0", "t2"): Range(1, 1)})).unknown == (("p0", "t1"),)


def test_the_size_of_a_plan_says_how_often_it_is_imagined(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rounds_for(PLAN) == MOST_ROUNDS
    medium = build(P(chain(*[[f"h{number}" for number in range(200)]] * 10)))
    assert rounds_for(medium) == 100
    monkeypatch.setattr("drumline.forecast.estimate._JOBS", 20)
    assert rounds_for(PLAN) == LEAST_ROUNDS


def test_where_runs_stop_is_counted() -> None:
    found = ask(Past(), scenario=Scenario(fail={("p0", "t0"): 0.5}))
    assert found.endings() == {2: MOST_ROUNDS} or found.endings()[2] > 150
    plan = build(P(chain(HOSTS), batches=3, max_fail_percentage=40.0))
    stops = ask(Past(), plan, Scenario(fail={("p0", "t0"): 0.5})).stops()
    assert stops
    assert sum(stops.values()) <= MOST_ROUNDS


def test_waves_that_no_run_comes_to_have_no_time() -> None:
    plan = build(P(chain(HOSTS), batches=2, any_errors_fatal=True))
    found = ask(Past(), plan, Scenario(fail={("p0", "t0"): 1.0}))
    assert found.wave((0, 1, 0)) is None
    assert found.batches(0, [1]) is None
    assert found.play(0) is not None


@pytest.mark.parametrize("count", [3, 5, 10, 50, 201])
def test_intervals_of_values_that_are_spread_evenly(count: int) -> None:
    """Quantiles of the normal distribution go in, and its 80% interval comes out, be they few or many."""
    values = [statistics.NormalDist(100, 10).inv_cdf((index + 0.5) / count) for index in range(count)]
    found = interval(values)
    assert found == pytest.approx((87.18, 100.0, 112.82), abs=0.35)


def test_the_interval_of_one_value_is_that_value() -> None:
    assert interval([3.0]) == (3.0, 3.0, 3.0)
    assert interval([0.0, 0.0, 9.0]).low == 0.0


# Calibration. Runs are made by a truth that the estimate doesn't know, and one more is compared with the forecast.


def truth(chance: random.Random, plan: Plan, *, whole: float, task: float, job: float) -> Callable[[], Times]:
    """Makes runs: hosts and tasks have their own times, which vary by run, by task and by job."""
    usual = constant(plan, lambda _t, _h: chance.lognormvariate(0, 0.3))

    def run() -> Times:
        of_run = chance.gauss(0, whole)
        of_task = {step.task.id: chance.gauss(0, task) for step in plan.steps}
        return {(t, h): took * math.exp(of_run + of_task[t] + chance.gauss(0, job)) for (t, h), took in usual.items()}

    return run


def really(plan: Plan, times: Times, forks: int) -> float:
    """How long a run with exactly these times is, by the same engine."""
    exact = past_of(plan, times)
    exact.spread = Spread(0.0, 0.0)
    for task in exact.tasks.values():
        task.spread = Spread(0.0, 0.0)
    draws = Round(plan, exact, Scenario(), forks=forks, seed=0, number=0, of=1)
    return Simulation(plan, draws, forks=forks, sessions=4).run().seconds


@pytest.mark.parametrize(
    ("runs", "hosts", "spreads"),
    [
        (2, 6, {"whole": 0.2, "task": 0.1, "job": 0.1}),
        (3, 6, {"whole": 0.0, "task": 0.1, "job": 0.3}),
        (5, 12, {"whole": 0.1, "task": 0.0, "job": 0.4}),
        (12, 12, {"whole": 0.1, "task": 0.2, "job": 0.2}),
    ],
    ids=str,
)
def test_intervals_of_80_percent_hold_about_80_percent(runs: int, hosts: int, spreads: dict[str, float]) -> None:
    """Sixty forecasts, each from a new history; always the same ones, so that no chance decides.

    Of twelve hosts half have a place at once.
    """
    names = [f"h{number}" for number in range(hosts)]
    plan = build(P(chain(names, names, names)))
    chance = random.Random(3)
    inside = 0
    for _ in range(60):
        run = truth(chance, plan, **spreads)
        past = past_of(plan, *(run() for _ in range(runs)))
        expected = estimate(plan, past, forks=6, sessions=4, rounds=20).run
        inside += expected.low <= really(plan, run(), 6) <= expected.high
    print(f"{inside} of 60 inside")
    assert 0.68 <= inside / 60 <= 0.92
