"""How long a run will take: many simulated runs, and what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple

from drumline.forecast.draws import Round, Scenario, guessed, key_of, uncounted, unguessed, unknown_tasks
from drumline.forecast.durations import Past, TaskKey
from drumline.forecast.path import Leg, critical_path
from drumline.forecast.simulation import Simulated, Simulation, WaveKey
from drumline.model.plan import Plan
from drumline.plugin.traits import Costs

#: Simulated runs, at least and at most, and the jobs in all of them together: some seconds of computing.
LEAST_ROUNDS, MOST_ROUNDS = 3, 200
_JOBS: Final = 200_000
_SEED: Final = 1
_NORMAL: Final = NormalDist()


class Interval(NamedTuple):
    """Seconds: as likely more as less than ``middle``, and four times in five between ``low`` and ``high``."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is to be expected of a run. ``plan`` is the one that was asked about."""

    plan: Plan
    rounds: tuple[Simulated, ...]
    runs: int  #: Earlier runs that it rests on.
    unknown: tuple[TaskKey, ...]  #: Tasks that never ran, and of which no one said how long they take.
    guessed: tuple[TaskKey, ...] = ()  #: Tasks that never ran, and are taken to notify their handlers.
    unguessed: tuple[TaskKey, ...] = ()  #: The same whose handlers only their templates name: these aren't counted.
    uncounted: tuple[TaskKey, ...] = ()  #: Tasks that add others of which nothing is known.
    run: Interval
    path: tuple[Leg, ...]  #: Of the simulated run that took the middle of all times.

    def wave(self, key: WaveKey) -> Interval | None:
        """From the wave's release until its barrier; None when no simulated run came that far."""
        spans = [run.waves[key] for run in self.rounds if key in run.waves]
        return interval([span.ended - span.released for span in spans]) if spans else None

    def batches(self, play: int, batches: Sequence[int]) -> Interval | None:
        """One of these batches: from the release of its first wave until its last one's barrier."""
        lasted = [seconds for batch in batches for seconds in self._lasted(play, [batch])]
        return interval(lasted) if lasted else None

    def play(self, play: int) -> Interval | None:
        """From the release of a play's first wave until its last one's barrier."""
        lasted = self._lasted(play, range(len(self.plan.plays[play].batches)))
        return interval(lasted) if lasted else None

    def _lasted(self, play: int, batches: Sequence[int]) -> list[float]:
        found = []
        for run in self.rounds:
            keys = [(play, batch, wave) for batch in batches for wave in self._waves(play, batch)]
            spans = [run.waves[key] for key in keys if key in run.waves]
            if spans:
                found.append(max(span.ended for span in spans) - min(span.released for span in spans))
        return found

    def _waves(self, play: int, batch: int) -> range:
        return range(len(self.plan.plays[play].batches[batch].waves))

    def endings(self) -> Mapping[int, int]:
        """How many of the simulated runs ended with each exit status, commonest first."""
        return dict(Counter(run.exit_status for run in self.rounds).most_common())

    def stops(self) -> Mapping[str, int]:
        """In how many of them a play was stopped, or a start called off, by the reason."""
        return dict(Counter(reason for run in self.rounds for reason in dict.fromkeys(run.stops)).most_common())


def estimate(
    plan: Plan,
    past: Past,
    scenario: Scenario | None = None,
    *,
    forks: int,
    sessions: int,
    costs: Mapping[str, Costs] | None = None,
    begin: float = 0.0,
    seed: int = _SEED,
    rounds: int | None = None,
) -> Estimate:
    """Imagine the run as often as is worth it, or ``rounds`` times. The same arguments give the same estimate.

    ``begin`` counts where a task starts at a moment: when the run would begin, in seconds since the epoch.
    """
    scenario = scenario or Scenario()
    count = rounds or rounds_for(plan)
    found = tuple(
        Simulation(
            plan,
            Round(plan, past, scenario, forks=forks, seed=seed, number=number, of=count),
            forks=forks,
            sessions=sessions,
            costs=costs,
            begin=begin,
        ).run()
        for number in range(count)
    )
    middle = sorted(found, key=lambda run: run.seconds)[count // 2]
    return Estimate(
        plan=plan,
        rounds=found,
        runs=len(past.runs),
        unknown=_unknown(plan, past, scenario, found),
        guessed=guessed(plan, past),
        unguessed=unguessed(plan, past),
        uncounted=uncounted(plan, past, (*scenario.inlined, *scenario.take)),
        run=interval([run.seconds for run in found]),
        path=critical_path(plan, middle),
    )


def _unknown(plan: Plan, past: Past, scenario: Scenario, rounds: Sequence[Simulated]) -> tuple[TaskKey, ...]:
    """The tasks whose times aren't known; of handlers those that ran."""
    ran = {key_of(plan, plan.steps[index]) for run in rounds for index in run.ran}
    handlers = {key_of(plan, step) for step in plan.steps if step.task.handler is not None}
    return tuple(key for key in unknown_tasks(plan, past, scenario.take) if key in ran or key not in handlers)


def rounds_for(plan: Plan) -> int:
    """How often a run of this plan is simulated: by its size, so that the answer doesn't depend on the machine."""
    jobs = sum(1 if step.task.run_once else len(step.hosts) for step in plan.steps)
    return max(LEAST_ROUNDS, min(MOST_ROUNDS, _JOBS // max(1, jobs)))


def interval(values: Sequence[float]) -> Interval:
    """The median and an 80% interval, of values that cover what may happen evenly."""
    ordered = sorted(values)
    return Interval(*(_quantile(ordered, share) for share in (0.1, 0.5, 0.9)))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between two values as if they were normally distributed there; beyond the ends along the line through both.

    The plotting positions are Hazen's, (i - 0.5) / n.
    """
    count = len(ordered)
    below = min(max(int(share * count - 0.5), 0), max(count - 2, 0))
    above = min(below + 1, count - 1)
    if not 0.5 <= share * count <= count - 0.5:
        below, above = 0, count - 1
    if ordered[below] == ordered[above]:
        return ordered[below]
    low, high = (_NORMAL.inv_cdf((index + 0.5) / count) for index in (below, above))
    place = (_NORMAL.inv_cdf(share) - low) / (high - low)
    return max(0.0, ordered[below] + (ordered[above] - ordered[below]) * place)
