"""The output of one command: a bounded part in memory, the rest in the journal, and how much that was."""

from __future__ import annotations

import math
from collections.abc import Callable

from drumline.masking import Secrets, StreamMask
from drumline.plugin.protocols import Stream

#: Bytes of output that one job may hold in memory, both streams together (promise 5).
LIMIT = 1024 * 1024
#: What each command of a job may hold all the same: actions read answers of that size.
LEAST = 64 * 1024

#: Bytes of one stream that are written to the journal at once.
_PIECE = 256 * 1024

#: Keeps a piece of a stream; False when there was no room for it.
Keep = Callable[[Stream, bytes], bool]


class Output:
    """Takes output as it comes. ``keep(stream, data)`` is called for what doesn't fit, masked; None drops it.

    Of one command ``limit`` bytes are kept, in memory and by ``keep`` together: a command may write for ever. ``keep``
    says whether it had room. What is kept nowhere is counted in ``lost``; the command goes on.

    What is held in memory is in clear, for the action and for ``register``, and is masked wherever it is shown. So it
    ends where no secret is cut in two: one that stands across the limit goes to the journal as a whole.
    """

    def __init__(self, secrets: Secrets, keep: Keep | None, *, room: int = LIMIT, limit: float = math.inf) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.cut = 0  #: Bytes that aren't in memory.
        self.lost = 0  #: Those of them that are kept nowhere.
        self._left = limit
        self._secrets = secrets
        self._keep = keep
        self._room: int = room
        self._excess: dict[Stream, _Excess] = {}

    def emit(self, stream: Stream, data: bytes) -> None:
        """Take the next piece of a stream."""
        if len(data) > self._left:
            beyond = len(data) - int(self._left)
            self.cut += beyond
            self.lost += beyond if self._keep else 0
            data = data[: int(self._left)]
        self._left -= len(data)
        held = self.stdout if stream == "stdout" else self.stderr
        if len(data) <= self._room:
            self._room -= len(data)
            held += data
            return
        held += data[: self._room]
        self.cut += len(data) - self._room
        if self._keep:
            if stream not in self._excess:
                self._excess[stream] = _Excess(self._secrets, held)
            self._write(stream, self._excess[stream].feed(data[self._room :]))
        self._room = 0

    def finish(self) -> None:
        """The command has ended: write what was held back."""
        for stream, excess in self._excess.items():
            self._write(stream, excess.finish())
            self.cut += excess.taken

    def _write(self, stream: Stream, data: bytes) -> None:
        if data and self._keep and not self._keep(stream, data):
            self.lost += len(data)


class _Excess:
    """What of one stream doesn't fit into memory. Gathers it to pieces, and gives them masked."""

    def __init__(self, secrets: Secrets, held: bytearray) -> None:
        """``held`` is what is in memory; a secret that only begins there is taken out of it."""
        self.taken = 0  #: Bytes that were taken out of what is held in memory.
        self._secrets = secrets
        self._held = held
        self._begun = False
        self._gathered = bytearray()
        self._mask = StreamMask(secrets)

    def feed(self, data: bytes) -> bytes:
        self._gathered += data
        return self._give() if len(self._gathered) >= _PIECE + 2 * self._secrets.longest else b""

    def finish(self) -> bytes:
        return self._give() + self._mask.finish()

    def _give(self) -> bytes:
        if not self._begun:
            self._begun = True
            self._take_back_a_secret()
        given, self._gathered = bytes(self._gathered), bytearray()
        return self._mask.feed(given)

    def _take_back_a_secret(self) -> None:
        """Of a secret across the limit its first part is taken out of memory, so that it is masked as a whole."""
        reach = 2 * self._secrets.longest
        end = bytes(self._held[-reach:]) if reach else b""
        spans = self._secrets.find(end + bytes(self._gathered[:reach]))
        self.taken = next((len(end) - start for start, stop in spans if start < len(end) < stop), 0)
        if self.taken:
            self._gathered[:0] = self._held[-self.taken :]
            del self._held[-self.taken :]
