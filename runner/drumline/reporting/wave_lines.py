"""What came of a wave, task by task, and who is at work in one that is open."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

from drumline.model.hostnames import fold_hosts
from drumline.model.traits import Shows
from drumline.reporting.lines import MARKS, Line, Part, fold_lines, mark, seconds, task_name
from drumline.reporting.timing_lines import (
    barrier_lines,
    called_off_line,
    clock_lines,
    decision_line,
    late_lines,
    question_lines,
    skew_line,
)
from drumline.reporting.tracker import NeverRan, Question, Tracker, Wave

_ORDER = list(MARKS)

#: Failures of which everything was told: step and host.
Told: TypeAlias = Collection[tuple[int, str]]
_NOTHING_TOLD: Told = frozenset()


def wave_result(
    tracker: Tracker,
    wave: Wave,
    *,
    verbose: int,
    asked: bool = False,
    more: str = "drumline runs show -v",
    told: Told = _NOTHING_TOLD,
) -> Iterator[Line]:
    """What came of a wave; ``verbose`` 1 adds outputs, 2 everything that was registered.

    ``asked``: with the questions that were put to people, not just their answers. ``more`` is the command that shows
    all of it. ``told``: failures that were told when they happened, in full or as one more of their kind.
    """
    for index in tracker.plan.plays[wave.key[0]].batches[wave.key[1]].waves[wave.key[2]]:
        step = tracker.plan.steps[index]
        for question in tracker.questions:
            if question.asked.job.step == index:
                yield from _question_lines(tracker, question, asked=asked)
        start = tracker.starts.get(index)
        yield from filter(None, [called_off_line(step, start) if start and not start.told else None])
        folds = tracker.folding.merged([fold for fold in wave.folds.values() if fold.step == index])
        measured = [fold for fold in folds if step.task.traits.shows is Shows.CLOCK and "offset" in fold.result]
        if measured:
            yield from clock_lines(step, measured)
        for fold in sorted(folds, key=lambda fold: _ORDER.index(fold.status)):
            known = [host for host in fold.hosts if (index, host) in told]
            if fold not in measured and not (known and len(fold.hosts) == 1):
                yield from fold_lines(step, fold, verbose=verbose, more=more, told=known, around=tracker.diff_context)
        for ending, hosts in wave.abandoned.items():
            if ending.step == index:
                yield ending_line(tracker, ending, tracker.folding.ordered(hosts))
        yield from filter(None, [skew_line(step, start) if start else None])
    yield from late_lines(tracker.plan, wave)
    yield from barrier_lines(wave)


def _question_lines(tracker: Tracker, question: Question, *, asked: bool) -> Iterator[Line]:
    if asked:
        yield from question_lines(tracker.plan, question.asked, "")
    decision = decision_line(tracker.plan, question)
    if decision is not None:
        yield decision


def ending_line(tracker: Tracker, ending: NeverRan, hosts: list[str]) -> Line:
    """Jobs that ended without having run: ``abandoned   after: web2  because of 'break'``."""
    word, style = MARKS[ending.status]
    why = ending.reason
    if ending.cause == ending.step:
        why = ending.reason or "its start was called off"
    elif ending.cause is not None:
        why = f"because of '{task_name(tracker.plan.steps[ending.cause])}'"
    name = task_name(tracker.plan.steps[ending.step])
    return [mark(word, style), Part(f"{name}: {fold_hosts(hosts)}"), Part(f"  {why}" if why else "", "dim")]


def running_text(tracker: Tracker, wave: Wave, now: float, most: int = 3) -> str:
    """Who of a wave is running, for how long, longest first."""
    mine = [(job, since) for job, since in tracker.running.items() if tracker.wave_of(job) is wave]
    first = sorted(mine, key=lambda item: item[1])[:most]
    names = ", ".join(f"{job.host} {seconds(max(0.0, now - since))}" for job, since in first)
    more = len(mine) - len(first)
    return names + (f" and {more} more" if more else "")
