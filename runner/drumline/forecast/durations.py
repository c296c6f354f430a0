"""What the tasks of a playbook took in earlier runs, by task, run and host, and how far that spreads.

Spreads are standard deviations of the natural logarithm of seconds: 0.1 is about ten percent. Three are told apart,
since they add up in different ways over a fleet: all tasks of a run being slower than those of another one, one task
being slower everywhere, and one job by itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from drumline.journal.past import PastJob, PastRun

#: Play id and task id.
TaskKey = tuple[str, str]

#: The spreads that are assumed as long as nothing ran twice.
ASSUMED = 0.1
#: A spread beyond this comes from jobs that did different things each time; as noise it would only blur that.
_MOST = 0.7
#: Shorter times are told apart by chance alone.
_LEAST_SECONDS = 1e-3


@dataclass(slots=True)
class TaskPast:
    """One task. ``took[run][host]`` is in seconds, below zero where it was skipped in that time."""

    took: dict[int, dict[str, float]] = field(default_factory=dict)
    #: With ``start``: seconds until the command was waiting on its host; ``took`` is the command alone then.
    staging: dict[str, float] = field(default_factory=dict)
    #: Most of its jobs were their host's first ones, and opened its connection.
    connects: bool = False
    between_runs: float = ASSUMED  #: Spread of the task as a whole, beside that of the whole run.
    of_a_job: float = ASSUMED


@dataclass(slots=True)
class Past:
    """All earlier runs of a playbook. ``runs`` are their numbers, newest first."""

    runs: list[int] = field(default_factory=list)
    tasks: dict[TaskKey, TaskPast] = field(default_factory=dict)
    between_runs: float = ASSUMED  #: Spread of whole runs.


def read_past(runs: Iterable[PastRun]) -> Past:
    """What the runs took, newest first (:func:`drumline.journal.past.past_runs`)."""
    past = Past()
    residuals = _Residuals()
    for run in runs:
        if run.endings:
            past.runs.append(run.number)
            _take_in(past, run, residuals)
    residuals.spread(past)
    return past


def _take_in(past: Past, run: PastRun, residuals: _Residuals) -> None:
    keys = [(run.plan.plays[step.play].play.id, step.task.id) for step in run.plan.steps]
    first: dict[str, PastJob] = {}
    jobs: dict[TaskKey, int] = defaultdict(int)
    for ending in run.endings:
        key = keys[ending.step]
        jobs[key] += 1
        seconds = _seconds(ending)
        took = -seconds if ending.status == "skipped" else seconds
        past.tasks.setdefault(key, TaskPast()).took.setdefault(run.number, {})[ending.host] = took
        residuals.add(key, run.number, ending, seconds)
        if ending.host not in first or ending.started < first[ending.host].started:
            first[ending.host] = ending
        if ending.began is not None and (ending.step, ending.host) in run.staged:
            staged = run.staged[ending.step, ending.host] - ending.started
            past.tasks[key].staging[ending.host] = max(0.0, staged)
    opened: dict[TaskKey, int] = defaultdict(int)
    for ending in first.values():
        opened[keys[ending.step]] += 1
    for key, count in jobs.items():
        past.tasks[key].connects = past.tasks[key].connects or 2 * opened[key] > count


def _seconds(ending: PastJob) -> float:
    """How long the job took; of one that was held back for others, its command alone."""
    began = ending.started if ending.began is None else ending.began
    return max(_LEAST_SECONDS, ending.ended - began)


class _Residuals:
    """How each job's time differed from its usual one: of the same task and host, when it ended the same way.

    A task that changes something takes longer than one that finds nothing to do; what came of it is no noise.
    """

    def __init__(self) -> None:
        self._logs: defaultdict[TaskKey, defaultdict[tuple[str, str], dict[int, float]]]
        self._logs = defaultdict(lambda: defaultdict(dict))

    def add(self, key: TaskKey, run: int, ending: PastJob, seconds: float) -> None:
        self._logs[key][ending.host, ending.status][run] = math.log(seconds)

    def spread(self, past: Past) -> None:
        """Enter the spreads of every task that ran more than once, and of the runs."""
        of_tasks = {key: _TaskSpread(groups.values()) for key, groups in self._logs.items()}
        known = {key: spread for key, spread in of_tasks.items() if spread.by_run}
        of_runs, chance = _mean_by_run(known.values())
        if len(of_runs) > 1:
            past.between_runs = _deviation(of_runs.values(), len(of_runs) - 1, chance)
        for key, spread in known.items():
            rest = [effect - of_runs[run] for run, effect in spread.by_run.items()]
            past.tasks[key].between_runs = _deviation(rest, len(rest) - 1, spread.chance)
            past.tasks[key].of_a_job = spread.of_a_job


class _TaskSpread:
    """One task: the effect of each run on all of its jobs, and what is left of a job by itself."""

    def __init__(self, groups: Iterable[Mapping[int, float]]) -> None:
        several = [group for group in groups if len(group) > 1]
        means = [sum(group.values()) / len(group) for group in several]
        differences: defaultdict[int, list[float]] = defaultdict(list)
        for group, mean in zip(several, means, strict=True):
            for run, value in group.items():
                differences[run].append(value - mean)
        self.by_run = {run: sum(found) / len(found) for run, found in differences.items()}
        #: Of all jobs of a run together; what counts is where a run spends its time.
        self.seconds = sum(map(math.exp, means))
        rest = [value - self.by_run[run] for run, found in differences.items() for value in found]
        freedom = sum(len(group) - 1 for group in several) - (len(self.by_run) - 1)
        self.of_a_job = _deviation(rest, freedom)
        #: The variance that ``by_run`` has by chance alone, since a run's jobs are few.
        self.chance = self.of_a_job**2 * len(self.by_run) / max(1, len(rest))


def _mean_by_run(spreads: Collection[_TaskSpread]) -> tuple[dict[int, float], float]:
    """The effect of each run on all tasks, and the variance that it has by chance alone."""
    sums: defaultdict[int, float] = defaultdict(float)
    weights: defaultdict[int, float] = defaultdict(float)
    for spread in spreads:
        for run, effect in spread.by_run.items():
            sums[run] += effect * spread.seconds
            weights[run] += spread.seconds
    chance = sum((spread.seconds**2) * spread.chance for spread in spreads)
    whole = sum(spread.seconds for spread in spreads)
    return {run: total / weights[run] for run, total in sums.items()}, chance / whole**2 if whole else 0.0


def _deviation(values: Iterable[float], freedom: int, chance: float = 0.0) -> float:
    """The standard deviation around 0, without the variance that comes about by chance."""
    if freedom < 1:
        return 0.0
    variance = sum(value * value for value in values) / freedom - chance
    return min(_MOST, math.sqrt(max(0.0, variance)))
