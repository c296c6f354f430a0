"""The whole run as far as it is known: steps, waves, batches, blocks. It may grow; nothing is renumbered.

A **step** is one task in one batch of its play; waves consist of steps. A **job** is one step on one host. Steps
refer to each other by their index in ``Plan.steps``, so that ten thousand hosts cost one tuple, not a graph of jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from drumline.model.playbook import Barrier, BlockPart, Play, Playbook, Role, Task


class Job(NamedTuple):
    """One task on one host, in one batch: the unit that is scheduled, journalled, retried and reported."""

    step: int  #: Index in ``Plan.steps``.
    host: str


class Need(NamedTuple):
    """What a step waits for: another step, a whole play, or a whole block. The other fields are None."""

    step: int | None = None
    play: int | None = None
    block: int | None = None


class Inside(NamedTuple):
    """The block, and the part of it, that contains something."""

    block: int  #: Index in ``Plan.blocks``.
    part: BlockPart


class Block(Struct, frozen=True, kw_only=True, gc=False):
    """A block in one batch. Steps and blocks themselves say which block contains them."""

    index: int
    id: str = ""  #: Of the block in its play.
    play: int = 0
    inside: Inside | None = None  #: The part of another block that contains it.
    is_role: bool = False  #: Whether it stands for a role.


class Step(Struct, frozen=True, kw_only=True, gc=False):
    """One task in one batch."""

    index: int
    task: Task
    play: int
    batch: int  #: Within the play.
    wave: int  #: Within the batch: the task's level.
    #: In inventory order. With ``run_once`` these are the candidates: the first available one runs it, for all.
    hosts: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    inside: Inside | None = None  #: The innermost block around it.
    added_by: int | None = None  #: The step whose jobs added it while the run went on.


class Batch(Struct, frozen=True, kw_only=True, gc=False):
    """The hosts that go through the play together, and the steps of each wave (indices, in the file's order)."""

    hosts: tuple[str, ...]
    waves: tuple[tuple[int, ...], ...] = ()
    barriers: tuple[Barrier, ...] = ()  #: One for each wave.
    canary: bool = False  #: If anything in it fails, the play stops after it.
    #: Where each wave stands among the others, if some were added: ``(3,)``, ``(3, 0)``, ``(3, 1)``, ``(4,)``.
    levels: tuple[tuple[int, ...], ...] = ()

    def level(self, wave: int) -> tuple[int, ...]:
        """Where a wave stands among the others; what was added to wave 3 comes before wave 4, and within wave 3."""
        return self.levels[wave] if self.levels else (wave,)


class Keep(Struct, frozen=True, kw_only=True, gc=False):
    """``keep_available``: at least this many of these hosts are outside the batch and haven't failed."""

    group: str
    least: int
    hosts: tuple[str, ...]


class PlannedPlay(Struct, frozen=True, kw_only=True, gc=False):
    """One play with its batches. ``needs`` are indices of plays."""

    play: Play
    hosts: tuple[str, ...]
    batches: tuple[Batch, ...] = ()
    needs: tuple[int, ...] = ()
    keep: tuple[Keep, ...] = ()
    later: bool = False  #: It is planned when it opens, since tasks before it may change the inventory.


class Plan(Struct, frozen=True, kw_only=True, gc=False):
    """Everything known so far. ``steps[i].index == i``, ``blocks[i].index == i``."""

    playbook: Playbook
    plays: tuple[PlannedPlay, ...] = ()
    steps: tuple[Step, ...] = ()
    blocks: tuple[Block, ...] = ()
    #: Whether tasks only say what they would change, and whether they show what they change, unless they say otherwise.
    check: bool = False
    diff: bool = False

    def grown(self, by: Growth) -> Plan:
        """The plan with what was added. What was there keeps its number; raises ``ValueError`` for what can't be."""
        if by.opened is not None:
            return _with_play(self, by, by.opened)
        _check_growth(self, by)
        parent = self.steps[by.parent]
        play = self.plays[parent.play]
        batch = _with_waves(play.batches[parent.batch], parent.wave, by)
        batches = (*play.batches[: parent.batch], batch, *play.batches[parent.batch + 1 :])
        written = replace(play.play, roles=(*play.play.roles, *by.roles)) if by.roles else play.play
        play = replace(play, play=by.handlers.joined(written) if by.handlers else written, batches=batches)
        plays = (*self.plays[: parent.play], play, *self.plays[parent.play + 1 :])
        return replace(self, plays=plays, steps=(*self.steps, *by.steps), blocks=(*self.blocks, *by.blocks))


class MoreHandlers(Struct, frozen=True, kw_only=True, gc=False):
    """Handlers that a play gets while it runs."""

    handlers: tuple[Task, ...]
    rows: tuple[int, ...]  #: As ``Play.handler_rows``.
    notified: Mapping[str, tuple[int, ...]] = {}  #: As ``Play.notified``, of all that the play has then.

    def joined(self, play: Play) -> Play:
        """The play, which has these after its own."""
        rows = play.handler_rows or (len(play.handlers),)
        handlers = (*play.handlers, *self.handlers)
        return replace(play, handlers=handlers, handler_rows=(*rows, *self.rows), notified=self.notified)


class Growth(Struct, frozen=True, kw_only=True, gc=False):
    """What the jobs of one step added to a plan: steps of its batch, in waves of their own. Or a play that opens.

    Their numbers follow those that are there: of steps in the plan, of waves in the batch, of blocks in the plan.
    """

    steps: tuple[Step, ...]
    barriers: tuple[Barrier, ...] = ()  #: One for each wave that is added.
    blocks: tuple[Block, ...] = ()
    roles: tuple[Role, ...] = ()  #: Whose variables all tasks of the play see from there on.
    handlers: MoreHandlers | None = None
    added_by: int | None = None  #: The step, if there are no steps of which each says so.

    #: Not jobs added the steps: they are all those of this play, which is planned as it opens.
    opened: int | None = None
    planned: PlannedPlay | None = None

    @property
    def parent(self) -> int:
        """The step whose jobs added all of it."""
        found = self.steps[0].added_by if self.steps else self.added_by
        return -1 if found is None else found


def without_later(plan: Plan) -> Plan:
    """The plan without the steps of plays that are planned when they open, which come after all others."""
    later = {number for number, play in enumerate(plan.plays) if play.later}
    if not later:
        return plan
    plays = tuple(replace(play, hosts=(), batches=(), keep=()) if play.later else play for play in plan.plays)
    steps = tuple(step for step in plan.steps if step.play not in later)
    return replace(plan, plays=plays, steps=steps, blocks=tuple(each for each in plan.blocks if each.play not in later))


def as_known(plan: Plan) -> Plan:
    """The plan in which all plays have the hosts that are known by now."""
    plays = tuple(replace(play, later=False) if play.later else play for play in plan.plays)
    return replace(plan, plays=plays)


def _with_play(plan: Plan, by: Growth, number: int) -> Plan:
    _check_numbers(plan, by)
    if by.planned is None or not (0 <= number < len(plan.plays) and plan.plays[number].later):
        raise ValueError("a play was planned that isn't to be planned when it opens")
    if any(step.play != number or not 0 <= step.batch < len(by.planned.batches) for step in by.steps):
        raise ValueError("what is added belongs to another play")
    plays = (*plan.plays[:number], by.planned, *plan.plays[number + 1 :])
    return replace(plan, plays=plays, steps=(*plan.steps, *by.steps), blocks=(*plan.blocks, *by.blocks))


def _check_numbers(plan: Plan, by: Growth) -> None:
    numbers = [step.index for step in by.steps], [block.index for block in by.blocks]
    following = range(len(plan.steps), len(plan.steps) + len(by.steps))
    if numbers != (list(following), list(range(len(plan.blocks), len(plan.blocks) + len(by.blocks)))):
        raise ValueError("what is added has numbers that don't follow those of the plan")


def _check_growth(plan: Plan, by: Growth) -> None:
    parent = by.parent
    _check_numbers(plan, by)
    if any(step.added_by != parent for step in by.steps) or not 0 <= parent < len(plan.steps):
        raise ValueError("what is added was added by no step, or by several")
    added = plan.steps[parent]
    if any((step.play, step.batch) != (added.play, added.batch) for step in by.steps):
        raise ValueError("what is added belongs to another batch")
    first = len(plan.plays[added.play].batches[added.batch].waves)
    if {step.wave for step in by.steps} != set(range(first, first + len(by.barriers))):
        raise ValueError("what is added has waves that don't follow those of the batch")


def _with_waves(batch: Batch, within: int, by: Growth) -> Batch:
    """The batch with the waves that were added within one of its own."""
    count = len(batch.waves)
    levels = batch.levels or tuple((wave,) for wave in range(count))
    around = levels[within]
    before = sum(len(level) == len(around) + 1 and level[: len(around)] == around for level in levels)
    waves: list[list[int]] = [[] for _ in by.barriers]
    for step in by.steps:
        waves[step.wave - count].append(step.index)
    return replace(
        batch,
        waves=(*batch.waves, *map(tuple, waves)),
        barriers=(*batch.barriers, *by.barriers),
        levels=(*levels, *((*around, before + number) for number in range(len(waves)))),
    )


def places_of(plan: Plan, inside: Inside | None) -> Sequence[Inside]:
    """The parts of blocks that contain something, the innermost first."""
    found: list[Inside] = []
    while inside is not None:
        found.append(inside)
        inside = plan.blocks[inside.block].inside
    return found
