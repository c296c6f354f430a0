"""An earlier run, from its journal: failures first, then its waves; as text or as data."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
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
    count_parts,
    fold_lines,
    play_title,
    seconds,
    verdict,
    wave_result,
    wave_title,
)
from drumline.reporting.tracker import CAUSES, Tracker


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


def show_lines(run: RunInfo, plan: Plan, events: Iterable[Event], *, verbose: int) -> Iterator[Line]:
    """One run in full: failures first, then every wave with its times and results, then the verdict."""
    tracker = Tracker(plan, verbose=verbose)
    for event in events:
        tracker.handle(event)
    word, style = _ending(run)
    yield [Part(f"run {run.number} ", "bold"), Part(f"{run.id}  {_when(run.started)}  "), Part(word, style)]
    yield [Part(run.command, "dim")]
    failures = tracker.failures()
    if failures:
        yield []
        yield [Part("Failures", "bold red")]
        for fold in failures:
            yield from fold_lines(plan.steps[fold.step], fold, verbose=0)
    for wave in tracker.waves.values():
        yield []
        end = wave.ended or tracker.now
        times = f"  {_clock(wave.released)} to {_clock(end)}, {seconds(end - wave.released)}"
        yield [*play_title(plan, wave), Part(", "), *wave_title(plan, wave), Part(times, "dim")]
        yield from wave_result(tracker, wave, verbose=verbose)
    yield []
    if tracker.finished:
        yield verdict(tracker, run.number)
    else:
        yield [
            Part("not finished: "),
            *count_parts(tracker.counts),
            Part(f", {len(tracker.running)} running or unknown"),
        ]


def show_data(run: RunInfo, plan: Plan, events: Iterable[Event]) -> dict[str, Any]:
    """One run as JSON-able data: ``run``, ``failures``, ``waves`` and ``jobs``, each job with its times and result."""
    tracker = Tracker(plan)
    jobs: list[dict[str, Any]] = []
    for event in events:
        tracker.handle(event)
        if isinstance(event, JobFinished):
            jobs.append(_job(describe(event, plan)))
        elif isinstance(event, JobsAbandoned):
            fields = describe(event, plan)
            jobs += [{**job, "status": fields["status"], "cause": fields["cause"]} for job in fields["jobs"]]
    failures = [job for job in jobs if job["status"] in CAUSES and not job["ignored"]]
    waves = [
        {
            "play": plan.plays[wave.key[0]].play.id,
            "batch": wave.key[1],
            "wave": wave.key[2],
            "released": wave.released,
            "ended": wave.ended,
            "counts": {str(status): count for status, count in wave.counts.items()},
            "last": wave.barrier.last.host if wave.barrier and wave.barrier.last else None,
            "waited": wave.barrier.waited if wave.barrier else None,
        }
        for wave in tracker.waves.values()
    ]
    return {"run": asdict(run), "failures": failures, "waves": waves, "jobs": jobs}


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
