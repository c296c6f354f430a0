"""How a run stood when its process died: its state, and all that its hosts had gained."""

from __future__ import annotations

import sqlite3
from typing import cast, get_args

from msgspec import Struct

from drumline.engine.policy import FAILURE
from drumline.engine.state import RunState
from drumline.errors import UsageError
from drumline.journal.codec import Damaged
from drumline.journal.keys import RunKey
from drumline.journal.places import check_event, grown
from drumline.journal.reading import Reader
from drumline.masking import Secrets
from drumline.model.event import Event, Input, JobsStarted, PlanGrown
from drumline.model.plan import Job, Plan
from drumline.plugin.history import RunInfo
from drumline.plugin.runs import JobReport

#: The events that change a state; the others are what the state made of them.
_INPUTS = get_args(Input)


class Reopened(Struct, frozen=True, kw_only=True):
    """A run, as it stood after its last event."""

    plan: Plan  #: With its secrets.
    state: RunState
    #: What variables, results and the hosts that are left follow from, in order (:meth:`.RunContext.take_up`).
    happened: list[JobReport | Event]
    #: The jobs that were running, and when they were sent: what came of them is unknown. None: nothing had begun.
    lost: dict[Job, float] | None
    events: int  #: How many there are.


def read_back(reader: Reader, run: RunInfo, key: RunKey, secrets: Secrets) -> Reopened:
    """Read a run back; ``secrets`` gets those that it knew. Raises ``UsageError`` where anything can't be read."""

    def opened(token: bytes) -> bytes:
        try:
            return key.open(token)
        except LookupError as error:
            raise UsageError("The secrets of this run can't be read", f"{error}. Start it again instead.") from None

    try:
        plan = reader.whole_plan(run, opened)
        state = RunState(plan, forks=run.forks, sessions=run.sessions)
        happened: list[JobReport | Event] = []
        started: dict[Job, float] = {}
        events = 0
        for item in reader.everything(run, secrets, opened):
            events += 1
            event = item.event if isinstance(item, JobReport) else item
            check_event(event, state.plan)
            if isinstance(event, PlanGrown):
                grown(state.plan, event)
            if isinstance(event, _INPUTS):
                state.handle(cast(Input, event))
            if isinstance(event, JobsStarted):
                started.update(dict.fromkeys(event.jobs, event.at))
            if _counts(item):
                happened.append(item)
    except (sqlite3.Error, Damaged) as error:
        detail = f"Run {run.number} in {reader.path} is damaged: {error}. Start it again instead."
        raise UsageError("The run can't go on", detail) from error
    lost = {job: started[job] for job in (*state.running, *state.awaited)} if events else None
    return Reopened(plan=plan, state=state, happened=happened, lost=lost, events=events)


def _counts(item: JobReport | Event) -> bool:
    """Most jobs leave nothing: of ten thousand hosts their reports would be more than memory holds."""
    return not isinstance(item, JobReport) or item.leaves or item.event.status in FAILURE
