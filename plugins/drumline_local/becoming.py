"""Commands of another user on this machine."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from functools import partial

from drumline.plugin import Become, Emit, Ending, HostError, Stream
from drumline.plugin.becoming import PATIENCE, Dialogue, NeedsTerminal
from drumline_local.process import Process
from drumline_local.terminal import Terminal

_HERE = "this machine"
#: Seconds for processes of another user to be killed.
_KILL_PATIENCE = 20.0

#: Starts a process.
Begin = Callable[..., Process]


def begin_as(become: Become, script: str, deadline: float | None, emit: Emit, begin: Begin) -> Process:
    """A process that has become another user and read its script. Raises ``CommandRefused``.

    ``Process.early`` says that its time was up, or that it was interrupted, before that.
    """
    text = script.encode(errors="surrogateescape")
    then = f'eval "$(dd bs=1 count={len(text)} 2>/dev/null)"'
    terminal = Dialogue(become, _HERE).wants_terminal
    while True:
        talk = _Talk(Dialogue(become, _HERE, then=then, terminal=terminal))
        at = Terminal(talk.at_terminal) if terminal else None
        process = begin(talk.dialogue.script, terminal=at, kill_foreign=_leave)
        try:
            talk.hold(process, deadline)
        except NeedsTerminal:
            process.close()
            terminal = True
            continue
        if process.early is None:
            process.kill_foreign = partial(_kill_as, become)
            process.limit(deadline)
            process.lead(talk.dialogue.word + text, emit)
        return process


def _leave(_pids: list[int]) -> None:
    """What waits for a password belongs to root, and ends by itself if none comes."""


def _kill_as(become: Become, pids: list[int]) -> None:
    """Kill processes as the user to whom they belong."""
    script = f"kill -KILL {shlex.join(map(str, pids))} 2>/dev/null"
    deadline = time.monotonic() + _KILL_PATIENCE
    begun: list[Process] = []

    def begin(text: str, *, terminal: Terminal | None, **_more: object) -> Process:
        begun.append(Process(text, terminal=terminal))
        return begun[-1]

    try:
        process = begin_as(become, script, deadline, lambda *_: None, begin)
        if process.early is None:
            process.feed(b"")
            process.communicate(lambda *_: None)
    except HostError:
        pass  # they outlive it, and are waited for
    finally:
        for process in begun:
            process.close()


class _Talk:
    """Holds the dialogue with a process."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self._there = False
        self._process: Process | None = None

    def hold(self, process: Process, deadline: float | None) -> None:
        """Return when the other user's shell is there, or too early. Raises ``CommandRefused``."""
        self._process = process
        late = time.monotonic() + PATIENCE
        process.limit(late if deadline is None else min(late, deadline))
        exit_ = process.communicate_until(lambda: self._there, self._take)
        if exit_ is None or self._there:
            return
        if exit_.ending is Ending.EXITED:
            raise self.dialogue.ended()
        if exit_.ending is Ending.TIMED_OUT and time.monotonic() >= late:
            raise self.dialogue.late()
        process.early = exit_

    def _take(self, stream: Stream, data: bytes) -> None:
        answer = self.dialogue.take(stream, data)
        if answer is None:
            self._there = True
        elif answer and self._process is not None:
            self._process.say(answer)

    def at_terminal(self, data: bytes) -> bytes:
        """What to type."""
        return self.dialogue.take("terminal", data) or b""
