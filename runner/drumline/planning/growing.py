"""What jobs add to a plan, with its numbers: steps, waves and blocks that follow those that are there. Pure.

What the items of a loop add follows one another, in a block each. Whatever is added stands in the block of the step
that adds it, so that the rescue of that block is theirs too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from drumline.loading.ids import added_id
from drumline.model.plan import Block, Growth, Inside, Need, Plan, Step
from drumline.model.playbook import Barrier, BlockPart


def growth_of(plan: Plan, parent: Step, parts: Sequence[Plan]) -> Growth:
    """What a step's jobs add to the plan: ``parts``, one after the other, each planned by itself."""
    grown = _Growing(plan, parent)
    found = [part for part in parts if part.steps]
    for number, part in enumerate(found):
        grown.add(part, alone=len(found) == 1, after=number > 0)
    return Growth(
        steps=tuple(grown.steps),
        barriers=tuple(grown.barriers),
        blocks=tuple(grown.blocks),
        added_by=None if found else parent.index,
    )


class _Growing:
    """Gathers parts."""

    def __init__(self, plan: Plan, parent: Step) -> None:
        self.steps: list[Step] = []
        self.barriers: list[Barrier] = []
        self.blocks: list[Block] = []
        self._parent = parent
        self._first_step = len(plan.steps)
        self._first_block = len(plan.blocks)
        self._first_wave = len(plan.plays[parent.play].batches[parent.batch].waves)
        self._last: int | None = None  # the block of the part before

    def add(self, part: Plan, *, alone: bool, after: bool) -> None:
        """Add a part, in a block of its own unless it is alone."""
        around = self._parent.inside
        before = self._last if after else None
        if not alone:
            self._last = self._first_block + len(self.blocks)
            self.blocks.append(Block(index=self._last, id=self._parent.task.id, play=self._parent.play, inside=around))
            around = Inside(self._last, BlockPart.TASKS)
        step, block = self._first_step + len(self.steps), self._first_block + len(self.blocks)
        wave = self._first_wave + len(self.barriers)

        def moved(inside: Inside | None) -> Inside | None:
            return around if inside is None else Inside(block + inside.block, inside.part)

        for one in part.blocks:
            named = added_id(self._parent.task.id, one.id)
            place = moved(one.inside)
            self.blocks.append(replace(one, index=block + one.index, id=named, play=self._parent.play, inside=place))
        for each in part.steps:
            task = replace(each.task, id=added_id(self._parent.task.id, each.task.id), within=None)
            self.steps.append(
                replace(
                    each,
                    index=step + each.index,
                    task=task,
                    play=self._parent.play,
                    batch=self._parent.batch,
                    wave=wave + each.wave,
                    needs=_moved_needs(each.needs, step, block, before),
                    inside=moved(each.inside),
                    added_by=self._parent.index,
                )
            )
        [batch] = part.plays[0].batches
        self.barriers += batch.barriers


def _moved_needs(needs: Sequence[Need], step: int, block: int, before: int | None) -> tuple[Need, ...]:
    """The needs with the numbers that they have in the whole plan; what needs nothing comes after the part before."""
    if not needs and before is not None:
        return (Need(block=before),)
    return tuple(
        Need(
            step=None if need.step is None else step + need.step,
            block=None if need.block is None else block + need.block,
        )
        for need in needs
    )


def opened_play(plan: Plan, fresh: Plan, number: int) -> Growth:
    """A play that opens, as it stands in a plan that was made ``fresh``, with the numbers that follow in this one."""
    steps = [step for step in fresh.steps if step.play == number]
    blocks = [block for block in fresh.blocks if block.play == number]
    step_at = {step.index: len(plan.steps) + place for place, step in enumerate(steps)}
    block_at = {block.index: len(plan.blocks) + place for place, block in enumerate(blocks)}

    def inside(place: Inside | None) -> Inside | None:
        return None if place is None else Inside(block_at[place.block], place.part)

    def needs(need: Need) -> list[Need]:
        if need.step is not None:
            known = fresh.steps[need.step]
            return [Need(step=index) for index in _same_steps(plan, known, step_at)]
        if need.block is not None:
            other = fresh.blocks[need.block]
            return [Need(block=index) for index in _same_blocks(plan, other, block_at)]
        return [need]

    planned = fresh.plays[number]
    batches = tuple(
        replace(batch, waves=tuple(tuple(step_at[index] for index in wave) for wave in batch.waves))
        for batch in planned.batches
    )
    return Growth(
        steps=tuple(
            replace(
                step,
                index=step_at[step.index],
                needs=tuple(dict.fromkeys(found for need in step.needs for found in needs(need))),
                inside=inside(step.inside),
            )
            for step in steps
        ),
        blocks=tuple(replace(block, index=block_at[block.index], inside=inside(block.inside)) for block in blocks),
        opened=number,
        planned=replace(planned, batches=batches, later=True),
    )


def _same_steps(plan: Plan, step: Step, own: Mapping[int, int]) -> list[int]:
    """The numbers of a step of a fresh plan: its own if it is of the play that opens, else those of its task."""
    if step.index in own:
        return [own[step.index]]
    return [one.index for one in plan.steps if (one.play, one.task.id) == (step.play, step.task.id)]


def _same_blocks(plan: Plan, block: Block, own: Mapping[int, int]) -> list[int]:
    if block.index in own:
        return [own[block.index]]
    return [one.index for one in plan.blocks if (one.play, one.id) == (block.play, block.id)]
