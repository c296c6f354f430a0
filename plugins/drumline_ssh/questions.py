"""Answers to what a host asks at the login (keyboard-interactive): the password once, the rest at the terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drumline.plugin import Secret
from drumline.plugin.terminal import NoTerminal, ask_person
from drumline_ssh.login import Inquiry, LoginQuestion

#: Words of a question that no password answers.
_OF_CODES = re.compile(
    r"(?<![a-z])(?:(?:pass)?codes?|tokens?|otp|pin|factors?|challenge|verification)(?![a-z])|one[- ]time", re.IGNORECASE
)


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

    def _answer(self, inquiry: Inquiry, question: LoginQuestion) -> str:
        wants_password = not question.shown and not _OF_CODES.search(question.text)
        if wants_password and self._password is not None and not self.password_given:
            self.password_given = True
            return self._password.reveal()
        if wants_password and not (self.partial or self.password_given):
            raise NoAnswer(f"it asks '{_printable(question.text.strip())}', and ansible_password isn't set")
        return self._asked(inquiry, question)

    def _asked(self, inquiry: Inquiry, question: LoginQuestion) -> str:
        shown = _printable(question.text.strip())
        if self._batch:
            raise NoAnswer(f"it asks '{shown}', and BatchMode forbids to ask anyone")
        preface = [_printable(line.strip()) for line in (inquiry.title, inquiry.instructions) if line.strip()]
        try:
            return ask_person([*preface, f"{self._place} asks: {shown}"], hidden=not question.shown)
        except NoTerminal as error:
            raise NoAnswer(f"it asks '{shown}', and {error}") from None


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:500]
