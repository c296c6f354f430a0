"""A command that waits on this machine for the go signal."""

from __future__ import annotations

import time
from contextlib import ExitStack

from drumline.plugin import CommandRefused, Emit, Ending, Exit, Run
from drumline.plugin.staging import CANCEL_PATIENCE, NEVER, READY_PATIENCE, Remarks, release_word
from drumline_local.process import Process


class LocalStaged:
    """See :class:`drumline.plugin.Staged`. ``use`` is left when it has ended."""

    def __init__(self, process: Process, request: Run, remarks: Remarks) -> None:
        self.use = ExitStack()
        self._process = process
        self._request = request
        self._remarks = remarks
        self._released = False
        self._exit: Exit | None = None  # when it has ended

    @property
    def started(self) -> float | None:
        """See :class:`drumline.plugin.Staged`."""
        return self._remarks.began

    def wait_until_ready(self) -> None:
        """Return when it waits, or was interrupted; raise when it can't be staged."""
        remarks = self._remarks
        self._process.limit(time.monotonic() + READY_PATIENCE)
        reached = lambda: remarks.over or remarks.ready is not None  # noqa: E731
        self._exit = self._process.early or self._process.communicate_until(reached, remarks.take)
        if self._exit is None and remarks.over:
            self._give_up()
        if self._exit is None or self._exit.ending is Ending.INTERRUPTED:
            return
        if self._exit.ending is Ending.TIMED_OUT:
            raise self._refused(f"It was not ready to start after {READY_PATIENCE:g} s")
        raise self._refused(f"It ended with exit code {self._exit.code} before it was to start")

    def check(self) -> None:
        """See :class:`drumline.plugin.Staged`."""
        if self._exit is None and (self._process.over(self._remarks.take) or self._remarks.over):
            raise self._refused("It has ended, or was killed, while it waited for the go signal")

    def release(self, at: float | None = None) -> None:
        """See :class:`drumline.plugin.Staged`."""
        if self._exit is not None or self._process.interrupted:
            return
        self._released = True
        self._process.say(release_word(at))
        self._process.limit(self._deadline(at))

    def finish(self, emit: Emit) -> Exit:
        """See :class:`drumline.plugin.Staged`."""
        with self.use:
            self._remarks.pass_on(emit)
            if self._exit is None:
                self._process.feed(self._request.stdin if self._released else b"")
                self._exit = self._process.communicate(self._remarks.take)
                if self._process.interrupted and not self._released:
                    # It may have ended by itself, since its input did, before it could be ended.
                    self._exit = Exit(code=None, ending=Ending.INTERRUPTED)
            self._remarks.flush()
            return self._exit

    def cancel(self) -> None:
        """See :class:`drumline.plugin.Staged`."""
        with self.use:
            if self._exit is None:
                self._give_up()

    def _deadline(self, at: float | None) -> float | None:
        if self._request.timeout is None:
            return None
        lead = 0.0 if at is None else max(0.0, at - time.time())  # the host's clock is this machine's
        return time.monotonic() + lead + self._request.timeout

    def _give_up(self) -> None:
        self._process.limit(time.monotonic() + CANCEL_PATIENCE)
        self._process.say(NEVER)
        self._process.feed(b"")
        self._exit = self._process.communicate(self._remarks.take)

    def _refused(self, what: str) -> CommandRefused:
        return CommandRefused("The command can't be staged", f"{what}.", said=self._remarks.said)
