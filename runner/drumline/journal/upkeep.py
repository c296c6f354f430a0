"""Keeps the journal small: which runs may go, by age, number and size. A run that goes on never does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from drumline.clock import SystemClock
from drumline.journal.keys import keys_in
from drumline.journal.processes import remove_left
from drumline.journal.store import Journal
from drumline.plugin.history import RunInfo

#: Where room is made by itself, so much of the limit stays in use: not each run is to remove another one.
_FILLED = 0.9
#: Seconds after which a key without a run belongs to none that is about to be entered.
_YOUNG = 3600


class Keeping(Struct, frozen=True, kw_only=True):
    """What is kept. A run that is beyond one of these limits may go."""

    seconds: float = math.inf  #: Runs that began no longer ago.
    runs: float = math.inf  #: How many of the newest.
    size: float = math.inf  #: The newest that together take up no more bytes.


def superfluous(runs: Sequence[RunInfo], weights: Mapping[int, int], keeping: Keeping, now: float) -> list[RunInfo]:
    """The runs that may go, oldest first. ``runs`` are all of them, newest first."""
    found, taken = [], 0
    for place, run in enumerate(runs):
        taken += weights.get(run.number, 0)
        beyond = now - run.started > keeping.seconds or place >= keeping.runs or taken > keeping.size
        if beyond and not run.alive:
            found.append(run)
    return found[::-1]


def prune(journal: Journal, keeping: Keeping) -> tuple[list[RunInfo], bool]:
    """Remove what may go. Returns it, and whether the file became smaller: not while another run writes to it."""
    runs = journal.runs()
    found = superfluous(runs, journal.weights(), keeping, SystemClock().wall())
    journal.remove([run.number for run in found])
    idle = not any(run.alive for run in runs)
    if found and idle:
        journal.shrink()
    _tidy(journal, runs)
    return found, idle


def make_room(journal: Journal, limit: float) -> list[RunInfo]:
    """Remove the oldest runs while the journal is larger than that; what becomes free is used again."""
    if journal.size() <= limit:
        return []
    found = superfluous(journal.runs(), journal.weights(), Keeping(size=limit * _FILLED), SystemClock().wall())
    journal.remove([run.number for run in found])
    return found


def _tidy(journal: Journal, runs: Sequence[RunInfo]) -> None:
    """Remove the claims that died runs have left, and the keys that nothing is to be read with any more."""
    directory = journal.path.parent
    with suppress(OSError):
        for path in (directory / "running").iterdir():
            if not any(run.alive and run.id == path.name for run in runs):
                remove_left(directory, path.name)
    with suppress(OSError):
        needed = {run.id for run in runs if run.exit_status != 0}
        ended = {run.id for run in runs} - needed
        for key in keys_in(directory):
            if key.run in ended or (key.run not in needed and key.age > _YOUNG):
                key.destroy()
