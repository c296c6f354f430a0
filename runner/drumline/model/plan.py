"""The whole run before it starts: steps, waves, batches, blocks.

A **step** is one task in one batch of its play; waves consist of steps. A **job** is one step on one host. Steps
refer to each other by their index in ``Plan.steps``, so that ten thousand hosts cost one tuple, not a graph of jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

from drumline.model.playbook import Barrier, Play, Playbook, Task


class Job(NamedTuple):
    """One task on one host, in one batch: the unit that is scheduled, journalled, retried and reported."""

    step: int  #: Index in ``Plan.steps``.
    host: str


class Need(NamedTuple):
    """What a step waits for: another step, a whole play, or a whole block. The other fields are None."""

    step: int | None = None
    play: int | None = None
    block: int | None = None


class BlockPart(IntEnum):
    """The parts of a block, which follow one another on each host."""

    TASKS = 0
    RESCUE = 1  #: Runs on hosts on which a job of the tasks failed.
    ALWAYS = 2  #: Runs on hosts on which the block began.


class Inside(NamedTuple):
    """The block, and the part of it, that contains something."""

    block: int  #: Index in ``Plan.blocks``.
    part: BlockPart


class Block(Struct, frozen=True, kw_only=True, gc=False):
    """A block in one batch. Steps and blocks themselves say which block contains them."""

    index: int
    inside: Inside | None = None  #: The part of another block that contains it.


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


class Batch(Struct, frozen=True, kw_only=True, gc=False):
    """The hosts that go through the play together, and the steps of each wave (indices, in the file's order)."""

    hosts: tuple[str, ...]
    waves: tuple[tuple[int, ...], ...] = ()
    barriers: tuple[Barrier, ...] = ()  #: One for each wave.
    canary: bool = False  #: If anything in it fails, the play stops after it.


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


class Plan(Struct, frozen=True, kw_only=True, gc=False):
    """Everything known so far. ``steps[i].index == i``, ``blocks[i].index == i``."""

    playbook: Playbook
    plays: tuple[PlannedPlay, ...] = ()
    steps: tuple[Step, ...] = ()
    blocks: tuple[Block, ...] = ()


def places_of(plan: Plan, inside: Inside | None) -> Sequence[Inside]:
    """The parts of blocks that contain something, the innermost first."""
    found: list[Inside] = []
    while inside is not None:
        found.append(inside)
        inside = plan.blocks[inside.block].inside
    return found
