"""Questions to people: asked through every source, answered by the first reply, and recorded in the journal."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from drumline.clock import Clock, SystemClock
from drumline.model.event import ApprovalGiven, ApprovalRequested, Input
from drumline.model.outcome import Approval
from drumline.model.plan import Job
from drumline.model.request import Ask
from drumline.plugin.actions import ActionFailed

#: The name of the decider if the time was up.
NOBODY = "nobody"

#: Seconds between two checks for an answer; at a terminal, the time until a key takes effect.
_INTERVAL = 0.05


class Reply(Struct, frozen=True, kw_only=True):
    """Someone's answer to a question."""

    approved: bool
    by: str  #: ``user@machine``.
    comment: str = ""


class AnswerSource(Protocol):
    """Where answers come from: a terminal, the journal. Called by the threads of the jobs that ask."""

    def look(self, question: ApprovalRequested) -> Reply | None:
        """The answer, once there is one. Called repeatedly as soon as the question is asked."""
        ...

    def withdraw(self, question: ApprovalRequested) -> None:
        """The question needs no answer any more."""
        ...


class Approvals:
    """Asks questions and waits for answers; used by many threads at once."""

    def __init__(
        self,
        *,
        note: Callable[[Input], None],
        sources: Sequence[AnswerSource] = (),
        clock: Clock | None = None,
    ) -> None:
        """``note`` makes an event part of the run; it is journalled before anyone sees it."""
        self._note = note
        self._sources = tuple(sources)
        self._clock = clock or SystemClock()

    def ask(self, job: Job, request: Ask, stopped: Callable[[], bool]) -> Approval:
        """Ask, and wait for the first answer, or until the time is up and the default applies.

        Raises ``ActionFailed`` if the job is stopped meanwhile.
        """
        now = self._clock.now()
        until = None if request.timeout is None else now + request.timeout
        question = ApprovalRequested(
            at=now,
            job=job,
            message=request.message,
            until=until,
            default=request.default,
            enter=request.enter,
            echo=request.echo,
            prompt=request.prompt,
        )
        self._note(question)
        try:
            answer = self._wait(question, request.timeout, stopped)
        finally:
            for source in self._sources:
                source.withdraw(question)
        at = self._clock.now()
        kept = answer.comment if request.echo else ""
        self._note(ApprovalGiven(at=at, job=job, approved=answer.approved, by=answer.by, comment=kept))
        return Approval(approved=answer.approved, by=answer.by, at=at, comment=answer.comment)

    def _wait(self, question: ApprovalRequested, seconds: float | None, stopped: Callable[[], bool]) -> Reply:
        deadline = math.inf if seconds is None else self._clock.monotonic() + seconds
        while not stopped():
            for source in self._sources:
                answer = source.look(question)
                if answer is not None:
                    return answer
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return Reply(approved=question.default, by=NOBODY)
            time.sleep(min(_INTERVAL, left))
        raise ActionFailed("Interrupted before anyone approved or rejected it.", stopped=True)


def whoami() -> str:
    """``user@machine`` of the user that this process belongs to."""
    try:
        import os
        import pwd
    except ImportError:  # not on Windows
        import getpass

        return f"{getpass.getuser()}@{platform.node()}"
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in some containers
        user = str(os.getuid())
    return f"{user}@{platform.node()}"
