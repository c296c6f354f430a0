"""Earlier runs made by hand, for tests of the forecast."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drumline.forecast.durations import Past, read_past
from drumline.journal.past import PastJob, PastRun
from drumline.model.plan import Plan

#: Task id and host to seconds.
Times = Mapping[tuple[str, str], float]


def past_run(plan: Plan, number: int, times: Times, *, status: str = "changed") -> PastRun:
    """A run in which these jobs took so long, one task after the other."""
    ids = {step.task.id: step.index for step in plan.steps}
    endings = [
        PastJob(ids[task], host, status, 100.0 * ids[task], 100.0 * ids[task] + seconds, None)
        for (task, host), seconds in times.items()
    ]
    return PastRun(number=number, plan=plan, endings=endings, staged={})


def past_of(plan: Plan, *runs: Times) -> Past:
    """What these runs took, the last of them being the newest."""
    return read_past(past_run(plan, number, runs[number - 1]) for number in range(len(runs), 0, -1))


def constant(plan: Plan, seconds: Callable[[str, str], float] = lambda _task, _host: 1.0) -> Times:
    """Every job of the plan with its time."""
    return {(step.task.id, host): seconds(step.task.id, host) for step in plan.steps for host in step.hosts}
