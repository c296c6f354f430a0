"""The output of one command: a bounded part in memory, the rest in the journal, and how much there was."""

from __future__ import annotations

import math
from collections.abc import Callable

from drumline.masking import Secrets, StreamMask
from drumline.plugin.transports import Stream

#: The most bytes of output that one job may hold in memory, for both streams together (promise 5).
LIMIT = 1024 * 1024
#: What each command of a job may always hold, since actions read answers of this size.
LEAST = 64 * 1024

#: How many bytes of one stream are written to the journal at once.
_PIECE = 256 * 1024

#: Keeps a piece of a stream: the beginning, which is also in memory, or what follows it. Returns False if there was no
#: room for it: ``keep(stream, data, beginning)``.
Keep = Callable[[Stream, bytes, bool], bool]


class Output:
    """Collects output. What doesn't fit is masked and passed to ``keep``; without that, it is dropped. ``keep``
    also gets the beginning of a stream that isn't UTF-8, since a result holds text in which such bytes are replaced.

    At most ``limit`` bytes of one command are kept, in memory and by ``keep`` together, since a command may write for
    ever. ``keep`` returns whether it had room. Output that isn't kept is counted in ``lost``; the command goes on.

    Output in memory is in clear, for the action and ``register``, and is masked wherever it is shown. So it must not
    end within a secret: one that crosses the limit goes to the journal as a whole.
    """

    def __init__(self, secrets: Secrets, keep: Keep | None, *, room: int = LIMIT, limit: float = math.inf) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.cut = 0  #: Bytes that aren't in memory.
        self.lost = 0  #: Those of them that weren't kept at all.
        self.kept = False  #: Whether ``keep`` had room for anything.
        self._left = limit
        self._secrets = secrets
        self._keep = keep
        self._room: int = room
        self._excess: dict[Stream, _Excess] = {}

    def emit(self, stream: Stream, data: bytes) -> None:
        """Add the next piece of a stream."""
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
            self._excess[stream].feed(data[self._room :])
            self._write(stream)
        self._room = 0

    def finish(self) -> None:
        """The command has ended: write what was held back."""
        if not self._keep or (not self._excess and self.stdout.isascii() and self.stderr.isascii()):
            return
        held: dict[Stream, bytearray] = {"stdout": self.stdout, "stderr": self.stderr}
        for stream, beginning in held.items():
            excess = self._excess.get(stream)
            if excess is None:
                if _is_utf8(beginning):
                    continue
                excess = self._excess[stream] = _Excess(self._secrets, beginning)
            excess.finish()
            self._write(stream)
            self.cut += excess.taken

    def _write(self, stream: Stream) -> None:
        """Pass on what is ready of a stream."""
        assert self._keep is not None
        excess = self._excess[stream]
        if excess.beginning:
            self.kept |= self._keep(stream, excess.beginning, True)
            excess.beginning = b""
        if excess.ready:
            kept = self._keep(stream, excess.ready, False)
            self.kept |= kept
            self.lost += 0 if kept else len(excess.ready)
            excess.ready = b""


class _Excess:
    """The part of one stream that doesn't fit in memory, collected into masked pieces."""

    def __init__(self, secrets: Secrets, held: bytearray) -> None:
        """``held`` is what is in memory; the start of a secret at its end is removed from it."""
        self.taken = 0  #: Bytes that were removed from memory.
        self.beginning = b""  #: What is in memory, masked, if it isn't UTF-8.
        self.ready = b""  #: What can be written, masked.
        self._secrets = secrets
        self._held = held
        self._begun = False
        self._gathered = bytearray()
        self._mask = StreamMask(secrets)

    def feed(self, data: bytes) -> None:
        self._gathered += data
        if len(self._gathered) >= _PIECE + 2 * self._secrets.longest:
            self._give()

    def finish(self) -> None:
        self._give()
        self.ready += self._mask.finish()

    def _give(self) -> None:
        if not self._begun:
            self._begun = True
            if self._gathered:
                self._take_back_a_secret()
            if not _is_utf8(self._held):
                self.beginning = self._secrets.mask_bytes(bytes(self._held))
        self.ready += self._mask.feed(bytes(self._gathered))
        self._gathered = bytearray()

    def _take_back_a_secret(self) -> None:
        """Remove the first part of a secret that crosses the limit from memory, so that it is masked as a whole."""
        reach = 2 * self._secrets.longest
        end = bytes(self._held[-reach:]) if reach else b""
        spans = self._secrets.find(end + bytes(self._gathered[:reach]))
        self.taken = next((len(end) - start for start, stop in spans if start < len(end) < stop), 0)
        if self.taken:
            self._gathered[:0] = self._held[-self.taken :]
            del self._held[-self.taken :]


def _is_utf8(data: bytearray) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
