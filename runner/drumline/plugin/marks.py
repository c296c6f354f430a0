"""Marks in a command's output: lines that no command can have written, since each holds a new random word."""

from __future__ import annotations

import os

#: Bytes of a mark with what follows it on its line: a few numbers.
_LONGEST = 1000


def nonce() -> str:
    """A word that no output holds."""
    return os.urandom(12).hex()


def mark(word: str) -> bytes:
    """What a line begins with that is no output: in a format of ``printf``, ``\\036`` and the word."""
    return b"\x1e" + word.encode()


class Tail:
    """Looks for the mark at the end of one stream, however the stream is cut into pieces."""

    __slots__ = ("_held", "_mark", "answer", "rest")

    def __init__(self, word: str) -> None:
        self._mark = mark(word)
        self._held = b""
        self.answer: bytes | None = None  #: What stood between the mark and its newline; None until it was seen.
        self.rest = b""  #: What came after it.

    def feed(self, data: bytes) -> bytes:
        """The part of the stream that is output for certain."""
        if self.answer is not None:
            self.rest += data
            return b""
        data = self._held + data
        at = data.find(self._mark)
        if at < 0:
            at = len(data) - self._beginning(data)
        else:
            end = data.find(b"\n", at)
            if end >= 0:
                self.answer = data[at + len(self._mark) : end].strip()
                self.rest = data[end + 1 :]
                self._held = b""
                return data[:at]
        if len(data) - at > _LONGEST:
            at = len(data)  # no answer of a shell: it need not be kept
        self._held = data[at:]
        return data[:at]

    def flush(self) -> bytes:
        """What was held back in case it was a mark, once nothing more will come."""
        held, self._held = self._held, b""
        return held

    def _beginning(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a mark."""
        at = data.rfind(b"\x1e", max(0, len(data) - len(self._mark)))
        return len(data) - at if at >= 0 and self._mark.startswith(data[at:]) else 0
