"""Simulated times: those of earlier runs, with the noise that makes up for there being few of them."""

from __future__ import annotations

import math
import statistics

import pytest
from msgspec.structs import replace
from support.history import constant, past_of, past_run
from support.worlds import P, build, chain

from drumline.forecast.draws import UNKNOWN, Range, Round, Scenario, smoothing, unknown_tasks
from drumline.forecast.durations import Past, Spread, read_past
from drumline.model.plan import Plan
from drumline.model.traits import ApprovalArguments, Traits

HOSTS = ["a", "b", "c"]
PLAN = build(P(chain(HOSTS, HOSTS)))
FIRST, SECOND = PLAN.steps


def draw(past: Past, scenario: Scenario | None = None, number: int = 0, of: int = 5, plan: Plan = PLAN) -> Round:
    return Round(plan, past, scenario or Scenario(), forks=50, seed=1, number=number, of=of)


def without_noise(past: Past) -> Past:
    past.spread = Spread(0.0, 0.0)
    for task in past.tasks.values():
        task.spread = Spread(0.0, 0.0)
    return past


def exactly(*times: float) -> Past:
    """Runs in which every job took the same, so that the runs themselves are all that spreads."""
    return past_of(PLAN, *(dict.fromkeys(constant(PLAN), seconds) for seconds in times))


def test_without_history_a_job_takes_a_second() -> None:
    drawn = draw(Past()).step(FIRST)
    assert drawn.took == dict.fromkeys(HOSTS, UNKNOWN)
    assert not drawn.connects


def test_who_is_asked_answers_at_once_and_needs_no_history() -> None:
    asks, *others = PLAN.steps
    plan = replace(
        PLAN, steps=(replace(asks, task=replace(asks.task, traits=Traits(asks=ApprovalArguments()))), *others)
    )
    found = draw(past_of(plan, {("t0", "a"): 3600.0}), plan=plan)
    assert found.step(plan.steps[0]).took == dict.fromkeys(HOSTS, 0.0)
    assert unknown_tasks(plan, Past()) == (("p0", "t1"),)


def test_equal_runs_are_imagined_again() -> None:
    assert draw(exactly(2.0, 2.0, 2.0)).step(FIRST).took == pytest.approx(dict.fromkeys(HOSTS, 2.0))


def test_hosts_keep_their_own_times() -> None:
    times = constant(PLAN, lambda _t, host: {"a": 1.0, "b": 5.0, "c": 25.0}[host])
    took = draw(past_of(PLAN, times, times)).step(FIRST).took
    assert took == pytest.approx({"a": 1.0, "b": 5.0, "c": 25.0})


def test_the_same_numbers_give_the_same_times_in_any_order() -> None:
    past = exactly(1.0, 2.0, 3.0)
    one, other = draw(past), draw(past)
    assert [one.step(FIRST), one.step(SECOND)] == [other.step(SECOND), other.step(FIRST)][::-1]
    assert draw(past, number=1).step(FIRST) != one.step(FIRST)


def test_a_round_plays_one_run_again_so_that_what_belongs_together_stays_so() -> None:
    slow_and_fast = without_noise(exactly(1.0, 1.0, 100.0, 100.0))
    for number in range(8):
        found = draw(slow_and_fast, number=number, of=8)
        times = {seconds for step in PLAN.steps for seconds in found.step(step).took.values()}
        assert times in ({1.0}, {100.0})


def test_a_host_that_the_run_left_out_has_its_times_of_another_one() -> None:
    past = without_noise(past_of(PLAN, {("t0", "a"): 9.0}, {("t0", "b"): 1.0}, {("t0", "b"): 1.0}))
    found = [draw(past, number=number).step(FIRST).took for number in range(5)]
    assert {took["a"] for took in found} == {9.0}
    assert {took["b"] for took in found} == {1.0}
    assert {took["c"] for took in found} <= {1.0, 9.0}  # a host that no one has seen is like any other


def test_what_was_skipped_is_skipped_again() -> None:
    past = read_past([past_run(PLAN, 1, constant(PLAN), status="skipped")])
    assert set(draw(past).step(FIRST).took.values()) == {-1.0}


def test_clones_have_the_times_of_their_origin() -> None:
    times = constant(PLAN, lambda _t, host: {"a": 1.0, "b": 5.0, "c": 25.0}[host])
    plan = build(P(chain(["a", "b-2"])))
    found = draw(past_of(PLAN, times, times), Scenario(origin={"b-2": "b"}), plan=plan)
    assert found.step(plan.steps[0]).took["b-2"] == pytest.approx(5.0)


def test_what_is_given_wins_over_history() -> None:
    scenario = Scenario(take={("p0", "t0"): Range(30.0, 30.0)})
    found = draw(exactly(1.0, 1.0), scenario)
    assert set(found.step(FIRST).took.values()) == {30.0}
    assert set(found.step(SECOND).took.values()) == {1.0}


def test_four_in_five_lie_in_a_range_that_is_given() -> None:
    many = [f"h{number}" for number in range(2000)]
    plan = build(P(chain(many)))
    took = draw(Past(), Scenario(take={("p0", "t0"): Range(20.0, 40.0)}), plan=plan).step(plan.steps[0]).took
    assert statistics.mean(20 <= seconds <= 40 for seconds in took.values()) == pytest.approx(0.8, abs=0.03)


def test_slow_hosts_take_so_many_times_as_long() -> None:
    took = draw(exactly(2.0, 2.0), Scenario(slow={"b": 3.0})).step(FIRST).took
    assert took == pytest.approx({"a": 2.0, "b": 6.0, "c": 2.0})


def test_who_is_too_slow_for_the_time_out_fails_by_it() -> None:
    first = replace(FIRST, task=replace(FIRST.task, timeout=5))
    found = draw(exactly(2.0, 2.0), Scenario(slow={"b": 3.0})).step(first)
    assert found.took == pytest.approx({"a": 2.0, "b": 5.0, "c": 2.0})
    assert found.fails == {"b"}


def test_staging_takes_as_long_as_before_on_clones_too() -> None:
    past = exactly(1.0, 1.0)
    past.tasks["p0", "t0"].staging = {"a": 0.25}
    plan = build(P(chain(["a", "a-2", "b"])))
    found = draw(past, Scenario(origin={"a-2": "a"}), plan=plan).step(plan.steps[0])
    assert found.staging == {"a": 0.25, "a-2": 0.25}


def test_a_share_fails() -> None:
    many = [f"h{number}" for number in range(1000)]
    plan = build(P(chain(many, many)))
    found = draw(Past(), Scenario(fail={("p0", "t0"): 0.3}), plan=plan)
    assert len(found.step(plan.steps[0]).fails) == pytest.approx(300, abs=50)
    assert not found.step(plan.steps[1]).fails


def test_a_wave_that_waits_for_places_varies_as_all_its_jobs_together_do() -> None:
    past = exactly(1.0, 1.0)
    past.tasks["p0", "t0"].spread = Spread(longest=0.5, together=0.0)
    calm = Round(PLAN, past, Scenario(), forks=2, seed=1, number=0, of=5).step(FIRST).took
    lively = Round(PLAN, past, Scenario(), forks=3, seed=1, number=0, of=5).step(FIRST).took
    assert calm == pytest.approx(dict.fromkeys(HOSTS, 1.0))
    assert lively != pytest.approx(dict.fromkeys(HOSTS, 1.0))


def test_noise_makes_a_few_runs_spread_as_one_more_of_them_would() -> None:
    """A draw from n values has (n - 1)/n of the estimated variance; one more value has 1 + 1/n of it, and t's tails."""
    t = {2: 3.078, 3: 1.886, 5: 1.533, 10: 1.383, 20: 1.328}
    for count, upper in t.items():
        whole = (count - 1) / count + smoothing(count) ** 2
        assert 1.2816 * math.sqrt(whole) == pytest.approx(upper * math.sqrt(1 + 1 / count), rel=0.04)
