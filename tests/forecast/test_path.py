"""The critical path: its legs add up to the whole run, and each says why it began when it did."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from support.worlds import P, T, World, build, chain, worlds

from drumline.forecast.draws import Drawn, Range, Round, Scenario, key_of
from drumline.forecast.durations import Past
from drumline.forecast.path import Leg, critical_path
from drumline.forecast.simulation import Simulated, Simulation
from drumline.model.plan import Plan, Step
from drumline.model.playbook import Barrier, Late, Start, Strategy

HOSTS = ["a", "b", "c", "d"]


def simulate(plan: Plan, slow: dict[str, float] | None = None, *, forks: int = 50, sessions: int = 4) -> Simulated:
    take = {key_of(plan, step): Range(1.0, 1.0) for step in plan.steps}
    draws = Round(plan, Past(), Scenario(take=take, slow=slow or {}), forks=50, seed=1, number=0, of=1)
    return Simulation(plan, draws, forks=forks, sessions=sessions).run()


def legs(plan: Plan, slow: dict[str, float] | None = None, **options: int) -> list[tuple[str, tuple[str, ...], str]]:
    return [
        (plan.steps[leg.step].task.id, leg.hosts, str(leg.reason))
        for leg in critical_path(plan, simulate(plan, slow, **options))
    ]


def total(path: tuple[Leg, ...]) -> float:
    return sum(leg.seconds + leg.clock + leg.overhead for leg in path)


def test_the_slowest_of_each_wave() -> None:
    assert legs(build(P(chain(HOSTS, HOSTS))), {"c": 3.0}) == [("t0", ("c",), "beginning"), ("t1", ("c",), "barrier")]


def test_jobs_that_waited_for_a_place() -> None:
    [(task, hosts, reason)] = legs(build(P(chain(HOSTS))), forks=1)
    assert (task, hosts, reason) == ("t0", ("a", "b", "c", "d"), "beginning")


def test_a_place_on_its_host() -> None:
    plan = build(P([T(["a"]), T(["a"])]))
    assert legs(plan, sessions=1) == [("t0", ("a",), "beginning"), ("t1", ("a",), "sessions")]


def test_throttled_jobs() -> None:
    [(_, hosts, _)] = legs(build(P([T(HOSTS, throttle=1)])))
    assert len(hosts) == 4


def test_needs_without_barriers() -> None:
    plan = build(P(chain(HOSTS, HOSTS), strategy=Strategy.FREE))
    assert legs(plan, {"c": 3.0}) == [("t0", ("c",), "beginning"), ("t1", ("c",), "need")]


def test_a_play_after_another() -> None:
    plan = build(P(chain(["a"])), P(chain(["b"]), needs=[0]))
    assert legs(plan) == [("t0", ("a",), "beginning"), ("t0", ("b",), "barrier")]


def test_who_was_staged_last_and_then_who_took_longest() -> None:
    plan = build(P([T(HOSTS, start=Start())]))
    path = critical_path(plan, simulate(plan, {"b": 5.0}))
    assert [(leg.hosts, str(leg.reason), leg.staged) for leg in path] == [
        (("d",), "beginning", True),
        (("b",), "start", False),
    ]


class LastOneSkipped:
    """Host a is staged at once; host b's condition takes longer, and doesn't hold."""

    def step(self, step: Step) -> Drawn:
        return Drawn(took={"a": 5.0, "b": -9.0}, fails=frozenset(), staging={"a": 1.0}, connects=True)


def test_a_start_for_which_the_last_host_was_skipped() -> None:
    plan = build(P([T(["a", "b"], start=Start())]))
    found = Simulation(plan, LastOneSkipped(), forks=50, sessions=4).run()
    path = critical_path(plan, found)
    assert [(leg.hosts, str(leg.reason), leg.staged) for leg in path] == [
        (("b",), "beginning", False),
        (("a",), "start", False),
    ]
    assert total(path) == pytest.approx(found.seconds)


def test_staging_that_waited_for_places() -> None:
    plan = build(P([T(HOSTS, start=Start())]))
    path = critical_path(plan, simulate(plan, forks=1))
    assert [(leg.hosts, leg.staged) for leg in path] == [(("a", "b", "c", "d"), True), (("d",), False)]


def test_a_moment_of_the_clock() -> None:
    plan = build(P([T(HOSTS), T(HOSTS, needs=[0], start=Start(at=100.0))]))
    path = critical_path(plan, simulate(plan))
    assert [leg.clock > 90 for leg in path] == [False, True]
    assert total(path) == pytest.approx(simulate(plan).seconds)


def test_a_deadline() -> None:
    plan = build(P(chain(HOSTS, HOSTS), barrier=Barrier(deadline=20.0, late=Late.CATCH_UP)))
    found = simulate(plan, {"d": 100.0})
    path = critical_path(plan, found)
    assert total(path) == pytest.approx(found.seconds)


@settings(max_examples=50, deadline=None)
@given(world=worlds())
def test_it_is_the_whole_run(world: World) -> None:
    found = simulate(world.plan, {"h1": 3.0, "h2": 0.5}, forks=world.forks, sessions=world.sessions)
    assert found.last is not None
    whole = total(critical_path(world.plan, found))
    if found.last.job is None:  # it ended by a deadline, or a start was called off
        assert whole <= found.seconds + 1e-6
    else:
        assert whole == pytest.approx(found.seconds, abs=1e-6)
