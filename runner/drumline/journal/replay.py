"""A run's state from its journal (promise 1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from drumline.engine.state import RunState
from drumline.journal.store import Journal
from drumline.model.event import Event, Input
from drumline.model.plan import Plan
from drumline.plugin.history import RunInfo

#: The events that change a state; the others are what the state made of them.
INPUTS = get_args(Input)


def replay_run(journal: Journal, run: RunInfo) -> RunState:
    """The state of a run after all that the journal knows of it."""
    return replay(journal.plan(run), journal.events(run), forks=run.forks, sessions=run.sessions)


def replay(plan: Plan, events: Iterable[Event], *, forks: int, sessions: int) -> RunState:
    """The state after these events; instructions are not performed."""
    state = RunState(plan, forks=forks, sessions=sessions)
    for event in events:
        if isinstance(event, INPUTS):
            state.handle(event)
    return state
