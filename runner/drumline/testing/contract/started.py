"""A command that runs while a test does something else."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from drumline.model.outcome import Completed
from drumline.model.request import Run
from drumline.plugin.transports import Session, Staged, Stream
from drumline.testing.collect import collect, collect_staged


class Started:
    """A command that is run in a thread of its own, and what it said so far."""

    def __init__(self, session: Session, what: Run | Staged) -> None:
        """``what`` is run, or has been staged on the session and released."""
        self.session = session
        self._said = bytearray()
        self._change = threading.Condition()
        self._outcome: Future[Completed] = Future()
        threading.Thread(target=self._run, args=(what,), daemon=True).start()

    def wait_until_said(self, text: bytes, patience: float) -> None:
        """Wait for output; fails when it doesn't come, or the command ends without it."""
        with self._change:
            self._change.wait_for(lambda: text in self._said or self._outcome.done(), patience)
            assert text in self._said, f"said only {bytes(self._said)!r}; {self._outcome!r}"

    def outcome(self, patience: float) -> Completed:
        """What came of it; raises what ``run`` raised, and ``TimeoutError`` when it hangs."""
        return self._outcome.result(patience)

    def _run(self, what: Run | Staged) -> None:
        try:
            outcome = (
                collect(self.session, what, self._note) if isinstance(what, Run) else collect_staged(what, self._note)
            )
            self._outcome.set_result(outcome)
        except BaseException as error:
            self._outcome.set_exception(error)
        with self._change:
            self._change.notify_all()

    def _note(self, _stream: Stream, data: bytes) -> None:
        with self._change:
            self._said += data
            self._change.notify_all()
