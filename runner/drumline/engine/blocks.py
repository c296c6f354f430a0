"""Blocks: on which hosts each part has ended, and where a failure waits for its rescue. Data; :mod:`.rescues` acts.

On each host a block's tasks, its rescue and its always part follow one another. A failure in the tasks lets the host
*enter* the rescue; what is left of the tasks there is abandoned. Until the rescue has ended there the failure is
*pending*. Blocks may stand in each part of other blocks. Rules: ``docs/semantics.md`` section 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from drumline.model.outcome import Status
from drumline.model.plan import Block, Inside, Job, Plan, Step, places_of
from drumline.model.playbook import BlockPart


class OpenJobs(Struct):
    """How many jobs of some steps are open on each host. A ``run_once`` step's one job counts for all of its hosts."""

    own: dict[str, int] = {}
    shared: int = 0
    candidates: dict[str, None] = {}  # the hosts of steps with run_once

    def enter(self, step: Step) -> None:
        """The jobs of one more step are to come."""
        if step.task.run_once:
            self.shared += bool(step.hosts)
            self.candidates.update(dict.fromkeys(step.hosts))
            return
        for host in step.hosts:
            self.own[host] = self.own.get(host, 0) + 1

    def leave(self, step: Step, host: str) -> None:
        """One job has ended."""
        if step.task.run_once:
            self.shared -= 1
        else:
            self.own[host] -= 1

    def has(self, host: str) -> bool:
        """Whether there is a job that counts for this host."""
        return host in self.own or host in self.candidates

    def is_over(self, host: str) -> bool:
        """Whether none is open that counts for this host."""
        return not self.own.get(host) and not (self.shared and host in self.candidates)

    def hosts(self) -> set[str]:
        """All for which a job counts."""
        return self.own.keys() | self.candidates.keys()


class BlockState(Struct):
    """One block of one batch: how far it is on each host."""

    block: Block
    around: Sequence[Inside]  # the parts of other blocks that it stands in, the innermost first
    tasks: OpenJobs = field(default_factory=OpenJobs)
    rescue: OpenJobs = field(default_factory=OpenJobs)
    always: OpenJobs = field(default_factory=OpenJobs)
    steps: dict[int, Inside] = {}  # all of its steps, those of blocks in it too, with the part of this block
    inner: list[int] = []  # the blocks that stand in its tasks
    entered: dict[str, Job] = {}  # hosts that enter the rescue, and the failure for which they do
    pending: dict[str, list[Job]] = {}  # of these, the ones whose rescue hasn't ended, and what counts then
    begun: set[str] = set()  # hosts on which a job of the rescue or of the always part has ended
    barred: dict[str, Job | None] = {}  # hosts that failed before the block began there, with that failure
    failed: set[str] = set()  # hosts on which something failed for which its own rescue doesn't make up
    left: set[str] = set()  # hosts on which the rest of it isn't needed
    rescue_failed: set[str] = set()  # of these, the ones where that was in the rescue
    dependents: list[int] = []  # steps that need it
    covered: dict[int, bool] = {}  # by step: whether all of its hosts have a job in the block

    def part(self, part: BlockPart) -> OpenJobs:
        """The open jobs of one part."""
        return (self.tasks, self.rescue, self.always)[part]

    def has(self, host: str) -> bool:
        """Whether the host has a job in it."""
        return self.tasks.has(host) or self.rescue.has(host) or self.always.has(host)

    def covers(self, step: Step) -> bool:
        """Whether all hosts of a step have a job in it; found once, since it is asked at the end of each of them."""
        if step.index not in self.covered:
            self.covered[step.index] = all(map(self.has, step.hosts))
        return self.covered[step.index]

    def hosts(self) -> set[str]:
        """All hosts with a job in it."""
        return self.tasks.hosts() | self.rescue.hosts() | self.always.hosts()

    def is_over(self, host: str) -> bool:
        """Whether all of it has ended on a host."""
        return self.tasks.is_over(host) and self.rescue.is_over(host) and self.always.is_over(host)

    def steps_of(self, *parts: BlockPart) -> Iterator[int]:
        """The steps that stand in these parts, in order."""
        return (index for index, place in self.steps.items() if place.part in parts)

    def enter(self, step: Step, part: BlockPart) -> None:
        """A step stands in it, directly or in another block."""
        self.covered.clear()
        self.steps[step.index] = Inside(self.block.index, part)
        self.part(part).enter(step)


def blocks_of(plan: Plan, known: Sequence[BlockState] = ()) -> list[BlockState]:
    """The blocks of a plan beside those that are known, with no step in them yet."""
    found = [BlockState(block, places_of(plan, block.inside)) for block in plan.blocks[len(known) :]]
    for state in found:
        for place in state.around:
            if place.part is BlockPart.TASKS:
                [*known, *found][place.block].inner.append(state.block.index)
    return found


def standing(blocks: Sequence[BlockState], around: Sequence[Inside], host: str) -> Status | None:
    """What blocks say of a pending job that stands in them: pending, or how it ends; None: it may run."""
    shielded = waits = False
    for place in around:  # the innermost first
        block = blocks[place.block]
        if host in block.left:
            return Status.UNNEEDED
        if place.part is BlockPart.TASKS:
            if host in block.entered and not shielded:
                return Status.ABANDONED
        elif not block.tasks.is_over(host):
            waits = True
        elif place.part is BlockPart.RESCUE:
            if host not in block.entered:
                return Status.UNNEEDED
        elif not block.rescue.is_over(host):
            waits = True
        elif host in block.barred:
            return Status.ABANDONED
        if place.part is BlockPart.ALWAYS:
            shielded = True  # it runs whatever fails in the blocks around it
    return Status.PENDING if waits else None


def failure_behind(blocks: Sequence[BlockState], around: Sequence[Inside], host: str) -> Job | None:
    """For which failure :func:`standing` abandons a job."""
    for place in around:
        block = blocks[place.block]
        if place.part is BlockPart.TASKS and host in block.entered:
            return block.entered[host]
        if place.part is BlockPart.ALWAYS:
            return block.barred.get(host)
    return None
