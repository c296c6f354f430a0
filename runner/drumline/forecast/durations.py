"""What the tasks of a playbook took in earlier runs, by task, run and host, and how far runs differ.

A wave waits for its longest job, or, when there are more hosts than places, for all of them in turn. So what is
compared from run to run is how long the longest job of a task took, and how long all took together; not single jobs,
whose differences mostly cancel out.

Spreads are standard deviations of the natural logarithm of seconds: 0.1 is about ten percent. What all tasks of a run
have in common is separated from what is each task's own, since these add up in different ways.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drumline.journal.past import PastJob, PastRun

#: Play id and task id.
TaskKey = tuple[str, str]

#: The spreads that are assumed as long as nothing ran twice.
ASSUMED = 0.1
#: A spread beyond this comes from runs that did different things; as noise it would only blur that.
_MOST = 0.7
#: Shorter times differ by chance alone.
_LEAST_SECONDS = 1e-3
_LITTLE = 1e-9


@dataclass(frozen=True, slots=True)
class Spread:
    """How far runs differ: in the longest of a task's jobs, and in all of them together."""

    longest: float = ASSUMED
    together: float = ASSUMED

    def of(self, hosts: int, forks: int) -> float:
        """The duration that counts for a wave on ``hosts`` hosts, ``forks`` of them at once."""
        return self.longest if hosts <= forks else self.together


@dataclass(slots=True)
class TaskPast:
    """One task. ``took[run][host]`` is in seconds, below zero where it was skipped in that time."""

    took: dict[int, dict[str, float]] = field(default_factory=dict)
    #: Of a task that adds others, the same until all of that had ended on the host.
    until: dict[int, dict[str, float]] = field(default_factory=dict)
    notified: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)  #: Handlers, by run and host.
    #: With ``start``: seconds until the command was waiting on its host; ``took`` is the command alone then.
    staging: dict[str, float] = field(default_factory=dict)
    #: Most of its jobs were their host's first ones, and opened its connection.
    connects: bool = False
    spread: Spread = field(default_factory=Spread)  #: Its own, beside that of whole runs.


@dataclass(slots=True)
class Past:
    """All earlier runs of a playbook. ``runs`` are their numbers, newest first."""

    runs: list[int] = field(default_factory=list)
    tasks: dict[TaskKey, TaskPast] = field(default_factory=dict)
    spread: Spread = field(default_factory=Spread)  #: What all tasks of a run have in common.


def read_past(runs: Iterable[PastRun]) -> Past:
    """What the runs took, newest first (:func:`drumline.journal.past.past_runs`)."""
    past = Past()
    comparison = _Comparison()
    for run in runs:
        if run.endings:
            past.runs.append(run.number)
            _take_in(past, run, comparison)
    comparison.enter(past)
    return past


def _take_in(past: Past, run: PastRun, comparison: _Comparison) -> None:
    keys = [(run.plan.plays[step.play].play.id, step.task.id) for step in run.plan.steps]
    first: dict[str, PastJob] = {}
    starts = {(ending.step, ending.host): ending.started for ending in run.endings}
    jobs: dict[TaskKey, int] = defaultdict(int)
    for ending in run.endings:
        key = keys[ending.step]
        jobs[key] += 1
        seconds = _seconds(ending)
        took = -seconds if ending.status == "skipped" else seconds
        past.tasks.setdefault(key, TaskPast()).took.setdefault(run.number, {})[ending.host] = took
        past.tasks[key].notified.setdefault(run.number, {})[ending.host] = ending.notified
        comparison.add(key, run.number, ending, seconds)
        if ending.host not in first or ending.started < first[ending.host].started:
            first[ending.host] = ending
        if ending.began is not None and (ending.step, ending.host) in run.staged:
            staged = run.staged[ending.step, ending.host] - ending.started
            past.tasks[key].staging[ending.host] = max(0.0, staged)
    for (step, host), end in _ends_of_added(run).items():
        started = starts.get((step, host))
        if started is not None:
            past.tasks[keys[step]].until.setdefault(run.number, {})[host] = max(_LEAST_SECONDS, end - started)
    opened: dict[TaskKey, int] = defaultdict(int)
    for ending in first.values():
        opened[keys[ending.step]] += 1
    for key, count in jobs.items():
        past.tasks[key].connects = past.tasks[key].connects or 2 * opened[key] > count


def _ends_of_added(run: PastRun) -> dict[tuple[int, str], float]:
    """For each job that added others when the last of what it added had ended on its host."""
    ends: dict[tuple[int, str], float] = {}
    steps = run.plan.steps
    if all(step.added_by is None for step in steps):
        return ends
    for ending in run.endings:
        above = steps[ending.step].added_by
        while above is not None:
            ends[above, ending.host] = max(ending.ended, ends.get((above, ending.host), 0.0))
            above = steps[above].added_by
    return ends


def _seconds(ending: PastJob) -> float:
    """How long the job took; of one that was held back for others, its command alone."""
    began = ending.started if ending.began is None else ending.began
    return max(_LEAST_SECONDS, ending.ended - began)


class _Comparison:
    """Each run's times beside the usual ones: of the same task and host, when the job ended the same way.

    A task that changes something takes longer than one that finds nothing to do; what came of it is no spread.
    """

    def __init__(self) -> None:
        self._groups: defaultdict[TaskKey, defaultdict[tuple[str, str], dict[int, float]]]
        self._groups = defaultdict(lambda: defaultdict(dict))

    def add(self, key: TaskKey, run: int, ending: PastJob, seconds: float) -> None:
        self._groups[key][ending.host, ending.status][run] = seconds

    def enter(self, past: Past) -> None:
        """The spreads of every task that ran more than once, and of the runs."""
        effects = {key: found for key, groups in self._groups.items() if (found := _effects(groups.values()))}
        if not effects:
            return
        share = _share_of_time(past, effects)
        parts = [
            _split({key: (weight, by_run[part]) for key, (weight, by_run) in effects.items()}, share)
            for part in range(2)
        ]
        past.spread = Spread(*(whole for whole, _ in parts))
        for key in effects:
            past.tasks[key].spread = Spread(*(own[key] for _, own in parts))


#: By run: how much longer the longest job took than usual, or in total, as a difference of logarithms.
_Effects = dict[int, float]


def _effects(groups: Iterable[Mapping[int, float]]) -> tuple[float, tuple[_Effects, _Effects]] | None:
    """How long one task usually is, by its longest job, and the effects of each run; None for a single run."""
    usual: defaultdict[int, list[float]] = defaultdict(list)
    really: defaultdict[int, list[float]] = defaultdict(list)
    for group in groups:
        if len(group) > 1:
            mean = math.exp(sum(map(math.log, group.values())) / len(group))
            for run, seconds in group.items():
                usual[run].append(mean)
                really[run].append(seconds)
    if len(really) < 2:
        return None
    longest, together = ({run: math.log(size(really[run]) / size(usual[run])) for run in really} for size in (max, sum))
    return sum(map(max, usual.values())) / len(usual), (_centred(longest), _centred(together))


def _centred(effects: _Effects) -> _Effects:
    mean = sum(effects.values()) / len(effects)
    return {run: effect - mean for run, effect in effects.items()}


def _share_of_time(past: Past, compared: Collection[TaskKey]) -> float:
    """How much of a usual run the tasks that were compared make up, 0 to 1."""
    usual = {key: _usual(task) for key, task in past.tasks.items()}
    return sum(usual[key] for key in compared) / sum(usual.values())


def _usual(task: TaskPast) -> float:
    """How long the longest of a task's jobs is, in the mean of all runs."""
    return sum(max(map(abs, took.values())) for took in task.took.values()) / len(task.took)


def _split(effects: Mapping[TaskKey, tuple[float, _Effects]], share: float) -> tuple[float, dict[TaskKey, float]]:
    """The spread that all tasks have in common, and that of each beside it. Tasks weigh as much as they take.

    What is each task's own shows in their mean as well, as if they had it in common; that much is taken off. Tasks that
    are but a ``share`` of a run say only so much of the whole: the rest counts as their own, and for the whole as
    unknown. A task of 10 ms that took 20 ms once says nothing of the hour beside it.
    """
    whole = sum(weight for weight, _ in effects.values())
    shares = {key: weight / whole for key, (weight, _) in effects.items()}
    common = _mean_by_run(effects)
    own = {
        key: _variance([effect - common[run] for run, effect in by_run.items()]) / max(_LITTLE, 1 - shares[key])
        for key, (_, by_run) in effects.items()
    }
    shared = _variance(list(common.values())) - sum(shares[key] ** 2 * variance for key, variance in own.items())
    shared, unseen = max(0.0, shared), 1 - share
    return (
        _deviation(share * shared + unseen * ASSUMED**2),
        {key: _deviation(variance + unseen * shared) for key, variance in own.items()},
    )


def _mean_by_run(effects: Mapping[TaskKey, tuple[float, _Effects]]) -> _Effects:
    sums: defaultdict[int, float] = defaultdict(float)
    weights: defaultdict[int, float] = defaultdict(float)
    for weight, by_run in effects.values():
        for run, effect in by_run.items():
            sums[run] += effect * weight
            weights[run] += weight
    return {run: total / weights[run] for run, total in sums.items()}


def _variance(values: Sequence[float]) -> float:
    return sum(value * value for value in values) / (len(values) - 1)


def _deviation(variance: float) -> float:
    return min(_MOST, math.sqrt(max(0.0, variance)))
