"""The console as a reporter: of a live run, or of one from the journal."""

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
    """Reports runs on a stream. If the stream and standard input are a terminal, people are asked there, too."""

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

        ``remaining`` makes the estimate of what is left of a run, given its number. ``state`` is the journal's
        directory if the command line named it. ``options`` are passed to :class:`ConsoleReport`.
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
        """Close the console after the last run."""
        self._stack.close()


def _prompt_for(plan: Plan) -> TerminalPrompt | None:
    from drumline.reporting.prompt import terminal_prompt  # many runs have no terminal

    return terminal_prompt(plan, sys.stdin)
