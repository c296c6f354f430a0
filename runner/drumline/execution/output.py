"""The output of one command: a bounded part in memory, the rest in the journal, and how much that was."""

from __future__ import annotations

from collections.abc import Callable

from drumline.plugin.protocols import Stream
from drumline.secret import Secrets

#: Bytes of output that one job may hold in memory, both streams together (promise 5).
LIMIT = 1024 * 1024
#: What each command of a job may hold all the same: actions read answers of that size.
LEAST = 64 * 1024

#: Bytes held back at the end of what is written out, so that a secret that two pieces share is still masked.
_OVERLAP = 4096
_PIECE = 256 * 1024


class Output:
    """Takes output as it comes. ``keep(stream, data)`` is called for what doesn't fit, masked; None drops it."""

    def __init__(self, secrets: Secrets, keep: Callable[[Stream, bytes], None] | None, *, room: int = LIMIT) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.cut = 0
        self._secrets = secrets
        self._keep = keep
        self._room = room
        self._excess: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def emit(self, stream: Stream, data: bytes) -> None:
        """Take the next piece of a stream."""
        room = self._room - len(self.stdout) - len(self.stderr)
        held = self.stdout if stream == "stdout" else self.stderr
        if len(data) <= room:
            held += data
            return
        held += data[:room]
        self.cut += len(data) - room
        if self._keep:
            self._excess[stream] += data[room:]
            if len(self._excess[stream]) >= _PIECE + _OVERLAP:
                self._write(stream, _PIECE)

    def finish(self) -> None:
        """The command is over: write what was held back."""
        for stream, excess in self._excess.items():
            if excess:
                self._write(stream, len(excess))

    def _write(self, stream: Stream, size: int) -> None:
        assert self._keep is not None
        excess = self._excess[stream]
        text = self._secrets.mask(bytes(excess).decode(errors="surrogateescape"))
        if size < len(excess):
            # What is held back is masked again with what follows it; a mask in it stays one.
            raw = text.encode(errors="surrogateescape")
            piece, rest = raw[:-_OVERLAP], raw[-_OVERLAP:]
        else:
            piece, rest = text.encode(errors="surrogateescape"), b""
        self._keep(stream, piece)
        self._excess[stream] = bytearray(rest)
