"""What people read of a forecast."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from support.history import constant, past_of
from support.worlds import P, T, build, chain

from drumline.forecast.draws import Range, Scenario
from drumline.forecast.durations import Past
from drumline.forecast.estimate import Estimate, Interval, estimate
from drumline.forecast.remaining import Left
from drumline.model.event import InterruptRequested, RunStarted, Urgency, WaveReleased
from drumline.model.plan import Plan
from drumline.model.playbook import Barrier, Late, Start, Strategy
from drumline.plugin.traits import Costs
from drumline.reporting.ahead import estimate_data, estimate_lines
from drumline.reporting.console import ConsoleReport
from drumline.reporting.lines import Line, plain

HOSTS = ["web1", "web2", "db1"]
PLAN = build(P(chain(HOSTS, HOSTS)))
FREE = Costs(job=0.0, connection=0.0, connecting=0.0)


def ask(plan: Plan, past: Past | None = None, *, forks: int = 50, **scenario: Any) -> Estimate:
    costs = {host: FREE for play in plan.plays for host in play.hosts}
    chosen = Scenario(**scenario)
    return estimate(plan, past or Past(), chosen, forks=forks, sessions=4, costs=costs, rounds=10)


def text(found: Estimate) -> str:
    return "\n".join(plain(line) for line in estimate_lines(found))


def test_waves_path_and_what_it_rests_on() -> None:
    times = constant(PLAN, lambda task, host: 30.0 if (task, host) == ("t1", "db1") else 2.0)
    assert text(ask(PLAN, past_of(PLAN, times, times))) == (
        "expected: 32 s\n"
        "  play 0\n"
        "    wave 1: t0  2.0 s\n"
        "    wave 2: t1  30 s\n"
        "critical path: what the end of the run waited for\n"
        "      2.0 s    6%  t0 on db1  from the beginning\n"
        "       30 s   94%  t1 on db1  after the barrier\n"
        "from 2 earlier runs; 80% of 10 simulated runs lie within the brackets"
    )


def test_intervals_and_how_little_one_run_says() -> None:
    said = text(ask(PLAN, past_of(PLAN, constant(PLAN, lambda _t, _h: 100.0))))
    assert said.startswith("expected: 3 m 2")
    assert "(2 m 4" in said
    assert "from 1 earlier run;" in said
    assert "about 10% is assumed" in said


def test_what_has_no_history_says_so() -> None:
    said = text(ask(PLAN))
    assert "no earlier run of this playbook is in the journal" in said
    assert "no history: t0, t1; 1 s is assumed for each job (--take TASK=TIME)" in said
    several = build(*[P(chain(*[HOSTS] * 6)) for _ in range(2)])
    assert "no history: p0.t0, p0.t1, " in text(ask(several))
    assert " and 4 more;" in text(ask(several))


def test_places_that_were_waited_for() -> None:
    said = text(ask(PLAN, forks=1))
    assert "t0 on 3 hosts in turn  from the beginning, then for a free fork" in said
    assert "t1 on 3 hosts in turn  after the barrier, then for a free fork" in said


def test_without_barriers_there_are_levels() -> None:
    said = text(ask(build(P(chain(HOSTS, HOSTS), strategy=Strategy.FREE))))
    assert "    level 2: t1  2.0 s\n" in said
    assert "t1 on db1  after what it needs" in said


def test_few_batches_are_shown_one_by_one_and_many_together() -> None:
    few = text(ask(build(P(chain(HOSTS), batches=3))))
    assert "    batch 3 of 3: 1.0 s\n      wave 1: t0  1.0 s\n" in few
    many = build(P(chain([f"h{number}" for number in range(20)]), batches=20))
    said = text(ask(many))
    assert "    batch 1 of 20: 1.0 s\n" in said
    assert "    batches 2 to 20, each: 1.0 s\n" in said
    assert "t0 on 20 hosts in turn  after the barrier, in 20 batches" in said


def test_a_start_at_one_moment() -> None:
    said = text(ask(build(P([T(HOSTS, start=Start())]))))
    assert "t0 on db1, until it was staged" in said
    assert "when all were staged" in said


def test_where_it_stops_and_who_is_late() -> None:
    plan = build(P(chain(HOSTS), batches=3, any_errors_fatal=True))
    said = text(ask(plan, fail={("p0", "t0"): 1.0}))
    assert "outcome: a job failed in 10 of 10 simulated runs" in said
    assert "  jobs on average: 1 failed, 2 abandoned" in said
    assert "  stops in 10 of 10: " in said
    assert "batch 2 of 3: not reached" in said
    late = build(P(chain(HOSTS), barrier=Barrier(deadline=2.0, late=Late.DROP)))
    assert "late at a barrier: 3 jobs on average" in text(ask(late, take={("p0", "t0"): Range(5.0, 5.0)}))


def test_a_few_failures_are_not_rounded_away() -> None:
    plan = build(P(chain([f"h{number}" for number in range(30)])))
    assert "  jobs on average: 29.3 ok, 0.7 failed" in text(ask(plan, fail={("p0", "t0"): 0.02}))


def test_data() -> None:
    found = json.loads(json.dumps(estimate_data(ask(PLAN))))
    assert found["run"].keys() == {"low", "expected", "high"}
    [play] = found["plays"]
    [batch] = play["batches"]
    assert [wave["tasks"] for wave in batch["waves"]] == [["t0"], ["t1"]]
    assert batch["waves"][0]["time"]["expected"] > 0.99
    assert [(leg["task"], leg["reason"]) for leg in found["critical_path"]] == [("t0", "beginning"), ("t1", "barrier")]
    assert found["no_history"][0] == {"play": "p0", "task": "t0", "assumed": 1.0}
    assert (found["earlier_runs"], found["rounds"], found["endings"], found["jobs"]) == (0, 10, {"0": 10}, {"ok": 6})


# What is left, below the live lines.


class Kept:
    """A screen that keeps what stands below."""

    def __init__(self) -> None:
        self.live: Callable[[], Iterable[Line]] = list

    def show(self, line: Line) -> None: ...

    def open(self, live: Callable[[], Iterable[Line]]) -> None:
        self.live = live

    def redraw(self) -> None: ...

    def close(self) -> None: ...

    def last(self) -> str:
        return plain(list(self.live())[-1])


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (Left(time=Interval(100.0, 200.0, 300.0), unknown=0), "  about 3 m 20 s left (1 m 40 s to 5 m 00 s)"),
        (Left(time=Interval(5.0, 5.0, 5.0), unknown=2), "  about 5.0 s left, not counting 2 tasks that never ran"),
        (Left(time=Interval(0.0, 0.0, 0.0), unknown=0), "  taking longer than expected"),
    ],
)
def test_what_is_left_stands_below_the_waves(left: Left, says: str) -> None:
    asked: list[Mapping[tuple[int, int, int], float]] = []

    def remaining(_now: float, released: Mapping[tuple[int, int, int], float]) -> Left | None:
        asked.append(released)
        return left if released else None

    screen = Kept()
    with ConsoleReport(PLAN, screen, number=7, alive=True, remaining=remaining) as console:
        assert list(screen.live()) == []
        console(RunStarted(at=10.0, run="x"))
        console(WaveReleased(at=11.0, play=0, batch=0, wave=0, jobs=3))
        assert screen.last() == says
        assert asked[-1] == {(0, 0, 0): 11.0}
        console(InterruptRequested(at=12.0, urgency=Urgency.AFTER_WAVE))
        assert screen.last() != says
