"""Barriers: when a wave has ended as far as it has to be, who is late, and which hosts are behind.

A barrier passes when its quorum is there. Hosts that have open jobs then are *behind*: they run their waves in order,
and no later barrier counts them until they have no open job in any released wave. What is open at the deadline, or
without a deadline when the quorum is there, is *late*. Rules: ``docs/semantics.md`` section 4.
"""

from __future__ import annotations

from collections.abc import Iterator

from drumline.engine.ledger import Ledger
from drumline.engine.records import WaveState
from drumline.engine.transitions import Lateness
from drumline.model.cause import Cause
from drumline.model.event import BarrierPassed
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job
from drumline.model.playbook import Late
from drumline.times import in_words


def begin(ledger: Ledger, wave: WaveState, at: float) -> None:
    """A wave was released, and its jobs are entered: note for which of them its barrier waits, and until when."""
    behind = wave.batch.behind
    wave.released_at = at
    wave.aside = frozenset(behind)
    for job in _jobs_on(ledger, wave, wave.aside):
        wave.batch.count_behind(job.host, wave.level)
        wave.open_aside += 1
    counted = wave.open - wave.open_aside
    wave.spare = counted - min(counted, wave.barrier.quorum.at_least(counted))
    if wave.barrier.deadline is not None:
        wave.deadline = at + wave.barrier.deadline
        wave.become(Lateness.AT_DEADLINE)
    elif wave.barrier.quorum.at_least(wave.open) < wave.open:
        wave.become(Lateness.AT_QUORUM)


def _jobs_on(ledger: Ledger, wave: WaveState, hosts: frozenset[str]) -> Iterator[Job]:
    for index in wave.steps if hosts else ():
        for host in ledger.steps[index].statuses:
            if host in hosts:
                yield Job(index, host)


def is_enough(wave: WaveState) -> bool:
    """Whether the barrier may pass as far as the wave's own jobs go."""
    declared = wave.lateness is Lateness.DECLARED and wave.barrier.late is Late.CATCH_UP
    return wave.open - wave.open_aside <= wave.spare or declared


def late_jobs(ledger: Ledger, wave: WaveState) -> list[Job]:
    """The wave's open jobs, but for those on hosts that were late before and may catch up.

    In the place of a job that holds stands what is open of what it added.
    """
    late = (job for job in _open_jobs(ledger, wave) if job.host not in wave.batch.excused)
    return list(dict.fromkeys(under for job in late for under in _open_jobs_under(ledger, job)))


def _open_jobs_under(ledger: Ledger, job: Job) -> Iterator[Job]:
    """The job, or in the place of one that holds what is open of what it added."""
    if ledger.status(job) is not Status.HOLDING:
        yield job
        return
    for index in ledger.added[job.step]:
        for host, status in ledger.steps[index].statuses.items():
            if status not in FINAL and job in ledger.parents(ledger.steps[index].step, host):
                yield from _open_jobs_under(ledger, Job(index, host))


def holding(ledger: Ledger, wave: WaveState) -> list[Job]:
    """The wave's jobs that wait for what they added, and those of them that do so in turn."""
    found: list[Job] = []
    waiting = list(_open_jobs(ledger, wave))
    while waiting:
        job = waiting.pop()
        if ledger.status(job) is Status.HOLDING:
            found.append(job)
            waiting += [
                Job(index, host)
                for index in ledger.added[job.step]
                for host, status in ledger.steps[index].statuses.items()
                if status not in FINAL and job in ledger.parents(ledger.steps[index].step, host)
            ]
    return found


def why_late(wave: WaveState) -> str:
    """Why the jobs that are open now are late, for people."""
    deadline, quorum = wave.barrier.deadline, wave.barrier.quorum
    if deadline is not None:
        return f"the deadline of {in_words(deadline)} had passed"
    jobs = "" if quorum.percent else "job " if quorum.value == 1 else "jobs "
    return f"{quorum} {jobs}of the wave had finished"


def passed(wave: WaveState, at: float, cause: Cause) -> BarrierPassed:
    """What the barrier has cost by now: who was last to finish, and how long the others waited."""
    return BarrierPassed(
        at=at,
        play=wave.batch.play,
        batch=wave.batch.number,
        wave=wave.number,
        last=wave.last,
        waited=max(0.0, at - wave.first_end) if wave.ended else 0.0,
        waited_in_all=max(0.0, wave.ended * (at - wave.released_at) - wave.ended_after),
        open=wave.open,
        cause=cause,
    )


def leave_behind(ledger: Ledger, wave: WaveState) -> None:
    """The barrier has passed: hosts that have open jobs in the wave are behind."""
    behind = wave.batch.behind
    counted = {host for host, held in behind.items() if wave.level in held}
    for job in _open_jobs(ledger, wave):
        if job.host not in counted:
            wave.batch.count_behind(job.host, wave.level)


def come_further(wave: WaveState, host: str) -> bool:
    """A job of the wave has ended on a host that is behind; whether that was its last one in the wave."""
    batch = wave.batch
    held = batch.behind[host]
    if wave.level not in held:
        return False
    held[wave.level] -= 1
    if held[wave.level]:
        return False
    del held[wave.level]
    if not held:
        del batch.behind[host]
        batch.excused.discard(host)
    return True


def _open_jobs(ledger: Ledger, wave: WaveState) -> Iterator[Job]:
    for index in wave.steps:
        state = ledger.steps[index]
        if state.tally.open:
            yield from (Job(index, host) for host, status in state.statuses.items() if status not in FINAL)
