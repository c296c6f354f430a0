"""The world in virtual time: forks, sessions, barriers, starts and drumline's own cost, as in a real run."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from support.worlds import P, T, World, build, chain, worlds

from drumline.forecast import costs
from drumline.forecast.draws import Drawn
from drumline.forecast.simulation import Simulated, Simulation
from drumline.model.plan import Keep, Plan, Step
from drumline.model.playbook import Amount, Barrier, Late, Start, Strategy
from drumline.plugin.traits import Costs

HOSTS = ["a", "b", "c", "d"]
FREE = dict.fromkeys(HOSTS, Costs(job=0.0, connection=0.0, connecting=0.0))


@dataclass
class Times:
    """Draws that a test fixes: a second, except where it says otherwise by task and host."""

    took: Mapping[tuple[str, str], float] = field(default_factory=dict)
    fails: frozenset[tuple[str, str]] = frozenset()
    connects: bool = True

    def step(self, step: Step) -> Drawn:
        task = step.task.id
        return Drawn(
            took={host: self.took.get((task, host), 1.0) for host in step.hosts},
            fails=frozenset(host for host in step.hosts if (task, host) in self.fails),
            staging=dict.fromkeys(step.hosts, 0.25),
            connects=self.connects,
        )


@pytest.fixture(autouse=True)
def _nothing_is_free_of_charge_but_drumline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drumline.forecast.simulation.TURN", 0.0)
    monkeypatch.setattr("drumline.forecast.simulation.WORD", 0.0)


def simulate(
    plan: Plan, times: Times | None = None, *, forks: int = 50, sessions: int = 4, **options: Any
) -> Simulated:
    return Simulation(plan, times or Times(), forks=forks, sessions=sessions, **{"costs": FREE, **options}).run()


def test_waves_wait_for_their_slowest_job() -> None:
    found = simulate(build(P(chain(HOSTS, HOSTS))), Times({("t0", "b"): 3.0, ("t1", "c"): 5.0}))
    assert found.seconds == pytest.approx(8.0)
    assert found.exit_status == 0
    assert found.counts == {"ok": 8}
    assert [(span.released, span.ended) for span in found.waves.values()] == [(0.0, 3.0), (3.0, 8.0)]


def test_without_barriers_each_host_goes_on_by_itself() -> None:
    plan = build(P(chain(HOSTS, HOSTS), strategy=Strategy.FREE))
    found = simulate(plan, Times({("t0", "b"): 3.0, ("t1", "c"): 5.0}))
    assert found.seconds == pytest.approx(6.0)
    assert found.waves[0, 0, 1].ended == pytest.approx(6.0)


@pytest.mark.parametrize(("forks", "seconds"), [(4, 1.0), (3, 2.0), (2, 2.0), (1, 4.0)])
def test_forks(forks: int, seconds: float) -> None:
    assert simulate(build(P(chain(HOSTS))), forks=forks).seconds == pytest.approx(seconds)


@pytest.mark.parametrize(("sessions", "seconds"), [(4, 1.0), (2, 2.0), (1, 4.0)])
def test_sessions(sessions: int, seconds: float) -> None:
    plan = build(P([T(["a"]), T(["a"]), T(["a"]), T(["a"])]))
    assert simulate(plan, sessions=sessions).seconds == pytest.approx(seconds)


def test_throttle() -> None:
    assert simulate(build(P([T(HOSTS, throttle=1)]))).seconds == pytest.approx(4.0)


def test_batches_follow_one_another() -> None:
    found = simulate(build(P(chain(HOSTS, HOSTS), batches=2)))
    assert found.seconds == pytest.approx(4.0)
    assert found.waves[0, 1, 0].released == pytest.approx(2.0)


def test_failures_take_what_depends_on_them() -> None:
    found = simulate(build(P(chain(HOSTS, HOSTS))), Times(fails=frozenset({("t0", "a")})))
    assert found.counts == {"abandoned": 1, "failed": 1, "ok": 6}
    assert found.exit_status == 2


def test_what_is_skipped_takes_its_time_as_well() -> None:
    found = simulate(build(P(chain(["a"]))), Times({("t0", "a"): -0.5}))
    assert found.seconds == pytest.approx(0.5)
    assert found.counts == {"skipped": 1}


def test_a_play_that_stops_says_why() -> None:
    plan = build(P(chain(HOSTS), batches=2, keep=[Keep(group="all", least=2, hosts=tuple(HOSTS))]))
    found = simulate(plan, Times(fails=frozenset({("t0", "a")})))
    [reason] = found.stops
    assert "all" in reason
    assert found.counts["abandoned"] == 2


@pytest.mark.parametrize(
    ("late", "seconds", "status"), [(Late.FAIL, 3.1, 2), (Late.DROP, 3.1, 0), (Late.CATCH_UP, 11.0, 0)]
)
def test_deadlines(late: Late, seconds: float, status: int) -> None:
    barrier = Barrier(deadline=2.0, late=late)
    found = simulate(build(P(chain(HOSTS, HOSTS), barrier=barrier)), Times({("t0", "d"): 10.0}))
    assert found.late == 1
    assert found.seconds == pytest.approx(seconds, abs=costs.STOPPING)
    assert found.exit_status == status


def test_a_quorum_lets_the_rest_go_on_behind() -> None:
    barrier = Barrier(quorum=Amount(75, percent=True), late=Late.CATCH_UP)
    found = simulate(build(P(chain(HOSTS, HOSTS), barrier=barrier)), Times({("t0", "d"): 4.0}))
    assert found.waves[0, 0, 1].released == pytest.approx(1.0)
    assert found.seconds == pytest.approx(5.0)


def test_a_start_at_one_moment_waits_until_all_are_staged() -> None:
    plan = build(P([T(HOSTS, start=Start())]))
    found = simulate(plan, Times({("t0", "b"): 3.0}), forks=2)
    assert found.seconds == pytest.approx(2 * 0.25 + 3.0)


def test_a_start_at_a_moment_waits_for_it() -> None:
    plan = build(P([T(HOSTS, start=Start(at=1000.0))]))
    assert simulate(plan, begin=970.0).seconds == pytest.approx(31.0)


def test_a_start_that_fails_on_one_host_is_called_off() -> None:
    plan = build(P([T(HOSTS), T(HOSTS, needs=[0], start=Start(at=1000.0))]))
    found = simulate(plan, begin=999.5)  # by the time they are staged it is too late
    assert found.exit_status == 2
    [reason] = found.stops
    assert "it was to start at" in reason


def test_drumline_starts_one_job_after_the_other() -> None:
    costly = dict.fromkeys(HOSTS, Costs(job=0.5, connection=0.0, connecting=0.0))
    assert simulate(build(P(chain(HOSTS))), costs=costly).seconds == pytest.approx(4 * 0.5 + 1.0)


def test_a_connection_costs_once_for_each_host() -> None:
    costly = dict.fromkeys(HOSTS, Costs(job=0.0, connection=0.5, connecting=2.0))
    plan = build(P(chain(HOSTS, HOSTS)))
    assert simulate(plan, costs=costly).seconds == pytest.approx(4 * 0.5 + 1.0 + 1.0)
    # Where earlier times don't have it in them, the time until a host answers comes to that.
    assert simulate(plan, Times(connects=False), costs=costly).seconds == pytest.approx(4 * 0.5 + 2.0 + 1.0 + 1.0)


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    simulate(build(P(chain(HOSTS, HOSTS))))
    assert threading.active_count() == before


@settings(max_examples=50, deadline=None)
@given(world=worlds())
def test_every_plan_comes_to_its_end(world: World) -> None:
    """Any graph, barriers, starts, limits; nothing is left, and no wave ends before it is released."""
    fails = frozenset((f"t{number}", "h1") for number in (0, 3))
    found = simulate(world.plan, Times(fails=fails), forks=world.forks, sessions=world.sessions)
    assert math.isfinite(found.seconds)
    assert all(span.released <= span.ended for span in found.waves.values())
    assert found.exit_status in (0, 2)
