"""Answers to what a host asks at the login (keyboard-interactive): the password once, the rest at the terminal."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from drumline.plugin import Secret
from drumline_ssh.login import Inquiry, Question

#: Words of a question that no password answers.
_OF_CODES = ("code", "token", "otp", "one-time", "one time", "verification", "passcode", "factor", "pin", "challenge")
_TERMINAL = "/dev/tty"
#: People are asked by one connection at a time.
_asking = threading.Lock()


class NoAnswer(Exception):
    """Nothing answers a question; which question, and why nothing does."""


class Answers:
    """What one login has to say."""

    def __init__(self, place: str, password: Secret | None, *, batch: bool) -> None:
        self.password_given = False  #: A host that refuses it once isn't given it again.
        self.partial = False  #: The host knows us already, and wants more.
        self._place = place
        self._password = password
        self._batch = batch

    def of(self, inquiry: Inquiry) -> Sequence[str]:
        """An answer to each question. Raises ``NoAnswer``."""
        return [self._answer(inquiry, question) for question in inquiry.questions]

    def _answer(self, inquiry: Inquiry, question: Question) -> str:
        text = question.text.lower()
        wants_password = not question.shown and not any(word in text for word in _OF_CODES)
        if wants_password and self._password is not None and not self.password_given:
            self.password_given = True
            return self._password.reveal()
        if wants_password and not (self.partial or self.password_given):
            raise NoAnswer(f"it asks '{_printable(question.text.strip())}', and ansible_password isn't set")
        return self._asked(inquiry, question)

    def _asked(self, inquiry: Inquiry, question: Question) -> str:
        shown = _printable(question.text.strip())
        if self._batch:
            raise NoAnswer(f"it asks '{shown}', and BatchMode forbids to ask anyone")
        preface = [line for line in (inquiry.title, inquiry.instructions) if line.strip()]
        lines = "".join(f"{_printable(line.strip())}\n" for line in preface)
        with _asking:
            return _ask(f"{lines}{self._place} asks: {shown} ", shown, hidden=not question.shown)


def _ask(text: str, question: str, *, hidden: bool) -> str:
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        raise NoAnswer(f"it asks '{question}', and there is no terminal to ask at") from None
    with os.fdopen(terminal, "r+b", buffering=0) as file:
        if os.tcgetpgrp(terminal) != os.getpgrp():
            raise NoAnswer(f"it asks '{question}', and drumline runs in the background of its terminal")
        return _read_answer(file, text, question, hidden=hidden)


def _read_answer(file: BinaryIO, text: str, question: str, *, hidden: bool) -> str:
    terminal = file.fileno()
    with _quiet(terminal, hidden=hidden):
        file.write(f"\r\n{text}".encode())
        line = _line(terminal)
        file.write(b"\r\n" if hidden else b"")
    if not line.endswith(b"\n"):
        raise NoAnswer(f"it asks '{question}', and the terminal was closed")
    return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def _line(terminal: int) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (part := os.read(terminal, 1024)):
        line += part
    return line


@contextlib.contextmanager
def _quiet(terminal: int, *, hidden: bool) -> Iterator[None]:
    """Lines as a person types them, shown or not."""
    import termios

    before = termios.tcgetattr(terminal)
    settings = termios.tcgetattr(terminal)
    settings[3] |= termios.ICANON
    settings[3] = settings[3] & ~termios.ECHO if hidden else settings[3] | termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, settings)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:500]
