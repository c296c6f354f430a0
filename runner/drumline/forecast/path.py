"""The critical path: who waited for whom, from the end of an simulated run back to its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from drumline.forecast.simulation import PathLink, Simulated
from drumline.model.cause import Because
from drumline.model.plan import Plan


class Reason(StrEnum):
    """Why a part of the critical path began when the one before it had ended."""

    BEGINNING = "beginning"  #: It is the first one.
    BARRIER = "barrier"  #: Its wave was released.
    NEED = "need"  #: Its task needs the other one.
    FORKS = "forks"  #: It waited for a place among the hosts that are worked on at once.
    SESSIONS = "sessions"  #: It waited for a place on its host.
    THROTTLE = "throttle"  #: Its task runs on a limited number of hosts at once.
    START = "start"  #: All hosts were staged.
    CLOCK = "clock"  #: A moment had come: an agreed start, or a deadline.


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of the path on which one step's jobs came one after the other; mostly that is one job."""

    step: int
    hosts: tuple[str, ...]  #: In order.
    reason: Reason
    seconds: float  #: In the jobs.
    clock: float  #: Before it, until a moment had come: an agreed start, or a deadline.
    overhead: float  #: Before it and between its jobs, in drumline itself.
    staged: bool = False  #: Until its command was waiting on its host.


def critical_path(plan: Plan, run: Simulated) -> tuple[Leg, ...]:
    """The legs of the path, first to last. Their ``seconds``, ``clock`` and ``overhead`` add up to the whole run."""
    legs: list[Leg] = []
    for link in _jobs(run):
        reason = _reason(plan, run, link)
        if legs and _continues(legs[-1], link, reason):
            legs.append(_longer(legs.pop(), link))
        else:
            legs.append(_leg(link, reason))
    return tuple(legs)


def _jobs(run: Simulated) -> Iterator[PathLink]:
    """The jobs on the path, first to last."""
    found: list[PathLink] = []
    link = run.last
    while link is not None:
        found.append(link)
        link = link.cause
    return (link for link in reversed(found) if link.job is not None)


def _reason(plan: Plan, run: Simulated, link: PathLink) -> Reason:
    """Why a job began, as the engine has said."""
    assert link.job is not None
    step, why = plan.steps[link.job.step], link.why
    if why is Because.WAVE and run.waves[step.play, step.batch, step.wave].why is Because.RUN:
        return Reason.BEGINNING
    begins_together = step.task.start is not None and not link.staged
    return _REASONS.get(why, Reason.START if begins_together else Reason.NEED)


#: What the engine says of a job's start, as a stretch of the path. Whatever else it says is the end of what the job
#: waited for: with a start that its hosts were staged, as when the last one was skipped.
_REASONS = {
    Because.WAVE: Reason.BARRIER,
    Because.NEED: Reason.NEED,
    Because.CATCH_UP: Reason.NEED,
    Because.RESCUE: Reason.NEED,
    Because.GROWTH: Reason.NEED,
    Because.FORK: Reason.FORKS,
    Because.SESSION: Reason.SESSIONS,
    Because.THROTTLE: Reason.THROTTLE,
    Because.STAGED: Reason.START,
    Because.CLOCK: Reason.CLOCK,
}


def _continues(leg: Leg, link: PathLink, reason: Reason) -> bool:
    places = (Reason.FORKS, Reason.SESSIONS, Reason.THROTTLE)
    return link.job is not None and link.job.step == leg.step and reason in places and link.staged is leg.staged


def _leg(link: PathLink, reason: Reason) -> Leg:
    assert link.job is not None
    clock, overhead = _before(link)
    return Leg(
        step=link.job.step,
        hosts=(link.job.host,),
        reason=reason,
        seconds=link.ended - link.started,
        clock=clock,
        overhead=overhead,
        staged=link.staged,
    )


def _longer(leg: Leg, link: PathLink) -> Leg:
    assert link.job is not None
    clock, overhead = _before(link)
    return replace(
        leg,
        hosts=(*leg.hosts, link.job.host),
        seconds=leg.seconds + link.ended - link.started,
        clock=leg.clock + clock,
        overhead=leg.overhead + overhead,
    )


def _before(link: PathLink) -> tuple[float, float]:
    """Seconds between the end of the job before and the beginning of this one: of the clock, and of drumline."""
    cause = link.cause
    assert cause is not None
    overhead = link.started - cause.ended
    clock = 0.0
    while cause.job is None and cause.cause is not None:
        clock += cause.ended - cause.cause.ended
        cause = cause.cause
    return clock, overhead
