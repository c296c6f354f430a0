"""What every job takes in one simulated run: an earlier run played again, a little slower or faster as a whole.

A round takes one earlier run as its base, so that what belongs together stays together: a day on which everything was
slow, a release that every host had to unpack, how its slowest hosts compare with the others. Around it times vary as
they did between runs, by a *smoothed bootstrap*: of n earlier values one is drawn, and noise is added such that the
whole has the spread that one more value is to be expected in (a Student's t with n - 1 degrees of freedom, at its 80%
interval), which a mere draw would fall short of. Single jobs get no noise of their own: a wave waits for its longest
job, and the longest of many that each vary once more would be longer than any ever was.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Final, TypeVar

from drumline.forecast.durations import Past, TaskKey, TaskPast
from drumline.loading.ids import added_id
from drumline.loading.inlined import FIRST
from drumline.model.plan import Plan, Step
from drumline.model.playbook import Task
from drumline.model.value import Template

#: Seconds of a job of which nothing is known.
UNKNOWN: Final = 1.0
#: The upper end of an 80% interval of the normal distribution.
_Z80: Final = NormalDist().inv_cdf(0.9)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Seconds that someone gave: four in five are between these two, or it is just one number."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return math.sqrt(self.low * self.high)

    @property
    def spread(self) -> float:
        return math.log(self.high / self.low) / (2 * _Z80) if self.high > self.low else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is asked, beside what was: by task key, and by host."""

    take: Mapping[TaskKey, Range] = field(default_factory=dict)
    fail: Mapping[TaskKey, float] = field(default_factory=dict)  #: The chance of each job, 0 to 1.
    slow: Mapping[str, float] = field(default_factory=dict)  #: Times as long.
    #: Tasks that add others, where these stand in the plan beside them.
    inlined: Collection[TaskKey] = frozenset()
    #: For hosts that the real fleet doesn't have: the one whose times they have.
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A step in one round. ``took`` is in seconds by host, below zero where it is skipped."""

    took: Mapping[str, float]
    fails: frozenset[str]
    staging: Mapping[str, float]
    connects: bool  #: A connection is part of the times already.
    notified: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: Names of handlers, by host.


class Round:
    """One simulated run. The same numbers give the same times, in whatever order they are asked for."""

    def __init__(
        self, plan: Plan, past: Past, scenario: Scenario, *, forks: int, seed: int, number: int, of: int
    ) -> None:
        """Number ``number``, from 0, ``of`` that many draws, which cover evenly what may happen."""
        self._plan = plan
        self._past = past
        self._scenario = scenario
        self._forks = forks
        self._seed = f"{seed}/{number}"
        shuffled = random.Random(seed)
        order = shuffled.sample(range(of), of)
        bases = past.runs and shuffled.sample(past.runs, len(past.runs))
        self._base = bases[number % len(bases)] if bases else None
        #: How slow the run is as a whole, in standard deviations.
        self._whole = NormalDist().inv_cdf((order[number] + 0.5) / of)

    def step(self, step: Step) -> Drawn:
        """What the step's jobs take."""
        key = key_of(self._plan, step)
        chance = random.Random(f"{self._seed}/{step.index}")
        share = self._scenario.fail.get(key, 0.0)
        fails = {host for host in step.hosts if chance.random() < share} if share else set()
        task = self._past.tasks.get(key)
        took = self._times(key, step, chance)
        if self._scenario.slow:
            took = {host: seconds * self._scenario.slow.get(host, 1.0) for host, seconds in took.items()}
        limit = _limit(step.task)
        if limit is not None:
            fails |= {host for host, seconds in took.items() if seconds > limit}
            took = {host: min(seconds, limit) for host, seconds in took.items()}
        return Drawn(
            took=took,
            fails=frozenset(fails),
            staging=self._staging(task, step),
            connects=task is not None and task.connects and key not in self._scenario.take,
            notified=self._notified(task, step, chance),
        )

    def _notified(self, task: TaskPast | None, step: Step, chance: random.Random) -> Mapping[str, tuple[str, ...]]:
        """The handlers that jobs notify: those of an earlier run, and in a first one all that they may."""
        if not step.task.notify:
            return {}
        if task is None or not task.notified:
            return dict.fromkeys(step.hosts, tuple(known_names(step.task)))
        base = self._of_base(task.notified, chance)
        origin = self._scenario.origin
        anyone = list(base.values())
        known = ((host, base.get(origin.get(host, host))) for host in step.hosts)
        return {host: chance.choice(anyone) if names is None else names for host, names in known}

    def _of_base(self, by_run: Mapping[int, T], chance: random.Random) -> T:
        """What was in the earlier run that is played again, else in any that has it."""
        return (
            by_run[self._base]
            if self._base is not None and self._base in by_run
            else by_run[chance.choice(list(by_run))]
        )

    def _times(self, key: TaskKey, step: Step, chance: random.Random) -> dict[str, float]:
        given, task = self._scenario.take.get(key), self._past.tasks.get(key)
        if step.task.traits.asks is not None:  # people are taken to answer at once, whatever they took before
            return dict.fromkeys(step.hosts, 0.0)
        if given is not None:
            return {host: _noisy(given.middle, given.spread, chance) for host in step.hosts}
        return dict.fromkeys(step.hosts, UNKNOWN) if task is None else self._as_before(task, step, chance)

    def _staging(self, task: TaskPast | None, step: Step) -> dict[str, float]:
        if task is None or not task.staging:
            return {}
        origin = self._scenario.origin
        known = ((host, task.staging.get(origin.get(host, host))) for host in step.hosts)
        return {host: seconds for host, seconds in known if seconds is not None}

    def _as_before(self, task: TaskPast, step: Step, chance: random.Random) -> dict[str, float]:
        past = task.took
        if step.task.traits.adds is not None and key_of(self._plan, step) not in self._scenario.inlined:
            past = {run: {**took, **task.until.get(run, {})} for run, took in past.items()}
        base = self._of_base(past, chance)
        size = len(step.hosts), self._forks
        whole = self._past.spread.of(*size) * smoothing(len(self._past.runs)) * self._whole
        own = task.spread.of(*size) * smoothing(len(past)) * chance.gauss(0.0, 1.0)
        shared = math.exp(whole + own)
        origin = self._scenario.origin
        anyone = list(base.values())
        took = {}
        for host in step.hosts:
            known = origin.get(host, host)
            seconds = base.get(known)
            if seconds is None:
                found = [taken[known] for taken in past.values() if known in taken]
                seconds = chance.choice(found or anyone)
            took[host] = seconds if seconds < 0 else seconds * shared
        return took


def key_of(plan: Plan, step: Step) -> TaskKey:
    """The step's task, as history knows it: batches share it."""
    return plan.plays[step.play].play.id, step.task.id


def with_inlined(scenario: Scenario, plan: Plan) -> Scenario:
    """The scenario, which knows what tasks add that stands in the plan already (``loading.inlined``)."""
    blocks = {(plan.plays[block.play].play.id, block.id) for block in plan.blocks}
    adding = (key_of(plan, step) for step in plan.steps if step.task.traits.adds is not None)
    known = ((play, task) for play, task in adding if (play, added_id(task, FIRST)) in blocks)
    return replace(scenario, inlined=frozenset(known))


def unknown_tasks(plan: Plan, past: Past, given: Collection[TaskKey] = ()) -> tuple[TaskKey, ...]:
    """The tasks that never ran, but for those whose time is given or needs no history."""
    keys = dict.fromkeys(key_of(plan, step) for step in plan.steps if step.task.traits.asks is None)
    return tuple(key for key in keys if key not in past.tasks and key not in given)


def known_names(task: Task) -> list[str]:
    """The names of handlers that a task notifies, as far as they are known before the run."""
    return [str(name) for name in task.notify if not isinstance(name, Template)]


def guessed(plan: Plan, past: Past) -> tuple[TaskKey, ...]:
    """The tasks that never ran, and of which it is assumed that they notify handlers."""
    keys = dict.fromkeys(key_of(plan, step) for step in plan.steps if known_names(step.task))
    return tuple(key for key in keys if key not in past.tasks)


def unguessed(plan: Plan, past: Past) -> tuple[TaskKey, ...]:
    """Those that never ran, and of which it can't be known what they notify."""
    templates = (step for step in plan.steps if len(known_names(step.task)) < len(step.task.notify))
    keys = dict.fromkeys(key_of(plan, step) for step in templates)
    return tuple(key for key in keys if key not in past.tasks)


def uncounted(plan: Plan, past: Past, inlined: Collection[TaskKey] = ()) -> tuple[TaskKey, ...]:
    """The tasks that add others of which nothing is known: neither their files nor an earlier run."""
    keys = dict.fromkeys(key_of(plan, step) for step in plan.steps if step.task.traits.adds is not None)
    return tuple(key for key in keys if key not in past.tasks and key not in inlined)


def _limit(task: Task) -> float | None:
    """The time-out, where it is a number and counts for the task as a whole."""
    known = isinstance(task.timeout, (int, float)) and task.loop is None and task.retries is None
    return float(task.timeout) if known and task.timeout else None


def smoothing(count: int) -> float:
    """How much noise goes around one of ``count`` earlier values, in units of their standard deviation."""
    if count < 2:
        return 1.0
    widening = _student(count - 1) / _Z80
    return math.sqrt(widening**2 * (1 + 1 / count) - (count - 1) / count)


def _student(freedom: int) -> float:
    """The upper end of an 80% interval of Student's t (Abramowitz and Stegun 26.7.5, four terms)."""
    z, n = _Z80, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def _noisy(seconds: float, spread: float, chance: random.Random) -> float:
    return seconds * math.exp(spread * chance.gauss(0.0, 1.0)) if spread else seconds
