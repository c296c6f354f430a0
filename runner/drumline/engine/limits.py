"""When a play stops because too much failed. Pure: what failed, and the plan's limits, in; a sentence out.

Limits hold at barriers: the wave ends first, as in Ansible. With ``strategy: free`` they hold at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from drumline.engine.records import BatchState, Failures, PlayState
from drumline.model.cause import Because, Cause
from drumline.model.plan import Job, Plan


class Stopping(NamedTuple):
    """Why a play stops: one sentence with the numbers, and what is behind it."""

    reason: str
    cause: Cause


def broken_limit(plan: Plan, batch: BatchState, failures: Failures) -> Stopping | None:
    """The limit of the play that these failures of one batch break, if there is one."""
    if failures.fatal is not None:
        task, host = plan.steps[failures.fatal.step].task.id, failures.fatal.host
        return Stopping(f"'{task}' failed on {host}, and any_errors_fatal lets nothing fail", _failure(failures.fatal))
    if failures.first is None:
        return None
    failed, total = len(failures.hosts), len(batch.hosts)
    if batch.batch.canary:
        text = f"the canary batch lets nothing fail: {_in_canary(plan, failures, total)}"
        return Stopping(text, _failure(failures.first))
    most = plan.plays[batch.play].play.max_fail_percentage
    if most is not None and failed * 100 > most * total:
        share = f"{failed * 100 / total:.3g}%, and max_fail_percentage is {most:g}"
        cause = next(iter(failures.hosts.values()))
        return Stopping(f"{failed} of {total} hosts failed ({share}): {folded(failures.hosts)}", _failure(cause))
    return None


def _failure(job: Job) -> Cause:
    return Cause(Because.FAILURE, job)


def _in_canary(plan: Plan, failures: Failures, total: int) -> str:
    if failures.hosts:
        return f"{len(failures.hosts)} of its {total} hosts failed: {folded(failures.hosts)}"
    assert failures.first is not None
    return f"'{plan.steps[failures.first.step].task.id}' failed on {failures.first.host}"


def whole_batch_failed(batch: BatchState, dropped_out: Set[str]) -> Stopping | None:
    """No batch is opened after one that no host got through, as in Ansible."""
    if batch.failures.first is None or not batch.hosts or not batch.hosts <= dropped_out:
        return None
    count = len(batch.hosts)
    failed = "the only host of the batch dropped out" if count == 1 else f"all {count} hosts of the batch dropped out"
    return Stopping(f"{failed}, so that no other batch is begun", _failure(batch.failures.first))


def not_available(play: PlayState, batch: BatchState, lost: Mapping[str, Cause]) -> Stopping | None:
    """``keep_available``: why this batch may not go on, ``lost`` being the hosts that failed or dropped out so far."""
    for keep, members in play.keep:
        left = _left(members, batch, lost)
        if left < keep.least:
            gone = [host for host in lost if host in members and host not in batch.hosts]
            names = f"; lost: {folded(gone)}" if gone else ""
            text = f"{keep.group}: {left} of {len(members)} hosts would be left, and {keep.least} have to be{names}"
            return Stopping(text, lost[gone[0]] if gone else Cause(Because.AVAILABLE))
    return None


def has_to_wait(play: PlayState, batch: BatchState, away: Set[str]) -> bool:
    """``keep_available``: whether too few would be left without these hosts, some of which may come back."""
    return any(_left(members, batch, away) < keep.least for keep, members in play.keep)


def _left(members: Set[str], batch: BatchState, away: Iterable[str]) -> int:
    """So many are neither in the batch nor away. A group may be large: what is gone is counted, not what is left."""
    gone = sum(host in members and host not in batch.hosts for host in away)
    return len(members) - sum(host in members for host in batch.hosts) - gone


def folded(hosts: Iterable[str], most: int = 5) -> str:
    """Names of hosts for a sentence: ``web1, web2 and 17 more``."""
    names = list(hosts)
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
