"""Plans in the journal: all that a run's state needs comes back, from older journals too."""

from __future__ import annotations

import json

from hypothesis import given, settings
from support.worlds import P, T, build, plans

from drumline.journal.codec import decode, describe
from drumline.journal.plans import decode_plan, encode_plan
from drumline.journal.replay import replay
from drumline.model.event import BarrierPassed, Event, JobFinished, JobsStarted, RunStarted, StartCalledOff
from drumline.model.outcome import Status
from drumline.model.plan import Job, Keep, Plan
from drumline.model.playbook import Amount, Barrier, Late, Start

#: As version 0.4 wrote it, in schema 1.
OLD = {
    "path": "site.yml",
    "hosts": [["a", "b"]],
    "plays": [
        {
            "id": "p",
            "name": "p",
            "position": ["site.yml", 1, 3],
            "strategy": "waves",
            "any_errors_fatal": True,
            "hosts": 0,
            "needs": [],
            "batches": [{"hosts": 0, "waves": [[0], [1]]}],
        }
    ],
    "steps": [
        {
            "task": name,
            "name": name,
            "action": "command",
            "position": ["site.yml", 4, 7],
            "trigger_rule": "none_failed",
            "run_once": False,
            "play": 0,
            "batch": 0,
            "wave": wave,
            "hosts": 0,
            "needs": needs,
        }
        for wave, (name, needs) in enumerate([("one", []), ("two", [[0, None]])])
    ],
}


def timed() -> Plan:
    barriers = [Barrier(), Barrier(quorum=Amount(90, percent=True), deadline=600, late=Late.DROP)]
    tasks = [T(["a", "b"], barrier=barriers[1], throttle=3), T(["a"], needs=[0], start=Start(max_skew=0.1, at=5.0))]
    keep = [Keep(group="app", least=1, hosts=("a", "b", "x"))]
    return build(P(tasks, batches=2, canary=True, max_fail_percentage=12.5, keep=keep, any_errors_fatal=True))


def assert_same(plan: Plan, read: Plan) -> None:
    assert read.steps == plan.steps
    for written, found in zip(plan.plays, read.plays, strict=True):
        assert (found.hosts, found.batches, found.needs, found.keep) == (
            written.hosts,
            written.batches,
            written.needs,
            written.keep,
        )
        assert found.play.max_fail_percentage == written.play.max_fail_percentage


def test_all_that_has_to_do_with_timing_comes_back() -> None:
    assert_same(timed(), decode_plan(encode_plan(timed())))


@settings(max_examples=50, deadline=None)
@given(plans())
def test_any_plan_comes_back(plan: Plan) -> None:
    assert_same(plan, decode_plan(encode_plan(plan)))


def test_a_plan_of_an_older_journal_is_read_and_replayed() -> None:
    plan = decode_plan(json.dumps(OLD))
    assert [step.task.any_errors_fatal for step in plan.steps] == [True, True]
    jobs = (Job(0, "a"), Job(0, "b"))
    events: list[Event] = [
        RunStarted(at=0, run="x"),
        JobsStarted(at=0, jobs=jobs),
        JobFinished(at=1, job=jobs[0], status=Status.FAILED),
        JobFinished(at=2, job=jobs[1], status=Status.OK),
    ]
    state = replay(plan, events, forks=50, sessions=4)
    assert state.finished
    assert state.counts() == {"failed": 1, "ok": 1, "abandoned": 2}


def test_an_event_of_an_older_journal_lacks_what_was_not_known_then() -> None:
    event = decode("BarrierPassed", '{"at":5.0,"play":0,"batch":0,"wave":0,"last":[0,"a"],"waited":2.0}')
    assert event == BarrierPassed(at=5.0, play=0, batch=0, wave=0, last=Job(0, "a"), waited=2.0)


def test_events_of_a_step_name_its_task() -> None:
    described = describe(StartCalledOff(at=1.0, step=1, reason="why", cause=Job(0, "a")), timed())
    assert (described["step"], described["task"]) == (1, "t1")
    assert described["cause"]["host"] == "a"
