"""Types of the fixtures that make plays, tasks and plans; their arguments are those of the dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from drumline.diagnostics import Diagnostic
from drumline.model.outcome import Result
from drumline.model.plan import Plan
from drumline.model.playbook import Play, Playbook, Task
from drumline.plugin.actions import Action, Call, Steps

MakeTask: TypeAlias = Callable[..., Task]
MakePlay: TypeAlias = Callable[..., Play]
MakePlan: TypeAlias = Callable[..., Plan]
#: Reads texts, each a file of its own.
ReadPlaybook: TypeAlias = Callable[..., Playbook]
#: What is wrong with texts, as ``(line:column, summary and detail)``, and the one thing that is.
Mistakes: TypeAlias = Callable[..., list[tuple[str, str]]]
Mistake: TypeAlias = Callable[..., tuple[str, str]]
#: What a step finds wrong with files.
MistakesOf: TypeAlias = Callable[[Callable[[], object]], Sequence[Diagnostic]]
Actions: TypeAlias = Mapping[str, Action]


def no_steps(_call: Call) -> Steps:
    """What an action does that does nothing."""
    yield from ()
    return Result()


def place(diagnostic: Diagnostic) -> str:
    """``line:column``; it must have one."""
    assert diagnostic.position is not None, diagnostic
    return f"{diagnostic.position.line}:{diagnostic.position.column}"
