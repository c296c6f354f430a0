"""How well hosts' clocks are known, and how far apart the commands of a synchronised start began. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from drumline.model.cause import Cause
from drumline.model.event import JobStaged, StartMeasured
from drumline.model.plan import Job

#: How fast two clocks may drift apart, in seconds per second: what quartz clocks keep easily.
_DRIFT = 100e-6


def lead(jobs: int, round_trip: float) -> float:
    """Seconds that the go signal needs, with a margin, to reach this many hosts before its moment.

    ``round_trip`` is the longest one to any of them.
    """
    return 0.2 + 0.002 * jobs + 4 * round_trip


def uncertainties(staged: Mapping[Job, JobStaged], at: float) -> dict[Job, float]:
    """How well each host's clock is known at this moment, in seconds; the worst one first."""
    known = {job: event.uncertainty + _DRIFT * max(0.0, at - event.at) for job, event in staged.items()}
    return dict(sorted(known.items(), key=lambda item: -item[1]))


def between_any_two(known: Mapping[Job, float]) -> float:
    """The uncertainty of the difference between any two of these hosts' clocks."""
    return sum(sorted(known.values())[-2:])


def measure(began: Mapping[Job, float], staged: Mapping[Job, JobStaged], at: float, cause: Cause) -> StartMeasured:
    """The skew achieved; ``began`` by this machine's clock, one job at least, all of one step."""
    in_order = sorted(began, key=lambda job: began[job])
    first = began[in_order[0]]
    after = [began[job] - first for job in in_order]
    known = uncertainties({job: staged[job] for job in began if job in staged}, first)
    return StartMeasured(
        at=at,
        step=in_order[0].step,
        jobs=len(began),
        skew=after[-1],
        p50=_percentile(after, 50),
        p99=_percentile(after, 99),
        uncertainty=between_any_two(known),
        worst=in_order[-1],
        cause=cause,
    )


def _percentile(ascending: list[float], percent: int) -> float:
    """The nearest rank: the smallest value that this percentage of all doesn't exceed."""
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]
