"""Synchronised starts: commands are held back, released together, or start nowhere. On hosts that tests turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.faked import SOON, FakedRun
from support.narrowing import expect

from drumline.errors import ConnectionLost
from drumline.execution.approvals import Approvals
from drumline.execution.burst import Held, Word, burst, release
from drumline.execution.requests import Requests
from drumline.model.event import Event, Input, JobFinished, JobStaged, StartCalledOff, StartMeasured, StartReleased
from drumline.model.outcome import ClockReading, Completed
from drumline.model.plan import Job
from drumline.model.request import Language, Run, Sleep
from drumline.plugin.actions import ActionFailed
from drumline.testing.fakes import FakeSession, FakeStaged


def after_staged(count: int, then: Callable[[], None]) -> Callable[[Event], None]:
    """Calls ``then`` when so many jobs are staged."""
    seen: list[Event] = []

    def listen(event: Event) -> None:
        if isinstance(event, JobStaged):
            seen.append(event)
            if len(seen) == count:
                then()

    return listen


def ahead_by(seconds: float) -> Callable[[], float]:
    """A host's clock."""
    return lambda: time.time() + seconds


def test_nobody_starts_before_everybody_is_ready(tmp_path: Path) -> None:
    ran = FakedRun(tmp_path, "command: flip, start: {together: true}", gates={"c": threading.Event()})
    early: list[bool] = []

    def then() -> None:
        early.extend(staged.released for staged in ran.staged().values())
        ran.gates["c"].set()

    ran.on_event = after_staged(2, then)
    assert ran.run() == 0
    assert early == [False, False]
    assert {host: staged.released for host, staged in ran.staged().items()} == dict.fromkeys("abc", True)
    assert ran.statuses() == dict.fromkeys("abc", "changed")
    [released] = ran.of(StartReleased)
    assert sorted(job.host for job in released.jobs) == ["a", "b", "c"]
    assert released.instant is None
    assert released.burst < 1


def test_the_state_hears_of_the_release_before_anything_that_came_of_it(tmp_path: Path) -> None:
    ran = FakedRun(tmp_path, "command: flip, start: {together: true}")
    assert ran.run() == 0
    kinds = [type(event) for event in ran.events]
    assert max(i for i, kind in enumerate(kinds) if kind is JobStaged) < kinds.index(StartReleased)
    assert kinds.index(StartReleased) < kinds.index(JobFinished)


def test_when_a_command_began_is_told_by_this_machines_clock(tmp_path: Path) -> None:
    """The hosts' clocks are wrong by up to an hour."""
    ahead = {"a": 3600.0, "b": -1800.0, "c": 0.25}
    ran = FakedRun(tmp_path, "command: flip, start: {together: true}", ahead=ahead)

    def set_clocks() -> None:  # the session of c is the last to stage
        for host, staged in ran.staged().items():
            staged.clock = ahead_by(ahead[host])
        ran.gates["c"].set()

    ran.gates["c"] = threading.Event()
    ran.on_event = after_staged(2, set_clocks)
    before = time.time()
    ran.run()
    began = {event.job.host: event.began for event in ran.of(JobFinished)}
    assert all(before < expect(float, began[host]) < time.time() for host in "ab")
    staged = {event.job.host: event for event in ran.of(JobStaged)}
    assert all(abs(staged[host].offset - ahead[host]) <= staged[host].uncertainty + 1e-5 for host in "abc")


def test_by_the_clock_each_host_is_told_its_own_time(tmp_path: Path) -> None:
    ahead = {"a": 3600.0, "b": -1800.0, "c": 0.25}
    ran = FakedRun(tmp_path, "command: flip, start: {max_skew: 1s}", ahead=ahead)
    assert ran.run() == 0
    [released] = ran.of(StartReleased)
    assert released.instant is not None
    assert released.instant > released.at
    for event in ran.of(JobStaged):
        assert ran.staged()[event.job.host].at == released.instant + event.offset
        assert abs(event.offset - ahead[event.job.host]) <= event.uncertainty + 1e-5
    [measured] = ran.of(StartMeasured)
    assert measured.skew < 1e-5  # the hosts here start when they are told to, to the moment
    assert measured.jobs == 3


def test_a_slow_disk_postpones_an_agreed_instant(tmp_path: Path) -> None:
    """It is agreed some tenths of a second ahead, and durable before anybody is told of it."""
    ran = FakedRun(tmp_path, "command: flip, start: {max_skew: 1s}", disk=0.3)
    assert ran.run() == 0
    [released] = ran.of(StartReleased)
    assert released.instant is not None
    assert released.instant > released.at
    assert all(staged.at is not None for staged in ran.staged().values())


def test_a_host_that_is_lost_while_it_waits_keeps_everybody_from_starting(tmp_path: Path) -> None:
    ran = FakedRun(tmp_path, "command: flip, start: {together: true}", gates={"c": threading.Event()})

    def then() -> None:
        ran.staged()["b"].lost = ConnectionLost("The connection broke", "b: it went away.")
        ran.gates["c"].set()

    ran.on_event = after_staged(2, then)
    assert ran.run() == 4
    assert not any(staged.released for staged in ran.staged().values())
    assert {host: staged.cancelled for host, staged in ran.staged().items()} == dict.fromkeys("abc", True)
    assert ran.statuses() == {"a": "cancelled", "b": "unreachable", "c": "cancelled"}
    assert ran.messages()["b"] == "The connection broke. b: it went away."
    assert ran.messages()["a"] == "the start was called off"
    [called_off] = ran.of(StartCalledOff)
    assert called_off.cause.job is not None
    assert called_off.cause.job.host == "b"
    assert not ran.of(StartReleased)


def test_one_that_may_be_unreachable_is_left_behind(tmp_path: Path) -> None:
    task = "command: flip, start: {together: true}, ignore_unreachable: true"
    ran = FakedRun(tmp_path, task, gates={"c": threading.Event()})

    def then() -> None:
        ran.staged()["b"].lost = ConnectionLost("The connection broke", "b: it went away.")
        ran.gates["c"].set()

    ran.on_event = after_staged(2, then)
    assert ran.run() == 0
    assert {host: staged.released for host, staged in ran.staged().items()} == {"a": True, "b": False, "c": True}
    assert ran.statuses() == {"a": "changed", "b": "unreachable", "c": "changed"}


def test_a_transport_that_can_not_stage_says_so_and_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(FakeSession, "stage")
    ran = FakedRun(tmp_path, "command: flip, start: {together: true}")
    assert ran.run() == 2
    assert "The transport 'ssh' can't hold a command back" in next(iter(ran.messages().values()))
    requests = [request for host in "abc" for request in ran.transport.requests(host)]
    assert not any(isinstance(request, Run) and request.main for request in requests)


def test_a_first_ctrl_c_while_staged_starts_nothing(tmp_path: Path) -> None:
    ran = FakedRun(tmp_path, "command: flip, start: {together: true}", gates={"c": threading.Event()})

    def then() -> None:
        ran.driver.interrupt()
        ran.gates["c"].set()

    ran.on_event = after_staged(2, then)
    assert ran.run() == 130
    assert not any(staged.released for staged in ran.staged().values())
    assert all(staged.cancelled for staged in ran.staged().values())
    assert ran.statuses() == dict.fromkeys("abc", "cancelled")


def test_what_is_staged_keeps_nobody_else_from_its_host(tmp_path: Path) -> None:
    """One host at once, one session per host, two starts: each would wait for a place that the other has."""
    task = "command: x, start: {together: true}, needs: []"
    task = f"{task}}}\n    - {{id: flop, {task}"
    ran = FakedRun(tmp_path, task, sessions=1, forks=1)
    assert ran.run() == 0
    assert len(ran.of(StartReleased)) == 2


def test_the_time_out_of_a_task_does_not_run_while_it_waits(tmp_path: Path) -> None:
    """What a task still has to do after its command would have no time left."""
    context = FakedRun(tmp_path, "command: flip, start: {together: true}").context()
    later: list[threading.Timer] = []

    def note(_event: Input) -> None:
        later.append(threading.Timer(0.4, lambda: expect(Held, requests.held).go()))
        later[0].start()

    requests = Requests(context, Job(0, "a"), note, Approvals(note=note))
    requests.limit(0.3)
    target = context.targets.of(context.plan.steps[0], "a")
    run = Run(language=Language.SH, text="flip", main=True)
    assert requests.carry_out(run, target, None).ok
    requests.carry_out(Sleep(seconds=0.0), target, None)
    context.sessions.close()
    later[0].join()


# What the driver's thread calls.


def held(round_trip: float = 0.001, offset: float = 0.0) -> tuple[Held, FakeStaged]:
    staged = FakeStaged(completed=Completed(code=0))
    return Held(staged, ClockReading(offset=offset, uncertainty=round_trip / 2, round_trip=round_trip)), staged


def test_a_word_that_would_come_too_late_is_given_to_nobody() -> None:
    near, near_staged = held()
    far, far_staged = held(round_trip=0.4)
    assert release([near, far], 1000.3, lambda: 1000.0) is None
    assert not near_staged.released
    assert not far_staged.released
    with pytest.raises(ActionFailed, match="so close that the go signal would have come too late"):
        far.wait()
    near.give_up()
    assert not near.wait()
    again, staged = held(round_trip=0.2)
    assert release([again], 1000.3, lambda: 1000.0) is not None
    assert again.wait()
    assert staged.at == 1000.3


def test_a_burst_gives_every_word_in_order_and_says_how_long_it_took() -> None:
    given: list[tuple[int, float | None]] = []

    def note(number: int, at: float | None) -> None:
        given.append((number, at))

    words = [Word(partial(note, number), float(number)) for number in range(3)]
    words.append(Word(lambda _at: time.sleep(0.02), None))
    assert 0.02 <= burst(words) < SOON
    assert given == [(0, 0.0), (1, 1.0), (2, 2.0)]
