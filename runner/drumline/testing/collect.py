"""Carrying out one command in a session and keeping all that it says."""

from __future__ import annotations

from drumline.model.outcome import Completed
from drumline.model.request import Run
from drumline.plugin.protocols import Emit, Session, Stream


def collect(session: Session, request: Run, also: Emit | None = None) -> Completed:
    """Run the request and return everything that it said. ``also`` is told the output as it comes."""
    said: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def emit(stream: Stream, data: bytes) -> None:
        said[stream] += data
        if also is not None:
            also(stream, data)

    exit_ = session.run(request, emit)
    return Completed(code=exit_.code, stdout=bytes(said["stdout"]), stderr=bytes(said["stderr"]), ending=exit_.ending)
