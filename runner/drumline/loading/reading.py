"""What is shared by all files of one load: what was read, where it was imported, and how their names are rendered.

Each file is read once, however often it is imported. What is imported while plays are read (tasks, roles) is named by
text that may hold templates. They see what is known before the run and the same for all hosts: ``-e``, the play's
``vars`` and ``vars_files``, those of the blocks and roles around, and ``playbook_dir``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.errors import FilesError
from drumline.inventory.variables import Scope, run_magic
from drumline.inventory.vars_files import read_variables
from drumline.loading.role_places import RolePlaces
from drumline.loading.usual import NOTHING_SAID, Usual
from drumline.model.host import Inventory
from drumline.model.value import Template, Value, Variables
from drumline.plugin.actions import Action, ActionPlaces
from drumline.plugin.registry import Actions
from drumline.source.nodes import Node
from drumline.source.yaml import read
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating

if TYPE_CHECKING:
    from drumline.plugin.generators import Generator

#: What templates in names of files that are imported can use, for messages.
SEEN = (
    "What is imported is read before the run, the same for all hosts: its name may use -e, 'vars' and 'vars_files' of "
    "the play, and variables of blocks and roles, but none of hosts. With those, include it."
)


class Around(Struct, frozen=True, kw_only=True):
    """What is given with the files."""

    extra: Variables = {}
    templating: Templating | None = None  #: None: one without plugins.
    roles_path: tuple[str, ...] = ()  #: Directories in which roles are looked for.
    collections_path: tuple[str, ...] = ()  #: The same of collections.
    usual: Usual = NOTHING_SAID
    #: Whose hosts can be tables, and are what generated plays are for; None where it isn't known.
    inventory: Inventory | None = None
    generators: Mapping[str, Generator] = {}  #: By name; empty: the bundled one alone.


NOTHING_AROUND = Around()

#: The variables that a name may use, which few need.
Known: TypeAlias = Callable[[], Variables]


class Reading:
    """One load. ``found`` gets all mistakes."""

    def __init__(self, actions: Mapping[str, Action], found: Diagnostics, around: Around = NOTHING_AROUND) -> None:
        self.actions = actions
        self.found = found
        self.around = around
        #: All files that were read, in this order.
        self.paths: list[Path] = []
        #: Where each imported file was imported first.
        self.imported: dict[str, Position] = {}
        #: If someone asks for it, what stands in the playbooks, with generated plays in place of what generates them.
        self.written: list[Node] | None = None
        self.places = RolePlaces(around.roles_path, around.collections_path)
        self._open: list[Path] = []  # what is being read: each of them imports the next one
        self._statuses: list[os.stat_result] = []  # of those of them that are there
        self._documents: dict[Path, Node | None] = {}
        self._variables: dict[Path, Variables] = {}
        self._magics: dict[Path, Variables] = {}  # by playbook
        self.look_for_actions(collections_path=around.collections_path)

    def look_for_actions(self, **places: Any) -> None:
        """Have actions looked for in more places: the fields of ``ActionPlaces``."""
        if isinstance(self.actions, Actions):
            self.actions.look_in(ActionPlaces(**places))

    def document(self, path: Path, imported: Position | None = None) -> Node | None:
        """What stands in a file, which is imported at the place; None for nothing, and where it can't be read."""
        if path not in self._documents:
            self.note(path, imported)
            self._documents[path] = None
            try:
                self._documents[path] = read(path)
            except FilesError as error:
                self.found.extend(replace(mistake, hides_names=True) for mistake in error.diagnostics)
        return self._documents[path]

    def variables(self, path: Path, imported: Position | None = None) -> Variables:
        """The variables in a file; mistakes are noted."""
        if path not in self._variables:
            self.note(path, imported)
            self._variables[path] = read_variables(path, self.found)
        return self._variables[path]

    def note(self, path: Path, imported: Position | None) -> None:
        """Note that a file is read, which is imported at the place."""
        self.paths.append(path)
        if imported is not None:
            self.imported.setdefault(str(path), imported)

    def is_open(self, path: Path) -> bool:
        """Whether the file is being read: what imports it now would do so for ever."""
        status = path.stat()
        return any(os.path.samestat(status, other) for other in self._statuses)

    def chain(self, path: Path) -> str:
        """The files that led to this one, for messages."""
        return ", which imports ".join(map(str, [*self._open, path]))

    def directories(self) -> Iterator[Path]:
        """Those of the files that are being read, the innermost first."""
        return iter(dict.fromkeys(path.parent for path in reversed(self._open)))

    @contextmanager
    def opened(self, path: Path) -> Iterator[None]:
        """While its content is read."""
        before = list(self._statuses)
        self._open.append(path)
        with suppress(OSError):
            self._statuses.append(path.stat())
        try:
            yield
        finally:
            self._open.pop()
            self._statuses = before

    @contextmanager
    def hiding_names(self) -> Iterator[None]:
        """While mistakes that are found keep names from being known."""
        found, self.found = self.found, Diagnostics()
        try:
            yield
        finally:
            found.extend(replace(mistake, hides_names=True) for mistake in self.found)
            self.found = found

    @contextmanager
    def as_it_is(self) -> Iterator[None]:
        """While what is read stands for itself in ``written`` already."""
        written, self.written = self.written, None
        try:
            yield
        finally:
            self.written = written

    def name(self, keyword: str, text: Value, known: Known, position: Position) -> str | None:
        """The name of something that is imported; None where it can't be rendered, which is noted."""
        if not isinstance(text, Template):
            return str(text)
        try:
            return self.rendered(text, known())
        except TemplateFailed as error:
            detail = f"'{keyword}': {error.summary} {SEEN}"
            self.found.add("A keyword can't be rendered", detail=detail, position=position, hides_names=True)
            return None

    def rendered(self, text: Value, known: Variables) -> str:
        """A name with these variables. Raises ``TemplateFailed``."""
        return str(self._templating.render(text, self._scope(known)))

    def value(self, value: Value, *layers: Variables) -> Any:
        """A value rendered with these variables, the strongest first, and -e. Raises ``TemplateFailed``."""
        return self._templating.render(value, self._scope(*layers))

    def holds(self, conditions: Sequence[Template | bool], *layers: Variables) -> bool:
        """Whether conditions hold with these variables. Raises ``TemplateFailed``."""
        return self._templating.condition(conditions, self._scope(*layers))

    @property
    def trusted(self) -> bool:
        """Whether what the files say may be done: programs, lookups, queries."""
        return self._templating.trusted

    @property
    def _templating(self) -> Templating:
        if self.around.templating is None:
            self.around = replace(self.around, templating=Templating())
        assert self.around.templating is not None
        return self.around.templating

    def _scope(self, *known: Variables) -> Scope:
        return Scope([self._magic, self.around.extra, *known], self._templating)

    @property
    def _magic(self) -> Variables:
        playbook = self._open[0] if self._open else Path("playbook")
        if playbook not in self._magics:
            self._magics[playbook] = run_magic(Inventory(), playbook)
        return self._magics[playbook]
