"""Asks people at the terminal. Keys are read one by one, so that the typed text appears among the live lines."""

from __future__ import annotations

import codecs
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from drumline.execution.approvals import Reply, whoami
from drumline.model.event import ApprovalRequested
from drumline.model.plan import Plan
from drumline.plugin.terminal import is_free
from drumline.reporting.lines import Line, Part, task_name

_YES, _NO = frozenset({"y", "yes"}), frozenset({"", "n", "no"})
_LONGEST = 20
#: The most characters of an answer that isn't yes or no.
_LONGEST_TEXT = 1000


class TerminalPrompt:
    """A source of answers (:class:`drumline.execution.approvals.Source`): one question at a time, the oldest first.

    While a question is open, the terminal doesn't echo keys; Ctrl-C still sends a signal. What was typed before the
    question appeared is discarded, since it can't be an answer. Nothing is read in the background.
    """

    def __init__(self, plan: Plan, terminal: int) -> None:
        """``terminal`` is the file descriptor that is read."""
        self.redraw: Callable[[], None] = lambda: None  #: Called when the display has to change.
        self._plan = plan
        self._terminal = terminal
        self._lock = threading.Lock()
        self._questions: list[ApprovalRequested] = []
        self._withdrawn: list[ApprovalRequested] = []  # before they were asked
        self._typed = ""
        self._hint = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._before: list[Any] | None = None  # the terminal's original settings; None: unchanged
        self._closed = False

    def grow(self, plan: Plan) -> None:
        """Something was added to the plan."""
        self._plan = plan

    def put(self, question: ApprovalRequested) -> None:
        """People have seen the question: from now on they may answer."""
        with self._lock:
            if question in self._withdrawn:
                self._withdrawn.remove(question)
            else:
                self._questions.append(question)

    def look(self, question: ApprovalRequested) -> Reply | None:
        """Read what was typed since; returns the answer once a line is one."""
        with self._lock:
            if self._closed or self._questions[:1] != [question] or not self._in_foreground() or not is_free():
                return None
            fresh = self._take_keys_over()
            keys = self._read()
            answer = self._type(keys, question)
        if fresh or keys:
            self.redraw()
        return answer

    def withdraw(self, question: ApprovalRequested) -> None:
        """Ask the next question, or restore the terminal."""
        with self._lock:
            if question not in self._questions:
                self._withdrawn.append(question)
                return
            if self._questions[0] == question:
                self._give_keys_back()
            self._questions.remove(question)

    def close(self) -> None:
        """Restore the terminal, whatever questions are still open."""
        with self._lock:
            self._closed = True
            self._give_keys_back()

    def line(self) -> Line | None:
        """The last line of all; None if nothing is asked here."""
        before, questions = self._before, self._questions  # without the lock: it may be drawn while keys are read
        if before is None or not questions:
            return None
        name = task_name(self._plan.steps[questions[0].job.step])
        asked = questions[0].prompt or ("press Enter to go on" if questions[0].enter else "approve? [y/N]")
        typed = self._typed if questions[0].echo else ""
        return [Part(f"{name}: {asked} ", "bold yellow"), Part(f"{typed}▏"), Part(self._hint, "dim")]

    # The terminal.

    def _in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._terminal) == os.getpgrp()
        except OSError:  # the terminal hung up
            return False

    def _take_keys_over(self) -> bool:
        """Receive every key at once, without echo; again after the program was suspended and continued."""
        import termios

        settings = termios.tcgetattr(self._terminal)
        if not settings[3] & (termios.ECHO | termios.ICANON):
            return False
        self._before = self._before or settings.copy()
        self._typed = self._hint = ""
        settings[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self._terminal, termios.TCSAFLUSH, settings)
        return True

    def _give_keys_back(self) -> None:
        import termios

        if self._before is not None:
            with suppress(termios.error):  # the terminal hung up
                termios.tcsetattr(self._terminal, termios.TCSAFLUSH, self._before)
            self._before = None

    # Keys.

    def _read(self) -> str:
        keys = ""
        while select.select([self._terminal], [], [], 0)[0]:
            data = os.read(self._terminal, 1024)
            if not data:
                self._closed = True  # no one is there any more
                break
            keys += self._decoder.decode(data)
        return "" if keys.startswith("\x1b") else keys  # an arrow, or the like

    def _type(self, keys: str, question: ApprovalRequested) -> Reply | None:
        longest = _LONGEST_TEXT if question.enter else _LONGEST
        for key in keys:
            if key in "\r\n":
                answer = self._answer(question)
                if answer is not None:
                    return answer
            elif key in "\x7f\b":
                self._typed = self._typed[:-1]
            elif key == "\x15":
                self._typed = ""
            elif key.isprintable():
                self._typed = (self._typed + key)[:longest]
        return None

    def _answer(self, question: ApprovalRequested) -> Reply | None:
        if question.enter:
            text, self._typed = self._typed, ""
            return Reply(approved=True, by=whoami(), comment=text)
        word, self._typed = self._typed.strip().lower(), ""
        if word in _YES | _NO:
            return Reply(approved=word in _YES, by=whoami())
        self._hint = "  type y to approve, n to reject"
        return None


def terminal_prompt(plan: Plan, keyboard: Any) -> TerminalPrompt | None:
    """A prompt on this file, if it is a terminal that can be asked at."""
    try:
        import termios  # noqa: F401 - not on Windows
    except ImportError:
        return None
    try:
        return TerminalPrompt(plan, keyboard.fileno()) if keyboard is not None and keyboard.isatty() else None
    except (OSError, ValueError):  # it was closed
        return None
