"""The driver: what it commits, in which order, and how it ends when it is interrupted or something breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from support.worlds import P, T, build, chain

from drumline.clock import SystemClock
from drumline.engine.state import RunState
from drumline.execution import driver as driver_module
from drumline.execution.driver import Driver
from drumline.execution.executors import ThreadExecutor
from drumline.journal.writer import JournalFailed
from drumline.model.event import Event, JobFinished, JobsStarted, JobWaiting, RunFinished
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import Amount, Barrier, Late
from drumline.plugin.runs import JobReport, Stopped


class Record:
    """Keeps what was committed; ``full_after`` events it fails as a full disk does."""

    def __init__(self, full_after: int | None = None) -> None:
        self.events: list[Event] = []
        self._full_after = full_after

    def append(self, events: Sequence[Event], _reports: Sequence[JobReport] = ()) -> None:
        if self._full_after is not None and len(self.events) >= self._full_after:
            raise JournalFailed("full", "make room")
        self.events += events


class Hosts:
    """Runs jobs as a test tells: at once, or when ``open`` is set; remembers what it was asked to do."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.unannounced: list[Job] = []
        self.stopped: dict[Job, Stopped] = {}
        self.open = threading.Event()
        self.open.set()
        self.deaf = False

    def run(self, job: Job) -> JobReport:
        started = {found for event in self.record.events if isinstance(event, JobsStarted) for found in event.jobs}
        if job not in started:
            self.unannounced.append(job)
        self.open.wait(10)
        status = self.stopped[job].status if job in self.stopped else Status.OK
        return JobReport(event=JobFinished(at=1.0, job=job, status=status))

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        raise AssertionError("nothing of these plans is staged")

    def stop(self, job: Job, stopped: Stopped) -> None:
        self.stopped[job] = stopped
        if not self.deaf:
            self.open.set()


def make(plan: Plan, record: Record) -> tuple[Driver, ThreadExecutor, Hosts]:
    driver = Driver(
        RunState(plan),
        run="test",
        record=record,
        listeners=[],
        clock=SystemClock(),
        remember=lambda _report: None,
    )
    hosts = Hosts(record)
    return driver, ThreadExecutor(hosts, driver.report), hosts


def test_an_intent_is_durable_before_its_job_is_sent() -> None:
    """Promise 2."""
    record = Record()
    driver, executor, hosts = make(build(P(chain(["a", "b", "c"], ["a", "b"], ["c"]))), record)
    assert driver.run(executor) == 0
    executor.close()
    assert hosts.unannounced == []
    assert isinstance(record.events[-1], RunFinished)


def test_a_first_interrupt_lets_the_wave_end_and_a_second_stops_it() -> None:
    record = Record()
    driver, executor, hosts = make(build(P(chain(["a", "b"], ["a", "b"]))), record)
    hosts.open.clear()
    driver.interrupt()
    driver.interrupt()
    assert driver.run(executor) == 130
    executor.close()
    assert sorted(hosts.stopped) == [Job(0, "a"), Job(0, "b")]
    [finished] = [event for event in record.events if isinstance(event, RunFinished)]
    assert finished.counts == {"cancelled": 4}


def test_to_be_ended_after_a_ctrl_c_still_waits_for_what_it_stops() -> None:
    record = Record()
    driver, executor, hosts = make(build(P([T(["a", "b"])])), record)
    hosts.open.clear()
    driver.interrupt()
    driver.terminate()
    assert driver.run(executor) == 130
    executor.close()
    assert {event.status for event in record.events if isinstance(event, JobFinished)} == {Status.CANCELLED}


def test_jobs_that_do_not_answer_are_given_up_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "STOP_GRACE", 0.2)
    record = Record()
    driver, executor, hosts = make(build(P([T(["a"])])), record)
    hosts.open.clear()
    hosts.deaf = True
    driver.interrupt()
    driver.interrupt()
    assert driver.run(executor) == 130
    hosts.open.set()
    executor.close()
    [finished] = [event for event in record.events if isinstance(event, JobFinished)]
    assert finished.status is Status.UNKNOWN
    assert 0.2 <= finished.at - finished.started < 60


def test_a_job_that_is_late_is_stopped_in_time_and_given_up_when_it_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No one but the clock tells the state that a deadline has passed."""
    monkeypatch.setattr(driver_module, "STOP_GRACE", 0.2)
    record = Record()
    late = Barrier(deadline=0.1, late=Late.FAIL)
    driver, executor, hosts = make(build(P([T(["a"], barrier=late), T(["b"], needs=[0])])), record)
    remembered: list[JobReport] = []
    driver._remember = remembered.append
    hosts.open.clear()
    hosts.deaf = True
    began = time.monotonic()
    assert driver.run(executor) == 2
    assert 0.3 <= time.monotonic() - began < 5
    hosts.open.set()
    executor.close()
    assert list(hosts.stopped) == [Job(0, "a")]
    [finished] = [event for event in record.events if isinstance(event, JobFinished)]
    assert finished.status is Status.FAILED
    assert finished.result["msg"].startswith("late at the barrier: ")
    assert finished.result["msg"].endswith(
        "It did not answer when it was stopped; it may still be running on the host."
    )
    assert [report.event for report in remembered] == [finished]


def test_one_that_answers_in_time_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "STOP_GRACE", 0.2)
    record = Record()
    late = Barrier(deadline=0.05, late=Late.DROP)
    driver, executor, hosts = make(build(P([T(["a"], barrier=late)])), record)
    hosts.open.clear()
    assert driver.run(executor) == 0
    executor.close()
    [finished] = [event for event in record.events if isinstance(event, JobFinished)]
    assert (finished.status, finished.at) == (Status.SKIPPED, 1.0)  # as the host reported it


def test_one_that_answers_in_the_same_turn_is_not_given_up_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its neighbour's end makes it late, and its own is known already."""
    monkeypatch.setattr(driver_module, "STOP_GRACE", 0.1)
    record = Record()
    quorum = Barrier(quorum=Amount(value=50, percent=True), late=Late.DROP)
    driver, executor, hosts = make(build(P([T(["a", "b"], barrier=quorum), T(["a"], needs=[0])])), record)
    submit, waiting = executor.submit, list[Job]()

    def submit_together(job: Job) -> None:
        if job.step == 1:
            threading.Timer(0.3, submit, [job]).start()
            return
        waiting.append(job)
        for one in waiting if len(waiting) == 2 else []:
            driver.report(hosts.run(one))

    monkeypatch.setattr(executor, "submit", submit_together)
    assert driver.run(executor) == 0
    executor.close()
    assert hosts.stopped == {}
    assert {event.status for event in record.events if isinstance(event, JobFinished)} == {Status.OK}


def test_what_a_job_notes_when_it_was_given_up_is_dropped() -> None:
    """The state would not know what to do with it."""
    record = Record()
    driver, executor, hosts = make(build(P(chain(["a"], ["a"]))), record)
    run = hosts.run

    def run_and_note(job: Job) -> JobReport:
        driver.note(JobWaiting(at=1.0, job=Job(0, "a"), reason="for nothing"))
        return run(job)

    hosts.run = run_and_note  # type: ignore[method-assign]  # the fake of this test alone
    assert driver.run(executor) == 0
    executor.close()
    assert len([event for event in record.events if isinstance(event, JobWaiting)]) == 1


def test_when_the_journal_is_full_what_runs_is_stopped_and_nothing_more_is_sent() -> None:
    record = Record(full_after=3)
    driver, executor, hosts = make(build(P([T(["a", "b"]), T(["a", "b"], needs=[0])])), record)
    with pytest.raises(JournalFailed):
        driver.run(executor)
    executor.close()
    assert {job.step for event in record.events if isinstance(event, JobsStarted) for job in event.jobs} == {0}
    assert hosts.unannounced == []


def test_when_the_journal_is_full_what_runs_is_waited_for() -> None:
    record = Record(full_after=3)
    driver, executor, hosts = make(build(P([T(["a"]), T(["b"]), T(["c"], needs=[0])])), record)
    slow = Job(1, "b")
    ended: list[Job] = []
    run = hosts.run

    def run_one(job: Job) -> JobReport:
        if job == slow:
            hosts.open.clear()
            hosts.open.wait(10)  # until it is stopped
        report = run(job)
        ended.append(job)
        return report

    hosts.run = run_one  # type: ignore[method-assign]  # the fake of this test alone
    with pytest.raises(JournalFailed):
        driver.run(executor)
    executor.close()
    assert slow in hosts.stopped
    assert slow in ended
    assert Job(2, "c") not in ended


def test_threads_are_used_again() -> None:
    record = Record()
    driver, executor, _ = make(build(P(chain(*[["a", "b"]] * 10))), record)
    driver.run(executor)
    assert len(executor._threads) <= 4
    executor.close()


def test_a_fault_of_drumline_ends_the_run_instead_of_leaving_it_waiting() -> None:
    driver, executor, hosts = make(build(P([T(["a", "b"])])), Record())

    def fail(_job: Job) -> JobReport:
        raise ZeroDivisionError

    hosts.run = fail  # type: ignore[assignment,method-assign]  # the fake of this test alone
    with pytest.raises(ZeroDivisionError):
        driver.run(executor)
    executor.close()
