"""What a command works with, each part read on first use."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from drumline.config import Settings
    from drumline.plugin.history import History
    from drumline.plugin.registry import Registry


class Surroundings:
    """The :class:`drumline.plugin.CommandContext` of this process."""

    def __init__(self) -> None:
        self._opened: list[History] = []

    @cached_property
    def settings(self) -> Settings:
        from drumline.cli.options import settings_with

        return settings_with()

    @cached_property
    def registry(self) -> Registry:
        from drumline.built_in import all_plugins

        return all_plugins(Path("plugins"), self.settings.for_plugins)

    @cached_property
    def history(self) -> History:
        return self.history_in(self.settings.state)

    def history_in(self, state: Path) -> History:
        """The runs of the journal in this directory; it is closed at the end of the command, if not earlier."""
        history: History = self.registry.hooks.ask("drumline_history", state=state)
        self._opened.append(history)
        return history

    def close(self) -> None:
        """Close every history that is still open."""
        for history in self._opened:
            history.close()


def surroundings() -> Surroundings:
    """The surroundings of the current command."""
    return click.get_current_context().ensure_object(Surroundings)
