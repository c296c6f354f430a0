"""Passes the events of a run to all its reporters: live, or from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from drumline.errors import DrumlineError
from drumline.execution.approvals import AnswerSource
from drumline.model.event import Event
from drumline.plugin.hooks import BUILT_IN, Hooks, failed
from drumline.plugin.runs import Reporter, RunView
from drumline.reporting.relay import Relay, WhenSlow
from drumline.reporting.saying import give_up, say

#: The owner of the reporters that the command line asks for.
COMMAND_LINE = f"{BUILT_IN}, by its command line"


def reporters_of(hooks: Hooks, run: RunView) -> Iterator[tuple[str, Reporter]]:
    """All reporters of a run with their owners. A plugin that fails is named in a warning and left out."""
    for owner, call in hooks.each("drumline_reporters"):
        try:
            yield from ((owner, reporter) for reporter in call(run=run) or ())
        except Exception as error:  # whatever a stranger's hook raises, the run goes on
            say(failed(owner, "drumline_reporters", error))


class Reports:
    """The reporters of a live run, each with a thread of its own."""

    def __init__(self, hooks: Hooks, when_slow: WhenSlow, *, sources: tuple[AnswerSource, ...] = ()) -> None:
        """``sources`` provide people's answers."""
        self.sources = sources
        self._hooks = hooks
        self._when_slow = when_slow
        self._relays: list[Relay] = []

    def listeners(self, run: RunView) -> list[Relay]:
        """The listeners of the run's events, once its number is known."""
        self._relays += [self._relay(owner, reporter) for owner, reporter in reporters_of(self._hooks, run)]
        return self._relays

    def _relay(self, owner: str, reporter: Reporter) -> Relay:
        return Relay(
            reporter.name,
            reporter.open,
            say=say,
            stream=reporter.stream,
            when_slow=self._when_slow,
            gaps=reporter.gaps,
            at_fault=_at_fault(owner),
        )

    def hurry(self) -> None:
        """Stop waiting for readers, for good. May be called from any thread."""
        for relay in self._relays:
            relay.hurry()

    def close(self) -> None:
        """Wait, within bounds, until everything is shown. A stuck stream is given up."""
        for relay in self._relays:
            relay.close()
            if relay.stuck and relay.stream:
                give_up(relay.stream)


def replay(hooks: Hooks, run: RunView, events: Callable[[], Iterable[Event]]) -> None:
    """Pass the events of an earlier run to one reporter after another. If one fails, it is named, and the others go on.

    Errors of drumline's own reporters, and of ``events``, are raised.
    """
    for owner, reporter in list(reporters_of(hooks, run)):
        try:
            with reporter.open() as take:
                for event in events():
                    take(event)
        except DrumlineError:
            raise
        except Exception as error:
            if owner.startswith(BUILT_IN):
                raise
            say(f"{reporter.name} has failed ({type(error).__name__}: {error}), a fault in {_at_fault(owner)}.")


def _at_fault(owner: str) -> str:
    return "drumline" if owner.startswith(BUILT_IN) else owner[0].lower() + owner[1:]
