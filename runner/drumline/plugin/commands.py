"""What a plugin adds to the program: settings, and commands with what they work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from drumline.config import Settings
    from drumline.plugin.history import History
    from drumline.plugin.registry import Registry


class Setting(Struct, frozen=True, kw_only=True):
    """A setting of a plugin: in ``drumline.toml`` under ``[PLUGIN]``, in the environment ``DRUMLINE_PLUGIN_NAME``."""

    name: str
    type: type = str  #: As that of an :class:`Argument`.
    default: Any = None
    choices: tuple[str, ...] = ()
    help: str = ""  #: One sentence, for ``drumline plugins``.
    #: Raises ``ValueError`` for a value that can't be used, with the rest of a sentence that begins with the name.
    check: Callable[[Any], object] | None = None


class CommandSpec(Struct, frozen=True, kw_only=True):
    """A command that a plugin adds to ``drumline``; loaded when it is used, so that ``--help`` stays fast."""

    name: str
    help: str  #: One line, for ``drumline --help``.
    load: str  #: ``"package.module:attribute"`` of a click command.


class CommandContext(Protocol):
    """What a command of a plugin works with: ``@click.pass_obj`` gives it. Everything is read when it is asked for."""

    @property
    def settings(self) -> Settings:
        """The settings of this directory and environment. Raises ``FilesError`` and ``UsageError``."""
        ...

    @property
    def registry(self) -> Registry:
        """What all plugins offer, those of this project included."""
        ...

    @property
    def history(self) -> History:
        """Earlier runs, to be read; it is closed when the command has ended. Raises ``UsageError``."""
        ...
