"""Whether a job's needs let it run: its trigger rule over the tally of its needs."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from drumline.model.outcome import Status
from drumline.model.playbook import TriggerRule

SUCCESS = frozenset({Status.OK, Status.CHANGED, Status.RESCUED})
#: It failed by itself, not because of others.
FAULT = frozenset({Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN})
FAILURE = frozenset({Status.FAILED, Status.UNREACHABLE, Status.ABANDONED, Status.CANCELLED, Status.UNKNOWN})


class Tally(Struct):
    """How many jobs are open and how the others ended. Ignored failures count as success."""

    open: int = 0
    success: int = 0
    skipped: int = 0
    failed: int = 0
    unclear: int = 0

    def count(self, status: Status) -> None:
        """Add one job by where it stands."""
        if status in SUCCESS:
            self.success += 1
        elif status is Status.SKIPPED:
            self.skipped += 1
        elif status in FAILURE:
            self.failed += 1
        elif status is Status.UNCLEAR:
            self.unclear += 1
        elif status is not Status.UNNEEDED:
            self.open += 1

    def recount(self, before: Status, now: Status) -> None:
        """One job that has ended counts otherwise from here on."""
        self.add(Tally(**{_counted_as(before): -1}))
        self.add(Tally(**{_counted_as(now): 1}))

    def add(self, other: Tally) -> None:
        """Add all that another tally counted."""
        self.open += other.open
        self.success += other.success
        self.skipped += other.skipped
        self.failed += other.failed
        self.unclear += other.unclear


def _counted_as(status: Status) -> str:
    return "success" if status in SUCCESS else "failed" if status in FAILURE else "skipped"


def verdict(rule: TriggerRule, needs: Tally) -> Status:
    """Where a job with these needs stands: ``pending``, ``ready``, or the final status it gets without running.

    Airflow's trigger rules (its documentation, "Trigger Rules"): the ``one_`` rules don't wait for the rest. A rule
    that can't hold any more makes the job ``abandoned`` when something failed, else ``skipped``.

    What is unclear in a check would have succeeded or been skipped, since a check takes it that nothing fails: where
    the two make a difference, the job is unclear too.
    """
    if not needs.unclear:
        return _verdict(rule, needs)
    open_, success, skipped, failed = needs.open, needs.success, needs.skipped, needs.failed
    either = {
        _verdict(rule, Tally(open=open_, success=success + needs.unclear, skipped=skipped, failed=failed)),
        _verdict(rule, Tally(open=open_, success=success, skipped=skipped + needs.unclear, failed=failed)),
    }
    if len(either) == 1:
        return either.pop()
    return Status.PENDING if Status.PENDING in either else Status.UNCLEAR


def _verdict(rule: TriggerRule, needs: Tally) -> Status:
    if not (needs.open or needs.success or needs.skipped or needs.failed):
        return Status.READY
    hopeless, enough = _RULES[rule](needs)
    if hopeless:
        return Status.ABANDONED if needs.failed else Status.SKIPPED
    if enough or not needs.open:
        return Status.READY
    return Status.PENDING


#: For each rule: (it can't hold any more, it holds whatever comes). What is neither waits for the open needs.
_RULES: dict[TriggerRule, Callable[[Tally], tuple[bool, bool]]] = {
    TriggerRule.NONE_FAILED: lambda needs: (needs.failed > 0, False),
    TriggerRule.ALL_SUCCESS: lambda needs: (needs.failed > 0 or needs.skipped > 0, False),
    TriggerRule.ALL_DONE: lambda needs: (False, False),
    TriggerRule.ONE_SUCCESS: lambda needs: (not needs.success and not needs.open, needs.success > 0),
    TriggerRule.ONE_FAILED: lambda needs: (not needs.failed and not needs.open, needs.failed > 0),
    TriggerRule.ALL_FAILED: lambda needs: (needs.success > 0 or needs.skipped > 0, False),
}
