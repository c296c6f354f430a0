"""A report whose reader doesn't read holds nothing up: its memory is bounded, and what it missed is said."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.program import wait_until

from drumline.model.event import Event, JobFinished, RunFinished, RunStarted
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.reporting import relay
from drumline.reporting.relay import Relay, WhenSlow

FIRST, LAST = RunStarted(at=0.0, run="r"), RunFinished(at=9.0, counts={}, exit_status=0)


def big(number: int) -> JobFinished:
    """An event of a thousand letters."""
    return JobFinished(at=1.0, job=Job(0, f"h{number}"), status=Status.OK, result={"stdout": "x" * 1000})


class Report:
    """Keeps what it is given; ``gate`` holds it up as a reader does that has stopped reading."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.seen: list[Event] = []
        self.missed: list[int] = []
        self.thread: threading.Thread | None = None
        self.closed = False

    @contextmanager
    def opened(self) -> Iterator[Callable[..., None]]:
        self.thread = threading.current_thread()
        yield self.take
        self.closed = True

    def take(self, event: Event, missed: int = 0) -> None:
        self.gate.wait(60)
        self.seen.append(event)
        self.missed.append(missed)


@pytest.fixture
def report() -> Iterator[Report]:
    made = Report()
    yield made
    made.gate.set()


@pytest.fixture
def said() -> list[str]:
    return []


def make(report: Report, said: list[str], **options: Any) -> Relay:
    return Relay("The console", report.opened, say=said.append, **options)


def give(made: Relay, events: Iterable[Event]) -> None:
    for event in events:
        made(event)


def test_everything_arrives_in_order_on_another_thread(report: Report, said: list[str]) -> None:
    report.gate.set()
    made = make(report, said)
    events: list[Event] = [FIRST, *map(big, range(5000)), LAST]
    for event in events:
        made(event)
    made.close()
    assert report.seen == events
    assert report.closed
    assert report.thread is not threading.current_thread()
    assert said == []


def test_a_run_that_ends_without_its_last_event_is_reported_too(report: Report, said: list[str]) -> None:
    report.gate.set()
    made = make(report, said)
    made(FIRST)
    made.close()
    assert (report.seen, report.closed, said) == ([FIRST], True, [])


def test_what_does_not_fit_is_left_out_and_said(report: Report, said: list[str]) -> None:
    made = make(report, said, most=10_000, gaps=True)
    made(FIRST)
    for number in range(20):
        made(big(number))
    assert said == ["The console is read too slowly: events are left out from here on. The run goes on."]
    report.gate.set()
    wait_until(lambda: len(report.seen) == 21 - made.missed)
    made(LAST)
    made.close()
    assert 0 < made.missed < 20
    assert sum(report.missed) == made.missed
    assert report.missed[-1] == made.missed  # it is told where the gap is
    assert f"incomplete: {made.missed} events dropped" in said[1]


def test_a_report_that_can_have_no_gaps_stays_silent_after_one(report: Report, said: list[str]) -> None:
    made = make(report, said, most=10_000)
    for number in range(20):
        made(big(number))
    report.gate.set()
    wait_until(lambda: len(report.seen) == 20 - made.missed)
    made(LAST)
    made.close()
    assert LAST not in report.seen
    assert report.missed == [0] * len(report.seen)


def test_by_choice_the_run_waits_for_room(report: Report, said: list[str]) -> None:
    made = make(report, said, most=10_000, when_slow=WhenSlow.WAIT)
    events = [big(number) for number in range(20)]
    giving = threading.Thread(target=give, args=(made, events))
    giving.start()
    giving.join(0.3)
    assert giving.is_alive()
    report.gate.set()
    giving.join(30)
    made.close()
    assert report.seen == events
    assert said == []


def test_a_signal_ends_the_waiting_for_room(report: Report, said: list[str]) -> None:
    made = make(report, said, most=10_000, when_slow=WhenSlow.WAIT)
    giving = threading.Thread(target=give, args=(made, map(big, range(20))))
    giving.start()
    giving.join(0.3)
    assert giving.is_alive()
    made.hurry()
    giving.join(30)
    assert not giving.is_alive()
    assert made.missed > 0


def test_at_the_end_a_reader_that_takes_nothing_is_given_up(
    report: Report, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PATIENCE", 0.2)
    made = make(report, said)
    made(LAST)
    made.close()
    assert made.stuck
    assert "was not read to the end" in said[0]
    made(FIRST)  # no effect
    made.close()
    assert len(said) == 1


def test_at_the_end_a_reader_that_goes_on_is_waited_for(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PATIENCE", 0.5)
    seen = []

    @contextmanager
    def slowly() -> Iterator[Callable[[Event], None]]:
        def see(event: Event) -> None:
            time.sleep(0.05)
            seen.append(event)

        yield see

    made = Relay("The console", slowly, say=said.append)
    for number in range(20):
        made(big(number))
    made.close()
    assert (len(seen), said) == (20, [])


def test_one_more_signal_ends_the_waiting_at_the_end(report: Report, said: list[str]) -> None:
    made = make(report, said, when_slow=WhenSlow.WAIT)
    made(LAST)
    threading.Timer(0.2, made.hurry).start()
    began = time.monotonic()
    made.close()
    assert time.monotonic() - began < relay.SHORT_PATIENCE
    assert made.stuck


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BrokenPipeError(32, "Broken pipe"), "can't be written any more: Broken pipe. The run goes on"),
        (KeyError("x"), "has failed (KeyError: 'x'), a fault in drumline. The run goes on"),
    ],
    ids=["output", "fault"],
)
def test_a_report_that_breaks_falls_silent(said: list[str], error: Exception, words: str) -> None:
    @contextmanager
    def broken() -> Iterator[Callable[..., None]]:
        def take(event: Event) -> None:
            raise error

        yield take

    made = Relay("The console", broken, say=said.append)
    made(FIRST)
    wait_until(lambda: said)
    made(LAST)
    made.close()
    assert len(said) == 1
    assert words in said[0]
    assert os.strerror(32) == "Broken pipe"
