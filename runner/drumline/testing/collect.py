"""Running one command and keeping all that it says."""

from __future__ import annotations

from collections.abc import Callable

from drumline.model.outcome import Completed, Exit
from drumline.model.request import Run
from drumline.plugin.transports import Emit, Session, Staged, Stream


def collect(session: Session, request: Run, also: Emit | None = None) -> Completed:
    """Run the request and return all its output. ``also`` gets the output as it comes."""
    return _collect(lambda emit: session.run(request, emit), also)


def collect_staged(staged: Staged, also: Emit | None = None) -> Completed:
    """The same for a staged command that was released."""
    return _collect(staged.finish, also)


def _collect(carry_out: Callable[[Emit], Exit], also: Emit | None) -> Completed:
    said: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def emit(stream: Stream, data: bytes) -> None:
        said[stream] += data
        if also is not None:
            also(stream, data)

    exit_ = carry_out(emit)
    return Completed(code=exit_.code, stdout=bytes(said["stdout"]), stderr=bytes(said["stderr"]), ending=exit_.ending)
