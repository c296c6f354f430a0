"""The console as a reporter: of a run that goes on, or of one that is read from the journal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from drumline.model.plan import Plan
from drumline.plugin.runs import Reporter, RunView
from drumline.plugin.spec import hookimpl
from drumline.reporting.console import ConsoleReport
from drumline.reporting.screens import screen_for

if TYPE_CHECKING:
    from drumline.forecast.remaining import Remaining
    from drumline.reporting.prompt import TerminalPrompt


class Console:
    """Reports runs on a stream. People are asked there too, when it and the standard input are a terminal."""

    def __init__(
        self,
        stream: Literal["stdout", "stderr"] = "stdout",
        *,
        asks: Plan | None = None,
        remaining: Callable[[int], Remaining] | None = None,
        state: Path | None = None,
        verbose: int = 0,
        **options: Any,
    ) -> None:
        """``asks`` is the plan of a run that may ask people.

        ``remaining`` makes what tells a terminal how much is left of the run with a number. ``state`` is the journal's
        directory, where the command line named it. ``options`` go to :class:`ConsoleReport` as they are.
        """
        self._stream = stream
        self._screen, self._alive = screen_for(getattr(sys, stream))
        self._remaining = remaining
        self._options = {"state": state, "verbose": verbose, **options}
        self._stack = ExitStack()
        self.prompt = _prompt_for(asks) if asks is not None and self._alive else None

    @hookimpl(tryfirst=True)
    def drumline_reporters(self, run: RunView) -> Iterable[Reporter]:
        alive = self._alive and run.live
        left = self._stack.enter_context(self._remaining(run.number)) if alive and self._remaining else None
        report = partial(
            ConsoleReport,
            run.plan,
            self._screen,
            number=run.number,
            alive=alive,
            prompt=self.prompt,
            remaining=left,
            **self._options,
        )
        return [Reporter(name="The console", open=report, stream=self._stream)]

    def close(self) -> None:
        """The runs have ended."""
        self._stack.close()


def _prompt_for(plan: Plan) -> TerminalPrompt | None:
    from drumline.reporting.prompt import terminal_prompt  # many runs have no terminal

    return terminal_prompt(plan, sys.stdin)
