"""An earlier run, from its journal: failures first, then its waves; as text or as data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from drumline.clock import SystemClock
from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError
from drumline.journal.lines import describe
from drumline.model.event import Event, JobFinished, JobsAbandoned, JobsStarted, PlanGrown
from drumline.model.hostnames import fold_hosts
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan
from drumline.model.titles import with_titles
from drumline.planning.views.data import origin_data
from drumline.plugin.history import History, Kept, RunInfo
from drumline.reporting.lines import (
    MARKS,
    Line,
    Part,
    batch_title,
    count_parts,
    fold_lines,
    mark,
    seconds,
    task_name,
    verdict,
    wave_title,
)
from drumline.reporting.timing_lines import approve_command, called_off_line, stop_line, waiting_lines
from drumline.reporting.tracker import CAUSES, Question, Starting, Tracker, Wave
from drumline.reporting.wave_lines import ending_line, wave_result


def list_lines(runs: Iterable[RunInfo]) -> Iterator[Line]:
    """A line for each run: number, id, start, duration, outcome, command line."""
    for run in runs:
        word, style = _ending(run)
        took = seconds(max(0.0, run.finished - run.started)) if run.finished else ""
        yield [
            Part(f"{run.number:>4} ", "bold"),
            Part(f"{run.id}  {_when(run.started)}  {took:>9}  "),
            Part(f"{word:<12}", style),
            Part(" only checked:" if run.check else "", "cyan"),
            Part(f" {run.command}"),
        ]


def show_lines(
    run: RunInfo,
    plan: Plan,
    events: Iterable[Event],
    *,
    verbose: int,
    state: Path | None = None,
    kept: Mapping[Job, int] | None = None,
    unfit: Callable[[], None] | None = None,
    changed: Iterable[str] = (),
) -> Iterator[Line]:
    """One run in full: failures first, then every wave with its times and results, then the verdict.

    ``state`` is the journal's directory if the command line named it. ``kept`` says how much output of jobs the
    journal has in addition to their results. ``unfit`` is called for each event that contradicts others, if any
    may, which means that the journal is damaged. ``changed`` are the files of the run that have changed since.
    """
    tracker = Tracker(plan, verbose=verbose)
    for _ in _followed(tracker, events, unfit):
        pass
    now = run.now if run.now is not None else SystemClock().wall()
    word, style = _ending(run)
    yield [Part(f"run {run.number} ", "bold"), Part(f"{run.id}  {_when(run.started)}  "), Part(word, style)]
    if run.check:
        yield [Part("This was a check: nothing was changed but by tasks with check_mode: false.", "cyan")]
    yield [Part(run.command, "dim")]
    if files := ", ".join(map(os.path.relpath, changed)):
        yield [Part(f"changed since, or gone: {files}", "yellow")]
    failures = list(_failure_lines(tracker))
    if failures:
        yield []
        yield [Part("Failures", "bold red")]
        yield from failures
    for wave in (wave for wave in tracker.waves.values() if wave.jobs):
        yield []
        times = _times(wave, tracker.now, now if run.alive else None)
        yield [*batch_title(tracker.plan, wave), Part(", "), *wave_title(tracker.plan, wave), Part(f"  {times}", "dim")]
        yield from wave_result(tracker, wave, verbose=verbose, asked=True)
    yield []
    if tracker.finished:
        yield verdict(tracker, run.number)
        return
    yield from _unfinished_lines(tracker, run, now, approve_command(run.number, state))
    if not run.alive and tracker.running:
        yield from _unknown_lines(tracker, kept or {})


def _followed(tracker: Tracker, events: Iterable[Event], unfit: Callable[[], None] | None) -> Iterator[Event]:
    """The events after the tracker has handled them, without those that contradict the rest of a damaged journal."""
    for event in events:
        try:
            tracker.handle(event)
        except (LookupError, ValueError, TypeError, AttributeError):
            if unfit is None:
                raise
            unfit()
            continue
        yield event


def _times(wave: Wave, last: float, now: float | None) -> str:
    """The wave's start and end. ``last`` is the last known time of the run; ``now`` is given while it is under way."""
    if wave.ended is None and now is not None:
        return f"since {_clock(wave.released)}, {seconds(max(0.0, now - wave.released))}"
    end = wave.ended or last
    return f"{_clock(wave.released)} to {_clock(end)}, {seconds(max(0.0, end - wave.released))}"


def _failure_lines(tracker: Tracker) -> Iterator[Line]:
    """What stopped the run or made it fail."""
    steps = tracker.plan.steps
    for stop in tracker.stops:
        yield stop_line(tracker.plan, stop)
    for start in tracker.starts.values():
        yield from filter(None, [called_off_line(steps[start.step], start)])
    for fold in tracker.failures():
        origin = tracker.plan.plays[steps[fold.step].play].play.origin
        yield from fold_lines(steps[fold.step], fold, verbose=0, origin=origin)
    for ending, hosts in tracker.failed_without_running():
        yield ending_line(tracker, ending, hosts)


def _unfinished_lines(tracker: Tracker, run: RunInfo, now: float, approve: str) -> Iterator[Line]:
    ended = [*count_parts(tracker.counts), Part(", ")] if tracker.counts else []
    yield [Part("not finished: "), *ended, Part(f"{len(tracker.running)} {'running' if run.alive else 'unknown'}")]
    if run.alive:
        yield from waiting_lines(tracker, None, now, approve)


def _unknown_lines(tracker: Tracker, kept: Mapping[Job, int]) -> Iterator[Line]:
    """The jobs of a died run whose outcome is unknown, what is known about them, and what to do."""
    word, style = MARKS[Status.UNKNOWN]
    groups: dict[tuple[int, str], list[str]] = {}
    for job, since in tracker.running.items():
        known = [f"sent at {_clock(since)}"]
        if job in tracker.waiting:
            known.append(f"waited {tracker.waiting[job].reason}")
        if kept.get(job):
            known.append(f"{kept[job]} bytes of its output are kept: drumline runs output")
        groups.setdefault((job.step, ", ".join(known)), []).append(job.host)
    for (step, known_words), hosts in groups.items():
        name = task_name(tracker.plan.steps[step])
        yield [
            mark(word, style),
            Part(f"{name}: "),
            Part(fold_hosts(hosts), "bold"),
            Part(f"  {known_words}", "dim"),
        ]
    yield [Part(f"{_UNKNOWN} Check on these hosts what they did, then start the run again.")]


#: The explanation for jobs that a died run had sent.
_UNKNOWN = (
    "drumline died before it learned how these jobs ended. Their commands go on on the hosts until they "
    "end by themselves."
)


def show_data(
    run: RunInfo,
    plan: Plan,
    events: Iterable[Event],
    *,
    kept: Mapping[Job, int] | None = None,
    unfit: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """One run as JSON-able data.

    ``run``, ``failures``, ``stops`` (plays that ended early), ``waves``, ``starts`` (synchronised), ``approvals``,
    ``waiting`` (what jobs wait for now), ``origins`` (by play, from which rows it was
    generated) and ``jobs``, each with its times and result.
    Jobs that were sent and haven't ended are ``running``, or ``unknown`` if the run died.
    """
    tracker = Tracker(plan)
    jobs: list[dict[str, Any]] = []
    for event in _followed(tracker, events, unfit):
        if isinstance(event, JobFinished):
            jobs.append(_job(describe(event, tracker.plan)))
        elif isinstance(event, JobsAbandoned):
            fields = describe(event, tracker.plan)
            ending = {name: fields[name] for name in ("status", "cause", "reason")}
            jobs += [{**job, **ending, "ignored": False} for job in fields["jobs"]]
    jobs += _open_jobs(tracker, run, kept or {})
    plan = tracker.plan  # with all that was added
    return {
        "run": asdict(run),
        "failures": [job for job in jobs if job["status"] in CAUSES and not job["ignored"]],
        "stops": [describe(stop, plan) for stop in tracker.stops],
        "waves": [_wave(wave, plan) for wave in tracker.waves.values()],
        "starts": [_start(start, plan) for start in tracker.starts.values()],
        "approvals": [_approval(question, plan) for question in tracker.questions],
        "waiting": [describe(event, plan) for event in tracker.waiting.values()],
        "origins": {each.play.id: origin_data(each.play.origin) for each in plan.plays if each.play.origin is not None},
        "jobs": jobs,
    }


def _open_jobs(tracker: Tracker, run: RunInfo, kept: Mapping[Job, int]) -> Iterator[dict[str, Any]]:
    """Jobs that were sent and haven't ended, as far as the journal knows."""
    status, reason = ("running", "") if run.alive else ("unknown", _UNKNOWN)
    jobs = tuple(tracker.running)
    described = describe(JobsStarted(at=0.0, jobs=jobs), tracker.plan)["jobs"] if jobs else []
    for job, fields in zip(jobs, described, strict=True):
        waiting = tracker.waiting.get(job)
        yield {
            **fields,
            "status": status,
            "ignored": False,
            "started": tracker.running[job],
            "ended": None,
            "result": {},
            "reason": reason,
            "waiting": waiting.reason if waiting else None,
            "kept": kept.get(job, 0),
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


def output_of(
    history: History, run: RunInfo, task: str, host: str, stream: str, warn: Callable[[str], object] = str
) -> bytes:
    """Everything that a job wrote to a stream, masked. Raises ``UsageError`` if the run has no such job.

    ``task`` is the task's id, or its name in reports. With batches or several plays, it is the last job of that task on
    that host; for a loop, all items together. For an unfinished job, it is what the journal has so far, and ``warn`` is
    called.
    """
    plan = history.plan(run)
    mine: dict[Job, JobFinished | None] = {}  # in the order in which they were sent
    for event in history.events(run):
        if isinstance(event, JobFinished):
            mine[event.job] = event
        elif isinstance(event, JobsStarted):
            mine.update(dict.fromkeys(event.jobs))
        elif isinstance(event, PlanGrown):
            plan = plan.grown(with_titles(event, str).growth)
    found = [
        job
        for job in mine
        if job.host == host and task in (plan.steps[job.step].task.id, plan.steps[job.step].task.name)
    ]
    if not found:
        raise UsageError("The run has no such job", _no_such_job(run, plan, task, host))
    job = found[-1]
    kept, ended = dict(history.output(run, job, stream)), mine[job]
    if ended is None:
        if not kept:
            raise UsageError(*_not_over(run, task, host))
        warn(f"{'. '.join(_not_over(run, task, host))} This is what was kept so far, without its beginning.")
        return b"".join(piece.whole for piece in kept.values())
    items = [item for item in ended.result.get("results", [ended.result]) if isinstance(item, dict)]
    said = [_said(item.get(stream), kept.pop(item.get("kept") or 0, None)) for item in items]
    return b"".join([*said, *(piece.rest for piece in kept.values() if piece.beginning is None)])


def _said(text: object, kept: Kept | None) -> bytes:
    """One command's stream: from the result, or from the journal if it isn't text, and what follows."""
    beginning = text.encode(errors="surrogateescape") if isinstance(text, str) else b""
    if kept is None:
        return beginning
    return kept.whole if kept.beginning is not None else beginning + kept.rest


def _no_such_job(run: RunInfo, plan: Plan, task: str, host: str) -> str:
    tasks = {step.task.id for step in plan.steps}
    hint = did_you_mean(task, tasks) if task not in tasks else f" '{task}' did not run there."
    return f"Run {run.number} has no result of '{task}' on '{host}'.{hint}"


def _not_over(run: RunInfo, task: str, host: str) -> tuple[str, str]:
    if run.alive:
        return (
            "The job has not ended yet",
            f"'{task}' is running on '{host}': its output is in the journal when it ends.",
        )
    detail = (
        f"'{task}' was sent to '{host}', and drumline died before it learned how it ended. Its command goes on there "
        "until it ends by itself: check on the host what it did."
    )
    return "The output of this job is unknown", detail


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
