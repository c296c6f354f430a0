"""A run that is scheduled, and the line by which its files are recognised."""

from __future__ import annotations

import re
import shlex

import msgspec
from msgspec import Struct

from drumline.scheduling.moments import Times

#: In each file, followed by a :class:`Summary` as JSON, in which no dash or bracket disturbs the files' own syntax.
_MARK = "drumline schedule: "


class ScheduledRun(Struct, frozen=True, kw_only=True):
    """What is run when."""

    name: str
    words: tuple[str, ...]  #: The command line: the program, ``run`` and the rest.
    directory: str  #: Where it runs.
    times: Times
    system: bool = False  #: Of the machine, not of a user.
    user: str = ""  #: Who runs it, if it is of the machine and that isn't root.
    lock: str = ""  #: A file, for schedulers that would start a run while the one before still goes on.


class Summary(Struct, frozen=True, kw_only=True):
    """What a list shows of a scheduled run."""

    name: str
    when: str
    command: str
    directory: str


def mark(run: ScheduledRun) -> str:
    """The line that says what a file is, without what comments of its syntax begin with."""
    command = shlex.join(["drumline", *run.words[1:]])
    summary = Summary(name=run.name, when=run.times.text, command=command, directory=run.directory)
    return _MARK + msgspec.json.encode(summary).decode()


def marked(text: str) -> Summary | None:
    """The summary in a file, if drumline wrote it."""
    found = re.search(rf"{_MARK}(\{{.*\}})", text)
    if found is None:
        return None
    try:
        return msgspec.json.decode(found[1], type=Summary)
    except msgspec.DecodeError:
        return None
