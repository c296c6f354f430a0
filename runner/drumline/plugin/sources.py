"""What a plugin that knows hosts provides: inventory sources, and variables for hosts and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from msgspec import Struct, field

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.plugin.actions import Argument
from drumline.plugin.times import Duration

if TYPE_CHECKING:
    from drumline.model.host import Inventory


class SourceData(Struct, frozen=True, kw_only=True):
    """What an inventory source gives, before groups are merged. Same shapes as Ansible's YAML inventory."""

    #: Group name to own variables; order counts.
    groups: Mapping[str, Mapping[str, Any]] = {}
    #: Group name to names of hosts in it.
    members: Mapping[str, Iterable[str]] = {}
    #: Group name to names of its child groups.
    children: Mapping[str, Iterable[str]] = {}
    #: Host name to own variables; every host is listed here.
    hosts: Mapping[str, Mapping[str, Any]] = {}
    #: Host name to the place that it comes from: a line, a row, the address of a resource. By default the source.
    places: Mapping[str, Position] = {}
    #: Whether its author writes templates in it, as in a file of this project. What strangers may write, such as the
    #: labels of a machine, is never a template.
    trusted: bool = True
    #: By what the source recognises that nothing has changed since, such as an ETag; kept with the copy on disk.
    mark: str = ""
    #: Sentences to warn of.
    warnings: tuple[str, ...] = ()


class SourceUnavailable(Exception):
    """Raised by a source that doesn't answer, with a sentence that says why.

    A copy that is kept on disk then stands in for it.
    """


class InventoryDraft(Protocol):
    """What a source that knows the place of everything enters its hosts in, in place of giving a ``SourceData``.

    Methods note mistakes in ``mistakes`` and go on. ``position`` is the place of a name, and ``places`` are those of
    the variables; None: that of the name.
    """

    mistakes: Diagnostics

    def declare(self, name: str, position: Position | None) -> Any:
        """There is a group of that name."""
        ...

    def add_hosts(
        self,
        pattern: str,
        variables: Mapping[str, Any],
        group: str,
        position: Position | None,
        places: Mapping[str, Position] | None = None,
    ) -> None:
        """Add the hosts that a pattern such as ``web[01:20]:2222`` stands for, with their own variables."""
        ...

    def add_child(self, parent: str, child: str, position: Position | None) -> None:
        """Make one group a child of another."""
        ...

    def set_variables(
        self,
        group: str,
        variables: Mapping[str, Any],
        position: Position | None,
        places: Mapping[str, Position] | None = None,
    ) -> None:
        """Give a group variables."""
        ...

    def author_text(self, value: Any, position: Position) -> Any:
        """A value as its author wrote it: texts in it with braces are templates."""
        ...

    def hide(self) -> None:
        """Mark all variables as secret."""
        ...


class SourceTemplates(Protocol):
    """Expressions and templates of an inventory source. Each raises ``ValueError`` with a sentence."""

    def evaluate(self, text: str, variables: Mapping[str, Any]) -> Any:
        """What an expression gives with these variables, in which there may be templates."""
        ...

    def holds(self, text: str, variables: Mapping[str, Any]) -> bool:
        """Whether a condition holds."""
        ...

    def render(self, text: str, variables: Mapping[str, Any]) -> Any:
        """What a text with templates gives."""
        ...


#: Options of every source that a file configures; drumline itself obeys them.
COMMON_OPTIONS = (
    Argument(name="timeout", type=Duration, help="Seconds that the source may take; by default the setting."),
    Argument(name="cache", type=bool, help="Whether what it gives is kept on disk; by default if there is an age."),
    Argument(name="cache_timeout", type=Duration, help="Seconds for which the copy is used without asking again."),
)


class SourceCall(Struct, frozen=True, kw_only=True):
    """One reading of one source."""

    #: What stands after ``-i``, or the path of a file in a directory of sources.
    source: str
    #: The name by which a file asks for it (``plugin: NAME``); "" for one that is read by itself.
    plugin: str = ""
    #: Of a configured source, a value for each option that it declares; templates in them are rendered.
    options: Mapping[str, Any] = {}
    #: Where each of the options stands that the file gives.
    places: Mapping[str, Position] = {}
    #: What it gave last, if there is a copy of that, even if that is too old; it may be given again.
    known: SourceData | None = None
    #: Seconds that it may take. When they have passed, ``undo`` is done, and the source counts as one that doesn't
    #: answer.
    timeout: float = 300.0
    #: What ends what it has started, such as a program; called from another thread.
    undo: list[Callable[[], object]] = field(default_factory=list)
    #: Where hosts may be entered with the place of each. Only for a source that doesn't wait.
    draft: InventoryDraft
    #: What earlier sources gave, for a source that ``sees_earlier``. Told ``True``, with ``group_vars`` and the like.
    earlier: Callable[[bool], Inventory]
    templates: Callable[[], SourceTemplates]
    extra: Mapping[str, Any] = {}  #: The variables of the command line.
    #: The text of a file of the project, in clear where ansible-vault encrypted it; raises ``FilesError``.
    read_text: Callable[[Path], str]
    #: Reads the file as the source of the name, which the file configures; the place is that of the name.
    configure: Callable[[str, Position], None]

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    def file(self, option: str = "path") -> Path:
        """The file that an option names, relative to the file that configures the source; without one, the source."""
        return Path(self.source).parent / Path(self.options[option]).expanduser() if self.plugin else Path(self.source)

    def refuse(self, summary: str, detail: str, option: str = "") -> NoReturn:
        """Raise ``FilesError`` at an option, or at the source."""
        position = self.places.get(option) or Position(self.source, 0)
        raise FilesError([Diagnostic(summary=summary, detail=detail, position=position)])


def nothing(_text: str) -> bool:
    """Claims nothing."""
    return False


class InventorySource(Struct, frozen=True, kw_only=True):
    """One kind of inventory source."""

    name: str  #: What ``plugin:``, ``drumline plugins`` and messages call it.
    #: Reads it, or raises ``SourceUnavailable``, ``FilesError`` (with positions) or ``UsageError``. None: everything
    #: was entered in the draft.
    read: Callable[[SourceCall], SourceData | None]
    #: Whether a text after ``-i`` (a path, or anything else) is of its kind; asked of one source after another.
    claims: Callable[[str], bool] = nothing
    #: Other names after ``plugin:``.
    aliases: tuple[str, ...] = ()
    #: What a file with ``plugin: NAME`` may say; None: a file can't configure it.
    options: tuple[Argument, ...] | None = None
    open_options: bool = False  #: Whether options of any other name are taken, too, as they are written.
    #: Those of the options that hold expressions, or templates for later: they aren't rendered.
    raw: tuple[str, ...] = ()
    #: Whether it reads what is written for another name after ``plugin:``, which no source has.
    stands_in: Callable[[str], bool] = nothing
    #: Whether others make it wait: it is then read beside others, may be ended, and may be kept on disk.
    waits: bool = False
    #: Whether it has to know what earlier sources gave.
    sees_earlier: bool = False


class SourceSpec(Struct, frozen=True, kw_only=True):
    """A source of which only this is known at the start; it is imported when an inventory needs it."""

    name: str
    load: str  #: The module that has it as ``SOURCE``: ``my_package.cloud``.
    #: As those of the source, whose own don't count.
    claims: Callable[[str], bool] = nothing
    aliases: tuple[str, ...] = ()
    stands_in: Callable[[str], bool] = nothing


class HostVariables(Struct, frozen=True, kw_only=True):
    """Variables of hosts and groups beside those that the inventory sources give them."""

    #: Group name to variables, ``all`` among them. Groups and hosts that the inventory hasn't are left out.
    groups: Mapping[str, Mapping[str, Any]] = {}
    #: Host name to variables; they win over those of groups.
    hosts: Mapping[str, Mapping[str, Any]] = {}
    #: Where they stand: with what lies beside the inventory, or with what lies beside the playbook and wins over that.
    stage: Literal["inventory", "playbook"] = "inventory"
