"""``play_hosts`` and related variables: which hosts of a play are left after failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from drumline.inventory.variables import batch_magic
from drumline.model.plan import Job, Plan, Step


class PlayHosts:
    """The remaining hosts of each play. Changed on the driver's thread, read by those of the jobs."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._failed: dict[int, Counter[str]] = {}  # by play: the number of failures of each host
        self._cleared: set[tuple[int, str]] = set()  # plays and hosts whose failures there count in no other play
        self._left: set[tuple[int, str]] = set()  # plays, and hosts for which they have ended
        self._failures = 0  # the number of changes, in all plays
        #: By play and batch: the number of changes when it was made, and the variables.
        self._magic: dict[tuple[int, int], tuple[int, Mapping[str, Any]]] = {}

    def grow(self, plan: Plan) -> None:
        """Something was added to the plan."""
        self._plan = plan

    def lose(self, job: Job) -> None:
        """A host drops out of the job's play, and of those that need it."""
        self._failed.setdefault(self._plan.steps[job.step].play, Counter())[job.host] += 1
        self._failures += 1

    def regain(self, job: Job) -> None:
        """The job's failure doesn't count, or doesn't count yet."""
        self._failed[self._plan.steps[job.step].play][job.host] -= 1
        self._failures += 1  # invalidates what was made before

    def clear(self) -> None:
        """What has failed so far doesn't count for plays that are still to begin."""
        self._cleared.update(
            (play, host) for play, counts in self._failed.items() for host in [*counts] if counts[host]
        )
        self._failures += 1

    def leave(self, job: Job) -> None:
        """The play ends for the job's host, which takes part in later plays."""
        self._left.add((self._plan.steps[job.step].play, job.host))
        self._failures += 1

    def leave_all(self, hosts: Iterable[str]) -> None:
        """These hosts are gone from the inventory."""
        self._left.update((play, host) for play in range(len(self._plan.plays)) for host in hosts)
        self._failures += 1

    def magic(self, step: Step) -> Mapping[str, Any]:
        """The magic variables that are the same for all jobs of the step's batch."""
        key = (step.play, step.batch)
        count = self._failures  # read first, so that a failure meanwhile makes the next job look again
        known = self._magic.get(key)
        if known is None or known[0] != count:
            known = self._magic[key] = (count, self._made(step))
        return known[1]

    def _made(self, step: Step) -> Mapping[str, Any]:
        play = self._plan.plays[step.play]
        failed = self._failed_before(step.play)
        return batch_magic(
            play=play.play.name,
            all_hosts=play.hosts,
            hosts=[host for host in play.hosts if host not in failed],
            batch=[host for host in play.batches[step.batch].hosts if host not in failed],
        )

    def _failed_before(self, play: int) -> set[str]:
        """The hosts that failed in this play, or in one that it needs, directly or through others."""
        failed = {host for left, host in self._left.copy() if left == play}
        waiting, seen = [play], {play}
        while waiting:
            found = waiting.pop()
            counts = self._failed.get(found, Counter()).copy()  # it may grow while it is read
            lost = {host for host, count in counts.items() if count}
            failed |= lost if found == play else {host for host in lost if (found, host) not in self._cleared}
            further = [need for need in self._plan.plays[found].needs if need not in seen]
            seen.update(further)
            waiting += further
        return failed
