"""Lines about time: barriers, synchronised starts, waits, and hosts' clocks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from drumline.diagnostics import counted
from drumline.model.event import ApprovalRequested, JobsLate, PlayStopped, StartMeasured
from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Plan, Step
from drumline.model.playbook import Late
from drumline.model.titles import play_title
from drumline.reporting.folds import Fold
from drumline.reporting.lines import Line, Part, clock, fine, mark, printable, seconds, task_name
from drumline.reporting.tracker import Question, Starting, Tracker, Wave

#: A barrier that made others wait for less than this many seconds isn't worth a line.
_WORTH_TELLING = 1.0
#: What a running job waits for is shown if it takes longer than this.
_SOON = 1.0
#: How many waits of one wave are shown.
_MOST_WAITS = 4

_OF_LATE = {
    Late.FAIL: ("stopped and failed", "bold red"),
    Late.DROP: ("stopped and out of the play", "magenta"),
    Late.CATCH_UP: ("it goes on by itself", "yellow"),
}


def headed(word: str, style: str, name: str, rest: str = "", rest_style: str = "") -> Line:
    """``  word        name: rest``, as results of tasks are shown."""
    return [mark(word, style), Part(f"{name}: " if rest else name), Part(rest, rest_style)]


# Barriers.


def barrier_lines(wave: Wave) -> Iterator[Line]:
    """Who was last to finish, and how long the others waited; nothing for a barrier that cost nothing.

    If the barrier didn't wait for all, even the last to finish may have waited for the deadline.
    """
    barrier = wave.barrier
    if barrier is None:
        return
    last = barrier.last if barrier.waited >= _WORTH_TELLING else None
    cost = f"waited up to {seconds(barrier.waited)}, {seconds(barrier.waited_in_all)} in total"
    if barrier.open:
        passed = f"passed with {wave.jobs - barrier.open} of {wave.jobs} jobs finished"
        rest = f", the last on {last.host}; they {cost}" if last is not None else ""
        yield [Part("  barrier     ", "yellow"), Part(passed), Part(rest, "dim")]
    elif last is not None:
        yield [
            Part("  barrier     ", "dim"),
            Part(last.host, "bold"),
            Part(f" was last to finish; the others {cost}", "dim"),
        ]


def late_lines(plan: Plan, wave: Wave) -> Iterator[Line]:
    """Who was late at the barrier, and what happened to them."""
    for event in wave.late:
        for step in dict.fromkeys(job.step for job in event.jobs):
            yield _late_line(plan.steps[step], event)


def _late_line(step: Step, event: JobsLate) -> Line:
    what, style = _OF_LATE[event.late]
    hosts = fold_hosts(job.host for job in event.jobs if job.step == step.index)
    return [
        Part("  late        ", style),
        Part(f"{task_name(step)}: "),
        Part(hosts, "bold"),
        Part(f"  {event.reason}: {what}", "dim"),
    ]


def stop_line(plan: Plan, event: PlayStopped) -> Line:
    """The play that stops, where, and why."""
    planned = plan.plays[event.play]
    batch = f", batch {event.batch + 1} of {len(planned.batches)}" if len(planned.batches) > 1 else ""
    return headed("stopped", "bold red", f"{play_title(planned.play)}{batch}", event.reason, "red")


# Synchronised starts.


def called_off_line(step: Step, start: Starting) -> Line | None:
    """Why a start was called off; None if it wasn't."""
    if start.called_off is None:
        return None
    return headed("called off", "bold red", task_name(step), start.called_off.reason, "red")


def skew_line(step: Step, start: Starting) -> Line | None:
    """How far apart the commands of a start began; None if that isn't known."""
    return None if start.measured is None else _skew_line(step, start.measured)


def _skew_line(step: Step, found: StartMeasured) -> Line:
    most = step.task.start.max_skew if step.task.start is not None else None
    over = most is not None and found.skew > most
    text = f"{counted(found.jobs, 'host')} within {fine(found.skew)} (p50 {fine(found.p50)}, p99 {fine(found.p99)})"
    allowed = f"; {fine(most)} is allowed" if most is not None and over else ""
    style = "bold red" if over else ""
    rest = f"{text}, ±{fine(found.uncertainty)}; last {found.worst.host}{allowed}"
    return headed("skew", style or "green", task_name(step), rest, style)


def start_progress(step: Step, start: Starting, now: float) -> str:
    """The progress of a start: ``staged 18 of 20, waiting for web[7,9]``."""
    ready = start.staged & start.left
    if start.called_off is not None:
        return "called off"
    if start.released is not None:
        instant = start.released.instant
        when = f" for {_instant(instant)}" if instant is not None else ""
        return f"released on {counted(len(start.released.jobs), 'host')}{when}"
    missing = [host for host in step.hosts if host in start.left - ready]
    at = step.task.start.at if step.task.start is not None else None
    due = f", starts at {clock(at)} (in {seconds(max(0.0, at - now))})" if at is not None else ""
    waiting = f", waiting for {fold_hosts(missing)}" if missing else ""
    return f"staged {len(ready)} of {len(start.left)}{waiting}{due}"


def _instant(at: float) -> str:
    return f"{clock(at)}.{int(at % 1 * 1000):03}"


# Approvals.


def approve_command(number: int, state: Path | None) -> str:
    """The command that answers run ``number`` from any directory; ``state`` is what ``--state`` named."""
    words = ["drumline", "approve", str(number)]
    return shlex.join([*words, "--state", str(state.absolute())] if state is not None else words)


def show_command(number: int, state: Path | None) -> str:
    """The command that shows all of run ``number``, from any directory."""
    words = ["drumline", "runs", "show", str(number), "-v"]
    return shlex.join([*words, "--state", str(state.absolute())] if state is not None else words)


def question_lines(plan: Plan, asked: ApprovalRequested, hint: str) -> Iterator[Line]:
    """The question, and how people can answer it."""
    default = "approved" if asked.default else "rejected"
    until = f"{default} if no one answers until {clock(asked.until)}" if asked.until is not None else ""
    word = "debugger" if asked.prompt else "approval"
    yield headed(word, "bold yellow", task_name(plan.steps[asked.job.step]), until, "dim")
    for line in asked.message.splitlines():
        yield [Part(f"      {printable(line)}", "bold")]
    if hint:
        yield [Part(f"      {hint}", "dim")]


def decision_line(plan: Plan, question: Question) -> Line | None:
    """Who decided, when, and their comment; None if no one has."""
    given = question.given
    if given is None:
        return None
    word, style = ("approved", "green") if given.approved else ("rejected", "bold red")
    if question.asked.prompt:
        word, style = "answered", "cyan"
    after = f"at {clock(given.at)}, after {seconds(given.at - question.asked.at)}"
    comment = f": {printable(' '.join(given.comment.split()))}" if given.comment else ""
    rest = f"by {given.by} {after}{comment}"
    return headed(word, style, task_name(plan.steps[question.asked.job.step]), rest)


# What waits.


def waiting_lines(tracker: Tracker, wave: Wave | None, now: float, approve: str) -> Iterator[Line]:
    """What the running jobs of a wave (None: of all waves) wait for, and since when; ``approve`` is how to answer."""
    plan = tracker.plan
    for start in tracker.starts.values():
        step = plan.steps[start.step]
        if start.left and start.staged and _is_in(step, wave):
            yield _waits(task_name(step), start_progress(step, start, now))
    for question in tracker.open_questions():
        step = plan.steps[question.asked.job.step]
        if _is_in(step, wave):
            since = f"waits for an answer since {seconds(max(0.0, now - question.asked.at))}"
            yield _waits(task_name(step), f"{since}{_ends(question.asked.until, now, 'time is up')}: {approve}")
    yield from _job_waits(tracker, wave, now)


def _job_waits(tracker: Tracker, wave: Wave | None, now: float) -> Iterator[Line]:
    groups: dict[tuple[int, str], list[str]] = {}
    first: dict[tuple[int, str], float] = {}
    for job, event in tracker.waiting.items():
        if now - event.at >= _SOON and _is_in(tracker.step(job), wave):
            groups.setdefault((job.step, event.reason), []).append(job.host)
            first.setdefault((job.step, event.reason), event.at)
    for (step, reason), hosts in list(groups.items())[:_MOST_WAITS]:
        verb = "waits" if len(hosts) == 1 else "wait"
        since = f"since {seconds(max(0.0, now - first[step, reason]))}"
        yield _waits(task_name(tracker.plan.steps[step]), f"{fold_hosts(hosts)} {verb} {printable(reason)}, {since}")
    if len(groups) > _MOST_WAITS:
        yield [Part(f"    and {len(groups) - _MOST_WAITS} more wait", "dim")]


def _is_in(step: Step, wave: Wave | None) -> bool:
    return wave is None or wave.key == (step.play, step.batch, step.wave)


def _waits(name: str, text: str) -> Line:
    return [Part(f"    {name}: ", "yellow"), Part(text)]


def _ends(until: float | None, now: float, what: str) -> str:
    return "" if until is None else f" ({what} in {seconds(max(0.0, until - now))})"


# Clocks.


def clock_lines(step: Step, folds: Sequence[Fold]) -> Iterator[Line]:
    """A table of hosts' clocks, the slowest first, and the one that is furthest off."""
    rows = sorted(
        ((float(fold.result["offset"]), fold.result, host) for fold in folds for host in fold.hosts),
        key=lambda row: (row[0], row[2]),
    )
    width = max(len("host"), *(len(host) for _, _, host in rows))
    yield [Part("  clock       ", "green"), Part(f"{task_name(step)}: {counted(len(rows), 'host')}")]
    yield [Part(f"      {'host':<{width}}  {'offset':>12}  {'uncertainty':>12}  {'round trip':>12}", "dim")]
    for offset, found, host in rows:
        known = f"±{fine(found['uncertainty'])}"
        yield [
            Part(f"      {host:<{width}}  ", "bold"),
            Part(f"{_signed(offset):>12}  {known:>12}  {fine(found['round_trip']):>12}"),
        ]
    offset, found, host = max(rows, key=lambda row: abs(row[0]))
    worst = f"{_signed(offset)} ±{fine(found['uncertainty'])}"
    yield [Part("      furthest off: ", "dim"), Part(host, "bold"), Part(f", {worst}")]


def _signed(value: float) -> str:
    if abs(value) >= 1:
        return f"{value:+.3f} s"  # an hour and half a second is not an hour
    return fine(value) if value < 0 else f"+{fine(value)}"
