"""Lists of tasks, in which a block stands for a list of its own: all of a play's, read into one row of tasks.

What a block says holds for all that stands in it, as in Ansible: conditions come before the tasks' own, ``vars`` are
weaker than theirs, tags are united. Where each task stands is kept beside it. What is imported (``import_tasks``,
``import_role``) is a block too, whose tasks stand in another file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.loading import imported_tasks, keywords, roles
from drumline.loading.defaults import check_defaults
from drumline.loading.ids import slug
from drumline.loading.keywords import KeywordReader
from drumline.loading.reading import Reading
from drumline.loading.tasks import pass_on, read_for_below, read_task
from drumline.model.playbook import BlockPart, MetaTask, Role, Section, Task, TaskBlock, Within
from drumline.model.traits import Sets
from drumline.model.value import Value, Variables, text_of
from drumline.source.nodes import Entry, Node
from drumline.templating.failures import TemplateFailed

#: The keyword of each part, in their order.
_PARTS = {"block": BlockPart.TASKS, "rescue": BlockPart.RESCUE, "always": BlockPart.ALWAYS}
_IMPORT_TASKS, _IMPORT_ROLE = "import_tasks", "import_role"
#: What is imported, by all the names that a task may use.
_IMPORTS = {
    f"{prefix}{name}": name
    for name in (_IMPORT_TASKS, _IMPORT_ROLE)
    for prefix in ("", "ansible.builtin.", "ansible.legacy.")
}


class ListReader:
    """Reads the lists of one play, or with ``handlers`` a list of handlers, in which blocks only pass keywords on."""

    def __init__(
        self,
        reading: Reading,
        directory: Path,
        *,
        variables: Variables = {},  # noqa: B006  # never changed
        collections: tuple[str, ...] = (),
        handlers: bool = False,
    ) -> None:
        """``directory`` is the playbook's, ``variables`` those of the play that names of what is imported may use."""
        self.reading = reading
        self.directory = directory
        self.variables = variables
        self.collections = collections  #: In which short names of roles are looked for.
        self.vars_files: tuple[Value, ...] = ()  #: Of the play; names of what is imported may use their variables too.
        self.tasks: list[Task] = []
        self.blocks: list[TaskBlock] = []
        self.section = Section.TASKS  #: Of what is read next.
        self.roles: list[Role] = []  #: Those that the play or one of its tasks uses, in order.
        self._uses: dict[str, int] = {}
        #: The directory of a role in which files of the list stand: ``tasks`` or ``handlers``.
        self.kind = "handlers" if handlers else "tasks"
        #: What reads the handlers of the roles in ``roles``, and of those that tasks import. Handlers have none.
        self.handlers: ListReader | None = None
        self.imported_handlers: ListReader | None = None
        #: Of handlers: how many stand in each block, and in a row outside blocks, of one list, in order.
        self.rows: list[int] = []

    def of_handlers(self) -> ListReader:
        """Another one, for handlers of the play."""
        return ListReader(
            self.reading, self.directory, variables=self.variables, collections=self.collections, handlers=True
        )

    def known(self, below: Mapping[str, Any]) -> Variables:
        """The variables that the name of something imported sees where ``below`` holds."""
        return imported_tasks.variables_known(below, {**self.variables, **self._of_files})

    @cached_property
    def _of_files(self) -> Variables:
        """Those of the play's ``vars_files`` whose names are known."""
        found: dict[str, Any] = {}
        for entry in self.vars_files:
            with suppress(TemplateFailed):  # reported where the files are read for the play
                for name in entry if isinstance(entry, list) else [entry]:
                    written = Path(self.reading.rendered(name, {**self.variables, **found})).expanduser()
                    places = (self.directory / "vars" / written, self.directory / written)
                    path = next((place for place in places if place.is_file()), None)
                    if path is not None:
                        found.update(self.reading.variables(path))
                        break
        return found

    @property
    def are_handlers(self) -> bool:
        """Whether it reads handlers."""
        return self.kind == "handlers"

    @property
    def elements(self) -> list[Task | TaskBlock]:
        """What was read: blocks, then tasks."""
        return [*self.blocks, *self.tasks]

    def read(self, nodes: list[Node], inherited: Mapping[str, Any], within: Within | None = None) -> None:
        """Read one list, whose tasks take what ``inherited`` says; it is a part of a block where ``within`` says so."""
        if self.are_handlers:
            self.rows.append(0)
        for node in nodes:
            entries = node.value
            if isinstance(entries, dict) and not _PARTS.keys().isdisjoint(entries):
                self._block(entries, node.position, inherited, within)
                if self.are_handlers:
                    self.rows.append(0)
            elif isinstance(entries, dict) and not _IMPORTS.keys().isdisjoint(entries):
                self._import(entries, node.position, inherited, within)
            else:
                task = read_task(node, inherited, self.reading.actions, self.reading.found, within)
                if task is not None:
                    self.tasks.append(self._placed(task))

    def _placed(self, task: Task) -> Task:
        """The task as one of this list."""
        if self.are_handlers:
            self.rows[-1] += 1
            _check_handler(task, self.reading.found)
        elif "listen" in task.positions:
            detail = "'listen' is for handlers; a task says under 'notify' which handlers it notifies."
            self.reading.found.add("A keyword of handlers", detail=detail, position=task.positions["listen"])
        if task.traits.meta is not None:
            task = with_meta(task)
        return task if task.section is self.section else replace(task, section=self.section)

    def number_of(self, use: str) -> int:
        """The number of uses of a role that are equal."""
        return self._uses.setdefault(use, len(self._uses))

    def add_block(self, block: TaskBlock) -> int:
        """Begin a block, in which what is read next may stand; returns its number."""
        self.blocks.append(block)
        return len(self.blocks) - 1

    def _block(
        self, entries: Mapping[str, Entry], position: Position, inherited: Mapping[str, Any], within: Within | None
    ) -> None:
        reader = KeywordReader(entries, self.reading.found)
        keywords.check_known(entries, keywords.BLOCK, "A block", self.reading.found)
        check_defaults(reader, self.reading.actions)
        if "block" not in reader:
            detail = "'rescue' and 'always' stand beside 'block', which has the tasks that they are for."
            self.reading.found.add("A block without tasks", detail=detail, position=position)
        below = pass_on(inherited, read_for_below(reader))
        if self.are_handlers:
            _check_keywords(reader.positions(), self.reading.found)
            node = reader.node("block")
            if node is not None and isinstance(node.value, list):
                self.read(node.value, below)
            return
        number = self._begin(reader, position, within, "block")
        for keyword, part in _PARTS.items():
            node = reader.node(keyword)
            if node is not None and isinstance(node.value, list):
                self.read(node.value, below, Within(number, part))
            elif node is not None:
                reader.wrong(keyword, "a list of tasks", node)

    def _begin(self, reader: KeywordReader, position: Position, within: Within | None, otherwise: str) -> int:
        name = reader.value("name", reader.text, "")
        return self.add_block(
            TaskBlock(
                id=reader.value("id", reader.id) or slug(name) or otherwise,
                name=name or otherwise,
                position=position,
                positions=reader.positions(),
                needs=reader.value("needs", reader.names),
                within=within,
                section=self.section,
            )
        )

    def _import(
        self, entries: Mapping[str, Entry], position: Position, inherited: Mapping[str, Any], within: Within | None
    ) -> None:
        keyword = next(key for key in entries if key in _IMPORTS)
        if _IMPORTS[keyword] == _IMPORT_ROLE:
            roles.import_role(self, keyword, entries, inherited, within)
        else:
            self._import_tasks(keyword, entries, position, inherited, within)

    def _import_tasks(
        self,
        keyword: str,
        entries: Mapping[str, Entry],
        position: Position,
        inherited: Mapping[str, Any],
        within: Within | None,
    ) -> None:
        imported_tasks.check_keywords(keyword, entries, self.reading)
        reader = KeywordReader(entries, self.reading.found)
        named = imported_tasks.file_named(keyword, reader)
        if named is None:
            return
        below = pass_on(inherited, read_for_below(reader))
        place = inherited.get("role"), self.kind, self.directory
        path = imported_tasks.find_tasks(keyword, named, partial(self.known, below), place, self.reading)
        if path is None:  # its name stands for something all the same
            self._begin(reader, position, within, "tasks")
            return
        nodes = imported_tasks.list_in(path, named.position, self.reading)
        if self.are_handlers:
            with self.reading.opened(path):
                self.read(nodes, below)
            return
        number = self._begin(reader, position, within, slug(path.stem) or "tasks")
        with self.reading.opened(path):
            self.read(nodes, below, Within(number, BlockPart.TASKS))


def with_meta(task: Task) -> Task:
    """The task of an action that asks something of the run itself, which says what that is."""
    asked = task.arguments.get(task.traits.meta or "")
    meta = {str(meta): meta for meta in MetaTask}.get(text_of(asked))
    traits = task.traits
    if meta is MetaTask.REFRESH_INVENTORY:  # what it finds isn't known before
        traits = replace(traits, inventory=True, sets=Sets.UNKNOWN)
    return replace(task, meta=meta, traits=traits, run_once=task.run_once or (meta is not None and meta.once))


def _check_handler(task: Task, found: Diagnostics) -> None:
    _check_keywords(task.positions, found)
    if task.traits.meta is not None and with_meta(task).meta is MetaTask.FLUSH_HANDLERS:
        detail = "Handlers run at a flush point; one of them can't be another flush point."
        found.add("A flush point among handlers", detail=detail, position=task.position)


def _check_keywords(positions: Mapping[str, Position], found: Diagnostics) -> None:
    for keyword in keywords.NOT_OF_HANDLERS:
        if keyword in positions:
            detail = (
                f"'{keyword}' has no meaning for a handler, which runs on the hosts that notified it, when it is due."
            )
            found.add("Not a keyword of handlers", detail=detail, position=positions[keyword])
