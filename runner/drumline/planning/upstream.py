"""What must be over before a step starts."""

from __future__ import annotations

from drumline.model.plan import Plan, Step


def upstream(plan: Plan, step: Step) -> frozenset[int]:
    """Indices of all steps that the step waits for: through its needs, theirs, and whole plays that they need."""
    whole: dict[int, set[int]] = {}
    for other in plan.steps:
        whole.setdefault(other.play, set()).add(other.index)
    found: set[int] = set()
    waiting = [step]
    while waiting:
        needed: set[int] = set()
        for need in waiting.pop().needs:
            needed |= {need.step} if need.step is not None else whole.get(need.play or 0, set())
        waiting.extend(plan.steps[index] for index in needed - found)
        found |= needed
    return frozenset(found)
