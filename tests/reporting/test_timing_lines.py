"""What reports say of time, of events made by hand: barriers, stops, starts, approvals, waits, clocks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.worlds import P, T, build

from drumline.journal.lines import to_line
from drumline.model.cause import Because, Cause
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    BarrierPassed,
    Event,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    JobWaiting,
    PlayStopped,
    RunFinished,
    RunStarted,
    StartCalledOff,
    StartMeasured,
    StartReleased,
    Urgency,
    WaveEnded,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.playbook import Late, Start, Strategy
from drumline.model.traits import Shows, Traits
from drumline.plugin.history import RunInfo
from drumline.reporting.console import ConsoleReport
from drumline.reporting.history import show_data, show_lines
from drumline.reporting.lines import Line, fine, plain
from drumline.reporting.tracker import Tracker

HOSTS = [f"web{number}" for number in range(1, 5)]
NOON = time.mktime((2026, 6, 1, 12, 0, 0, 0, 0, -1))
RUN = RunInfo(
    number=7,
    id="abc",
    started=NOON,
    command="drumline run",
    playbook="playbook.yml",
    forks=50,
    sessions=4,
    schema=2,
    finished=None,
    exit_status=None,
    alive=True,
)


class Kept:
    """A screen that keeps its lines, with the styles of their parts, and what would stand below them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.styles: dict[str, str] = {}
        self.live: Callable[[], Iterable[Line]] = list

    def show(self, line: Line) -> None:
        self.lines.append(plain(line))
        self.styles |= {part.text: part.style for part in line}

    def open(self, live: Callable[[], Iterable[Line]]) -> None:
        self.live = live

    def redraw(self) -> None: ...

    def close(self) -> None: ...

    def below(self) -> list[str]:
        return [plain(line) for line in self.live()]


def told(plan: Plan, events: Sequence[Event], *, alive: bool = False) -> Kept:
    screen = Kept()
    with ConsoleReport(plan, screen, number=7, alive=alive) as console:
        for event in events:
            console(event)
    return screen


def history(plan: Plan, events: Sequence[Event], run: RunInfo = RUN) -> list[str]:
    return [plain(line) for line in show_lines(run, plan, events, verbose=0)]


def one(start: Start | None = None, strategy: Strategy = Strategy.WAVES, *, run_once: bool = False) -> Plan:
    """One task on four hosts."""
    return build(P([T(HOSTS, start=start, run_once=run_once)], strategy=strategy))


def job(number: int, step: int = 0) -> Job:
    return Job(step, f"web{number}")


ENDED = WaveEnded(at=NOON + 2, play=0, batch=0, wave=0)


def started(at: float = NOON) -> list[Event]:
    jobs = tuple(job(number) for number in range(1, 5))
    return [
        RunStarted(at=at, run="abc"),
        WaveReleased(at=at, play=0, batch=0, wave=0, jobs=4),
        JobsStarted(at=at, jobs=jobs),
    ]


def over(number: int, after: float, status: Status = Status.CHANGED, **fields: Any) -> JobFinished:
    return JobFinished(at=NOON + after, job=job(number), status=status, started=NOON, **fields)


def passed(after: float, **fields: Any) -> BarrierPassed:
    return BarrierPassed(at=NOON + after, play=0, batch=0, wave=0, **fields)


def finished(after: float, status: int = 0) -> RunFinished:
    return RunFinished(at=NOON + after, counts={}, exit_status=status)


def test_a_task_took_from_its_first_start_to_its_last_end() -> None:
    ends = [replace(over(2, 3), started=NOON + 2), *(over(number, 4) for number in (1, 3, 4))]
    lines = told(one(), [*started(), *ends, passed(4), finished(4)]).lines
    assert "  changed     t0: web[1-4]  4 hosts, 4.0 s" in lines


# Barriers.


def test_who_came_last_and_what_that_cost_the_others() -> None:
    events = [*started(), *(over(number, number) for number in (1, 2, 3)), over(4, 60)]
    events += [passed(60, last=job(4), waited=59.0, waited_in_all=174.0), finished(60)]
    line = "  barrier     web4 was last to finish; the others waited up to 59 s, 2 m 54 s in total"
    assert line in told(one(), events).lines
    assert line in history(one(), events)
    quick = [*started(), *(over(number, 0.1) for number in range(1, 5)), passed(0.1, last=job(4), waited=0.02)]
    assert "barrier" not in "\n".join(told(one(), quick).lines)


@pytest.mark.parametrize(
    ("late", "status", "becomes"),
    [
        (Late.FAIL, Status.FAILED, "stopped and failed"),
        (Late.DROP, Status.SKIPPED, "stopped and out of the play"),
        (Late.CATCH_UP, Status.CHANGED, "it goes on by itself"),
    ],
)
def test_who_was_late_and_what_became_of_them(late: Late, status: Status, becomes: str) -> None:
    """The barrier passes while they are still at work: what comes of them is told when they have ended."""
    reason = "the deadline of 10 m had passed"
    events: list[Event] = [*started(), over(1, 1), over(2, 2)]
    events += [JobsLate(at=NOON + 600, play=0, batch=0, wave=0, jobs=(job(3), job(4)), late=late, reason=reason)]
    events += [passed(600, last=job(2), waited=599.0, waited_in_all=1197.0, open=2)]
    screen = told(one(), events)
    cost = "they waited up to 9 m 59 s, 19 m 57 s in total"
    assert screen.lines[-2:] == [
        f"  late        t0: web[3-4]  {reason}: {becomes}",
        f"  barrier     passed with 2 of 4 jobs finished, the last on web2; {cost}",
    ]
    events += [over(3, 601, status, result={"msg": "late at the barrier"}), over(4, 602, status), finished(602)]
    after = told(one(), events).lines[len(screen.lines) :]
    assert after[0] == "wave 1 of 1: t0 (what came after its barrier)"
    assert after[1].split()[0] == str(status)
    assert not [line for line in after if "late   " in line or "barrier   " in line]
    assert "\n".join(history(one(), events)).count(becomes) == 1


def test_what_was_late_before_it_began_is_among_the_failures() -> None:
    reason = "late at the barrier: 50% of the wave had finished"
    events = [*started(), over(1, 1), over(2, 1)]
    events += [JobsAbandoned(at=NOON + 1, jobs=(job(3), job(4)), status=Status.FAILED, reason=reason)]
    events += [passed(1), finished(1, 2)]
    line = f"  failed      t0: web[3-4]  {reason}"
    assert line in told(one(), events).lines
    shown = history(one(), events)
    assert shown[shown.index("Failures") + 1] == line
    failures = show_data(RUN, one(), events)["failures"]
    assert [(failure["host"], failure["reason"]) for failure in failures] == [("web3", reason), ("web4", reason)]


def test_a_play_that_stops_says_where_and_why() -> None:
    plan = build(P([T(HOSTS)], batches=2))
    stop = PlayStopped(
        at=NOON + 5, play=0, batch=1, reason="3 of 20 hosts failed, and 10% may", cause=Cause(Because.FAILURE, job(1))
    )
    events = [*started(), over(1, 1, Status.FAILED), stop]
    line = "  stopped     play 0, batch 2 of 2: 3 of 20 hosts failed, and 10% may"
    screen = told(plan, events)
    assert line in screen.lines
    assert screen.styles["  stopped     "] == "bold red"
    shown = history(plan, events)
    assert shown[shown.index("Failures") + 1] == line
    [data] = show_data(RUN, plan, events)["stops"]
    assert (data["play_id"], data["batch"], data["reason"]) == ("p0", 1, stop.reason)


# Synchronised starts.


def staged(number: int, after: float = 0.5) -> JobStaged:
    return JobStaged(at=NOON + after, job=job(number), offset=0.1, uncertainty=0.0004, round_trip=0.001)


def released(instant: float | None = None) -> StartReleased:
    jobs = tuple(job(number) for number in range(1, 5))
    return StartReleased(at=NOON + 1, jobs=jobs, instant=instant, burst=0.0012)


def measured(skew: float) -> StartMeasured:
    return StartMeasured(
        at=NOON + 3, step=0, jobs=4, skew=skew, p50=0.0012, p99=0.003, uncertainty=0.0008, worst=job(3)
    )


def test_a_start_as_it_goes_on() -> None:
    plan = one(Start(max_skew=0.1))
    screen = Kept()
    with ConsoleReport(plan, screen, number=7, alive=True) as console:
        for event in [*started(), staged(1), staged(2)]:
            console(event)
        assert "    t0: staged 2 of 4, waiting for web[3-4]" in screen.below()
        console(over(3, 0.7, Status.SKIPPED))
        assert "    t0: staged 2 of 3, waiting for web4" in screen.below()
        console(staged(4))
        assert "    t0: staged 3 of 3" in screen.below()
        console(StartReleased(at=NOON + 1, jobs=(job(1), job(2), job(4)), instant=NOON + 1.25))
        assert screen.below()[-1].startswith("    t0: released on 3 hosts for ")
        assert screen.below()[-1].endswith("12:00:01.250")
        assert screen.lines == []
        ended: list[Event] = [over(1, 2), over(2, 2), over(4, 2), measured(0.0031), ENDED, passed(2)]
        for event in ended:
            console(event)
        assert screen.below() == []
    assert screen.lines[-1].startswith("  skew        t0: ")


def test_a_start_without_a_terminal() -> None:
    events = [*started(), *map(staged, range(1, 5)), released(), *(over(number, 2) for number in range(1, 5))]
    lines = told(one(Start()), [*events, measured(0.0031), passed(2), finished(2)]).lines
    assert lines[2:4] == [
        "  staging     t0: staged 1 of 4, waiting for web[2-4]",
        "  released    t0: on 4 hosts",
    ]
    assert lines[5] == "  skew        t0: 4 hosts within 3.1 ms (p50 1.2 ms, p99 3.0 ms), ±0.80 ms; last web3"


def test_a_start_at_a_moment_says_when_that_is() -> None:
    at = time.time() + 3600
    now = time.time()
    screen = Kept()
    with ConsoleReport(one(Start(at=at)), screen, number=7, alive=True) as console:
        for event in [*started(now), staged(1, now - NOON)]:
            console(event)
        [line] = [line for line in screen.below() if "staged" in line]
    assert line.startswith("    t0: staged 1 of 4, waiting for web[2-4], starts at ")
    assert line.endswith(("(in 1 h 00 m)", "(in 60 m 00 s)", "(in 59 m 59 s)"))


def test_a_skew_above_what_is_allowed_is_red() -> None:
    events = [*started(), *map(staged, range(1, 5)), released(), *(over(number, 2) for number in range(1, 5))]
    for skew, style in ((0.0031, "green"), (0.25, "bold red")):
        screen = told(one(Start(max_skew=0.1)), [*events, measured(skew), passed(2), finished(2)])
        assert screen.styles["  skew        "] == style
        assert ("; 100 ms is allowed" in "\n".join(screen.lines)) is (style == "bold red")
        text = "within 250 ms" if skew == 0.25 else "within 3.1 ms"
        assert any(text in line for line in history(one(Start(max_skew=0.1)), [*events, measured(skew)]))


def test_a_start_that_is_called_off_says_who_and_why() -> None:
    off = StartCalledOff(at=NOON + 1, step=0, reason="web2 is unreachable", cause=Cause(Because.FAILURE, job(2)))
    events: list[Event] = [*started(), staged(1), over(2, 1, Status.UNREACHABLE, result={"msg": "refused"}), off]
    events += [JobsAbandoned(at=NOON + 1, jobs=(job(3),), cause=Cause(Because.FAILURE, job(2)))]
    events += [over(1, 1.1, Status.CANCELLED), over(4, 1.1, Status.CANCELLED), passed(1.1), finished(1.1, 4)]
    lines = told(one(Start()), events).lines
    assert "  called off  t0: web2 is unreachable" in lines
    assert "  abandoned   t0: web3  its start was called off" in lines
    shown = history(one(Start()), events)
    assert shown[shown.index("Failures") + 1] == "  called off  t0: web2 is unreachable"
    [start] = show_data(RUN, one(Start()), events)["starts"]
    assert (start["task"], start["called_off"]["reason"], start["measured"]) == ("t0", "web2 is unreachable", None)


def test_a_start_that_is_called_off_before_its_wave_is_over_says_so_once() -> None:
    """The barrier passes while what was staged is being stopped."""
    off = StartCalledOff(at=NOON + 1, step=0, reason="web2 is unreachable", cause=Cause(Because.FAILURE, job(2)))
    events: list[Event] = [*started(), staged(1), over(2, 1, Status.UNREACHABLE, result={"msg": "refused"}), off]
    events += [passed(1, last=job(2), open=3)]
    screen = Kept()
    with ConsoleReport(one(Start()), screen, number=7, alive=True) as console:
        for event in events:
            console(event)
        assert "    t0: called off" in screen.below()
    events += [*(over(number, 1.1, Status.CANCELLED) for number in (1, 3, 4)), finished(1.1, 4)]
    lines = told(one(Start()), events, alive=True).lines
    assert lines.count("  called off  t0: web2 is unreachable") == 1
    assert "  cancelled   t0: web[1,3-4]  3 hosts, 1.1 s" in lines


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("alive", [True, False])
def test_the_skew_stands_with_what_came_of_its_start(strategy: Strategy, alive: bool) -> None:
    """Also where no barrier waits for it: it is measured just after the last job has ended."""
    events = [*started(), *map(staged, range(1, 5)), released()]
    if strategy is Strategy.WAVES:
        events += [passed(1.5, open=4)]
    events += [over(number, 2, began=NOON + 1) for number in range(1, 5)]
    lines = told(one(Start(), strategy), [*events, measured(0.0031), finished(2)], alive=alive).lines
    at = lines.index("  skew        t0: 4 hosts within 3.1 ms (p50 1.2 ms, p99 3.0 ms), ±0.80 ms; last web3")
    assert lines[at - 1] == "  changed     t0: web[1-4]  4 hosts, 2.0 s"
    assert len([line for line in lines if "wave 1 of 1" in line]) == (1 if strategy is Strategy.FREE else 2)


def test_a_start_with_run_once_is_on_one_host() -> None:
    plan = one(Start(), run_once=True)
    events: list[Event] = [
        RunStarted(at=NOON, run="abc"),
        WaveReleased(at=NOON, play=0, batch=0, wave=0, jobs=1),
        JobsStarted(at=NOON, jobs=(job(2),)),
        staged(2),
        StartReleased(at=NOON + 1, jobs=(job(2),), instant=None, burst=0.0),
        over(2, 2, began=NOON + 1),
        replace(measured(0.0), jobs=1, worst=job(2)),
        passed(2, last=job(2)),
        finished(2),
    ]
    lines = told(plan, events).lines
    assert lines[2:4] == ["  staging     t0: staged 1 of 1", "  released    t0: on 1 host"]
    assert len([line for line in lines if "skew" in line]) == 1


# People, and what waits.


def asked(until: float | None = None, message: str = "Go live?\nReally?") -> ApprovalRequested:
    return ApprovalRequested(at=NOON + 1, job=job(1), message=message, until=until)


def test_an_approval_is_asked_for_and_told() -> None:
    given = ApprovalGiven(at=NOON + 126, job=job(1), approved=True, by="ops@desk", comment="all green")
    events = [*started(), asked()]
    lines = told(one(), events).lines
    assert lines[-4:] == [
        "  approval    t0",
        "      Go live?",
        "      Really?",
        "      answer with: drumline approve 7 [--reject]",
    ]
    events += [given, *(over(number, 127) for number in range(1, 5)), passed(127), finished(127)]
    [line] = [line for line in told(one(), events).lines if "approved" in line]
    assert line.startswith("  approved    t0: by ops@desk at ")
    assert line.endswith("12:02:06, after 2 m 05 s: all green")
    shown = history(one(), events)
    assert shown[shown.index(line) - 2 : shown.index(line)] == ["      Go live?", "      Really?"]
    [data] = show_data(RUN, one(), events)["approvals"]
    assert data["requested"]["message"] == "Go live?\nReally?"
    assert (data["given"]["by"], data["given"]["approved"]) == ("ops@desk", True)


def test_the_time_that_is_left_for_an_answer() -> None:
    [line] = [line for line in told(one(), [*started(), asked(until=NOON + 600)]).lines if "approval" in line]
    assert line.startswith("  approval    t0: rejected if no one answers until ")
    assert line.endswith("12:10:00")


def test_another_terminal_is_told_where_the_journal_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the command line named its directory; that terminal may be in another one."""
    monkeypatch.chdir(tmp_path)
    state = Path("my state")
    command = f"drumline approve 7 --state '{tmp_path / state}'"
    screen = Kept()
    with ConsoleReport(one(), screen, number=7, alive=True, state=state) as console:
        for event in [*started(), asked()]:
            console(event)
        assert any(line.endswith(f": {command}") for line in screen.below())
    assert f"      answer with: {command} [--reject]" in screen.lines
    shown = [plain(line) for line in show_lines(RUN, one(), [*started(), asked()], verbose=0, state=state)]
    assert shown[-1].endswith(f": {command}")


def test_a_comment_stays_in_its_line() -> None:
    given = ApprovalGiven(at=NOON + 126, job=job(1), approved=True, by="ops@desk", comment="all green,\n\tgo")
    [line] = [
        line
        for line in told(one(), [*started(), asked(), given, over(1, 127), passed(127)]).lines
        if "approved" in line
    ]
    assert line.endswith(": all green, go")


def test_a_message_can_not_play_with_the_terminal() -> None:
    lines = told(one(), [*started(), asked(message="a\x1b[2Jb")]).lines
    assert "      a\\x1b[2Jb" in lines


def test_what_jobs_wait_for_is_told_while_they_do() -> None:
    now = time.time() - 12
    waits: list[Event] = [JobWaiting(at=now, job=job(number), reason="for port 80 of 127.0.0.1") for number in (1, 2)]
    waits += [JobWaiting(at=now, job=job(3), reason="until 02:00:00")]
    waits += [JobWaiting(at=time.time(), job=job(4), reason="for a moment")]
    screen = Kept()
    with ConsoleReport(one(), screen, number=7, alive=True) as console:
        for event in [*started(now), *waits]:
            console(event)
        below = screen.below()
        assert below[1:] == [
            "    t0: web[1-2] wait for port 80 of 127.0.0.1, since 12 s",
            "    t0: web3 waits until 02:00:00, since 12 s",
        ]
        console(replace(over(1, 0), at=time.time()))
        assert screen.below()[1] == "    t0: web2 waits for port 80 of 127.0.0.1, since 12 s"
        console(replace(asked(), at=time.time() - 5, job=job(4)))
        assert "    t0: waits for an answer since 5.0 s: drumline approve 7" in screen.below()
    going_on = history(one(), [*started(now), *waits[:3]])
    assert going_on[-2:] == below[1:]
    assert len(show_data(RUN, one(), [*started(now), *waits])["waiting"]) == 4
    died = history(one(), [*started(now), *waits], replace(RUN, alive=False))
    assert "waits" not in "\n".join(died)


def test_very_many_waits_are_cut() -> None:
    plan = build(P([T([f"web{number}" for number in range(1, 8)])]))
    now = time.time() - 12
    jobs = tuple(job(number) for number in range(1, 8))
    events: list[Event] = [RunStarted(at=now, run="abc"), WaveReleased(at=now, play=0, batch=0, wave=0, jobs=7)]
    events += [JobsStarted(at=now, jobs=jobs)]
    events += [JobWaiting(at=now, job=each, reason=f"for {each.host}") for each in jobs]
    screen = Kept()
    with ConsoleReport(plan, screen, number=7, alive=True) as console:
        for event in events:
            console(event)
        assert len(screen.below()) == 6
        assert screen.below()[-1] == "    and 3 more wait"


def test_an_interrupt_ends_the_waiting_in_reports_too() -> None:
    tracker = Tracker(one())
    for event in [*started(), asked(), InterruptRequested(at=NOON + 2, urgency=Urgency.AFTER_WAVE)]:
        tracker.handle(event)
    assert len(tracker.open_questions()) == 1
    tracker.handle(over(1, 3, Status.CANCELLED))
    assert tracker.open_questions() == []
    assert tracker.questions[0].given is None


# Clocks.


def test_clocks_are_a_table_by_offset() -> None:
    plan = one()
    clock = replace(plan.steps[0].task, id="clock", action="clock", name="clock", traits=Traits(shows=Shows.CLOCK))
    step = replace(plan.steps[0], task=clock)
    plan = replace(plan, steps=(step,))
    offsets = {1: 0.0021, 2: -1.25, 3: 0.0, 4: 0.4}
    events: list[Event] = [
        over(number, 1, Status.OK, result={"offset": offset, "uncertainty": 0.0003, "round_trip": 0.0012})
        for number, offset in offsets.items()
        if number != 3
    ]
    events += [over(3, 1, Status.UNREACHABLE, result={"msg": "connection refused"}), passed(1), finished(1, 4)]
    lines = told(plan, [*started(), *events]).lines
    table = lines.index("  clock       clock: 3 hosts")
    assert [line.split() for line in lines[table + 1 : table + 6]] == [
        ["host", "offset", "uncertainty", "round", "trip"],
        ["web2", "-1.250", "s", "±0.30", "ms", "1.2", "ms"],
        ["web1", "+2.1", "ms", "±0.30", "ms", "1.2", "ms"],
        ["web4", "+400", "ms", "±0.30", "ms", "1.2", "ms"],
        ["furthest", "off:", "web2,", "-1.250", "s", "±0.30", "ms"],
    ]
    assert any(line.startswith("  unreachable clock: web3") for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00025, "0.25 ms"), (0.0031, "3.1 ms"), (-0.0031, "-3.1 ms"), (0.12, "120 ms"), (-2, "-2.0 s")],
)
def test_small_differences_of_time_are_not_rounded_away(value: float, text: str) -> None:
    assert fine(value) == text


def test_every_event_can_be_written_for_readers_without_the_plan() -> None:
    events: list[Event] = [
        JobsLate(at=1, play=0, batch=0, wave=0, jobs=(job(1),), late=Late.DROP, reason="r"),
        PlayStopped(at=1, play=0, batch=0, reason="r", cause=Cause(Because.FAILURE, job(2))),
        staged(1),
        released(),
        StartCalledOff(at=1, step=0, reason="r"),
        measured(0.1),
        asked(),
        ApprovalGiven(at=1, job=job(1), approved=False, by="x"),
        JobWaiting(at=1, job=job(1), reason="r"),
    ]
    for event in events:
        line = json.loads(to_line(event, one(), 1))
        assert line["event"] == type(event).__name__
        assert "t0" in json.dumps(line) or "p0" in json.dumps(line)
