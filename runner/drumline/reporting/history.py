"""An earlier run, from its journal: failures first, then its waves; as text or as data."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError
from drumline.journal.codec import describe
from drumline.journal.store import Journal, RunInfo
from drumline.model.event import Event, JobFinished, JobsAbandoned
from drumline.model.outcome import Status
from drumline.model.plan import Plan
from drumline.reporting.lines import (
    MARKS,
    Line,
    Part,
    batch_title,
    count_parts,
    fold_lines,
    seconds,
    verdict,
    wave_title,
)
from drumline.reporting.timing import approve_command, called_off_line, stop_line, waiting_lines
from drumline.reporting.tracker import CAUSES, Question, Starting, Tracker, Wave
from drumline.reporting.waves import ending_line, wave_result


def list_lines(runs: Iterable[RunInfo]) -> Iterator[Line]:
    """A line for each run: number, id, when, how long, how it ended, how it was called."""
    for run in runs:
        word, style = _ending(run)
        took = seconds(run.finished - run.started) if run.finished else ""
        yield [
            Part(f"{run.number:>4} ", "bold"),
            Part(f"{run.id}  {_when(run.started)}  {took:>9}  "),
            Part(f"{word:<12}", style),
            Part(f" {run.command}"),
        ]


def show_lines(
    run: RunInfo, plan: Plan, events: Iterable[Event], *, verbose: int, state: Path | None = None
) -> Iterator[Line]:
    """One run in full: failures first, then every wave with its times and results, then the verdict.

    ``state`` is the journal's folder, where the command line named it.
    """
    tracker, now = Tracker(plan, verbose=verbose), time.time()
    for event in events:
        tracker.handle(event)
    word, style = _ending(run)
    yield [Part(f"run {run.number} ", "bold"), Part(f"{run.id}  {_when(run.started)}  "), Part(word, style)]
    yield [Part(run.command, "dim")]
    failures = list(_failure_lines(tracker))
    if failures:
        yield []
        yield [Part("Failures", "bold red")]
        yield from failures
    for wave in tracker.waves.values():
        yield []
        times = _times(wave, tracker.now, now if run.alive else None)
        yield [*batch_title(plan, wave), Part(", "), *wave_title(plan, wave), Part(f"  {times}", "dim")]
        yield from wave_result(tracker, wave, verbose=verbose, asked=True)
    yield []
    if tracker.finished:
        yield verdict(tracker, run.number)
    else:
        yield from _unfinished_lines(tracker, run, now, approve_command(run.number, state))


def _times(wave: Wave, last: float, now: float | None) -> str:
    """From when to when; ``last`` is the last that is known of the run, ``now`` is given while it goes on."""
    if wave.open and now is not None:
        return f"since {_clock(wave.released)}, {seconds(max(0.0, now - wave.released))}"
    end = wave.ended or last
    return f"{_clock(wave.released)} to {_clock(end)}, {seconds(end - wave.released)}"


def _failure_lines(tracker: Tracker) -> Iterator[Line]:
    """What stopped the run or made it fail."""
    steps = tracker.plan.steps
    for stop in tracker.stops:
        yield stop_line(tracker.plan, stop)
    for start in tracker.starts.values():
        yield from filter(None, [called_off_line(steps[start.step], start)])
    for fold in tracker.failures():
        yield from fold_lines(steps[fold.step], fold, verbose=0)
    for ending, hosts in tracker.failed_without_running():
        yield ending_line(tracker, ending, hosts)


def _unfinished_lines(tracker: Tracker, run: RunInfo, now: float, approve: str) -> Iterator[Line]:
    ended = [*count_parts(tracker.counts), Part(", ")] if tracker.counts else []
    yield [Part("not finished: "), *ended, Part(f"{len(tracker.running)} {'running' if run.alive else 'unknown'}")]
    if run.alive:
        yield from waiting_lines(tracker, None, now, approve)


def show_data(run: RunInfo, plan: Plan, events: Iterable[Event]) -> dict[str, Any]:
    """One run as JSON-able data.

    ``run``, ``failures``, ``stops`` (plays that ended early), ``waves``, ``starts`` (at one moment), ``approvals``,
    ``waiting`` (what jobs wait for now) and ``jobs``, each job with its times and result.
    """
    tracker = Tracker(plan)
    jobs: list[dict[str, Any]] = []
    for event in events:
        tracker.handle(event)
        if isinstance(event, JobFinished):
            jobs.append(_job(describe(event, plan)))
        elif isinstance(event, JobsAbandoned):
            fields = describe(event, plan)
            ending = {name: fields[name] for name in ("status", "cause", "reason")}
            jobs += [{**job, **ending, "ignored": False} for job in fields["jobs"]]
    return {
        "run": asdict(run),
        "failures": [job for job in jobs if job["status"] in CAUSES and not job["ignored"]],
        "stops": [describe(stop, plan) for stop in tracker.stops],
        "waves": [_wave(wave, plan) for wave in tracker.waves.values()],
        "starts": [_start(start, plan) for start in tracker.starts.values()],
        "approvals": [_approval(question, plan) for question in tracker.questions],
        "waiting": [describe(event, plan) for event in tracker.waiting.values()],
        "jobs": jobs,
    }


def _wave(wave: Wave, plan: Plan) -> dict[str, Any]:
    barrier = wave.barrier
    return {
        "play": plan.plays[wave.key[0]].play.id,
        "batch": wave.key[1],
        "wave": wave.key[2],
        "released": wave.released,
        "ended": wave.ended,
        "counts": {str(status): count for status, count in wave.counts.items()},
        "last": barrier.last.host if barrier and barrier.last else None,
        "waited": barrier.waited if barrier else None,
        "waited_in_all": barrier.waited_in_all if barrier else None,
        "open": barrier.open if barrier else None,
        "late": [describe(late, plan) for late in wave.late],
    }


def _start(start: Starting, plan: Plan) -> dict[str, Any]:
    step = plan.steps[start.step]
    events = {"released": start.released, "called_off": start.called_off, "measured": start.measured}
    return {
        "play": plan.plays[step.play].play.id,
        "task": step.task.id,
        "step": start.step,
        "staged": len(start.staged),
        **{name: describe(event, plan) if event else None for name, event in events.items()},
    }


def _approval(question: Question, plan: Plan) -> dict[str, Any]:
    given = question.given
    return {"requested": describe(question.asked, plan), "given": describe(given, plan) if given else None}


def output_of(journal: Journal, run: RunInfo, task: str, host: str, stream: str) -> bytes:
    """All that a job wrote to a stream, masked. Raises ``UsageError`` when the run has no such job.

    With batches or several plays the last job of that task on that host is meant; of a loop, all items together.
    """
    plan = journal.plan(run)
    jobs = [
        event
        for event in journal.events(run)
        if isinstance(event, JobFinished) and (plan.steps[event.job.step].task.id, event.job.host) == (task, host)
    ]
    if not jobs:
        tasks = {step.task.id for step in plan.steps}
        hint = did_you_mean(task, tasks) if task not in tasks else f" '{task}' did not run there."
        raise UsageError("The run has no such job", f"Run {run.number} has no result of '{task}' on '{host}'.{hint}")
    result = jobs[-1].result
    parts = [item.get(stream) or "" for item in result.get("results", [result])]
    kept = journal.output(run, jobs[-1].job).get(stream, b"")
    return "".join(parts).encode(errors="surrogateescape") + kept


def _job(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        **fields["job"],
        "status": fields["status"],
        "ignored": fields["ignored"],
        "started": fields["started"],
        "ended": fields["at"],
        "result": fields["result"],
    }


def _ending(run: RunInfo) -> tuple[str, str]:
    if run.exit_status is None:
        return ("running", "bold") if run.alive else ("died", "bold red")
    words = {
        0: ("done", "green"),
        2: MARKS[Status.FAILED],
        4: ("unreachable", "bold red"),
        130: ("interrupted", "magenta"),
    }
    return words.get(run.exit_status, MARKS[Status.FAILED])


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
