"""Keywords that are fixed before the run, although their values contain templates, as Ansible allows.

Such a value is kept as written. Before the plan is made, :func:`resolve` renders it with variables that are the same
for all hosts, and the keyword's reader reads the result as if it had been written there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from operator import is_
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.errors import FilesError
from drumline.loading import timing
from drumline.loading.defaults import KEYWORD
from drumline.loading.keywords import KeywordReader, Read, tags_in
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.value import Octal, Template, Value
from drumline.secret import Secret
from drumline.source.nodes import Entry, Node, plain
from drumline.templating.failures import TemplateFailed
from drumline.templating.values import OMIT
from drumline.templating.variables import Unresolved

#: Renders a value with the variables of a play; may raise ``TemplateFailed``.
Render: TypeAlias = Callable[[Value, Play], Any]
Owner = TypeVar("Owner", Play, Task)

#: Keywords of this kind that are not about timing.
RESOLVED: Mapping[str, Read] = {"run_once": KeywordReader.boolean}

#: What such templates can use, for messages.
SEEN = (
    "It is fixed before the run, the same for all hosts: its templates see -e, 'vars' of play and task, and 'groups', "
    "but no variables of hosts."
)


class _Deferred(Struct, frozen=True):
    """The placeholder for a keyword whose value contains templates."""

    value: Value


def deferring(reads: Mapping[str, Read]) -> dict[str, Read]:
    """These readers, which leave values with templates alone; :func:`split` has to follow."""
    return {keyword: _deferring(read) for keyword, read in reads.items()}


def _deferring(read: Read) -> Read:
    def read_or_defer(reader: KeywordReader, keyword: str, node: Node) -> Any:
        value = plain(node, hide=False)
        return _Deferred(value) if _has_template(value) else read(reader, keyword, node)

    return read_or_defer


def _has_template(value: Value) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_template, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Template)


def as_written(fields: Mapping[str, Any]) -> dict[str, Value]:
    """The fields of tasks, with what was left alone as it is written: :func:`deferred_again` takes them back."""
    written = {keyword: value.value if isinstance(value, _Deferred) else value for keyword, value in fields.items()}
    if KEYWORD in written:
        written[KEYWORD] = [{name: plain(node) for name, node in layer.items()} for layer in written[KEYWORD]]
    return written


def deferred_again(fields: Mapping[str, Value], position: Position) -> dict[str, Any]:
    """The fields of tasks, with those values left alone that hold templates and are fixed before the run."""
    fixed = {**timing.TASK, **timing.INHERITED, **RESOLVED}
    found: dict[str, Any] = {
        keyword: _Deferred(value) if keyword in fixed and _has_template(value) else value
        for keyword, value in fields.items()
    }
    if KEYWORD in found:
        layers = ({name: as_node(value, position) for name, value in layer.items()} for layer in found[KEYWORD])
        found[KEYWORD] = tuple(layers)
    return found


def split(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a play or task, with those that were left alone moved to ``deferred``."""
    deferred = {keyword: value.value for keyword, value in fields.items() if isinstance(value, _Deferred)}
    return {**{keyword: value for keyword, value in fields.items() if keyword not in deferred}, "deferred": deferred}


def resolve(playbook: Playbook, render: Render, *, chosen: Callable[[Task], bool] = lambda _task: True) -> Playbook:
    """The playbook with nothing left deferred. Raises ``FilesError`` with all mistakes in deferred values.

    Deferred values of tasks that aren't ``chosen``, and of plays without chosen tasks, are dropped.
    """
    found = Diagnostics()
    plays = tuple(_resolve_play(play, render, chosen, found) for play in playbook.plays)
    if found:
        raise FilesError(found)
    return replace(playbook, plays=plays)


def _resolve_play(play: Play, render: Render, chosen: Callable[[Task], bool], found: Diagnostics) -> Play:
    if not play.deferred and not any(task.deferred for task in play.tasks):
        return play
    is_needed = any(map(chosen, play.tasks))
    resolved = _Resolution(play, lambda value: render(value, play), found).resolve(timing.PLAY) if is_needed else {}
    tasks = tuple(_resolve_task(task, play, render if chosen(task) else None, found) for task in play.tasks)
    return replace(play, tasks=tasks, deferred={}, **resolved)


def _resolve_task(task: Task, play: Play, render: Render | None, found: Diagnostics) -> Task:
    if not task.deferred:
        return task
    if render is None:
        return replace(task, deferred={})
    scope = replace(play, variables={**play.variables, **task.variables})
    reads = {**timing.TASK, **timing.INHERITED, **RESOLVED}
    values = _Resolution(task, lambda value: render(value, scope), found).resolve(reads)
    resolved = replace(task, deferred={}, **values)
    timing.check_throttle(resolved, found)
    return resolved


def resolve_tags(playbook: Playbook, render: Render, found: Diagnostics) -> Playbook:
    """The playbook with templates in tags rendered; those that can't be rendered are noted and dropped."""
    plays = []
    for play in playbook.plays:
        tasks = tuple(_with_tags(task, play, render, found) for task in play.tasks)
        plays.append(play if all(map(is_, tasks, play.tasks)) else replace(play, tasks=tasks))
    return replace(playbook, plays=tuple(plays))


def _with_tags(task: Task, play: Play, render: Render, found: Diagnostics) -> Task:
    if not any(isinstance(tag, Template) for tag in task.tags):
        return task
    scope = replace(play, variables={**play.variables, **task.variables})
    tags: set[str] = set()
    for tag in task.tags:
        try:
            value = render(tag, scope)
        except TemplateFailed as error:
            hint = f" {SEEN}" if isinstance(error, Unresolved) else ""
            detail = f"'tags': {error.summary}{hint}"
            found.add("A keyword can't be rendered", detail=detail, position=error.position)
            continue
        for item in value if isinstance(value, (list, tuple)) else [value]:
            tags |= {str(part) for part in tags_in(str(item))}
    return replace(task, tags=frozenset(tags))


class _Resolution:
    """Renders and reads the deferred values of one play or task."""

    def __init__(self, owner: Play | Task, render: Callable[[Value], Any], found: Diagnostics) -> None:
        self._owner = owner
        self._render = render
        self._found = found

    def resolve(self, reads: Mapping[str, Read]) -> dict[str, Any]:
        """The values of these keywords, by keyword; wrong ones are noted and left out."""
        entries: dict[str, Entry] = {}
        for keyword, value in self._owner.deferred.items():
            try:
                entries |= self._entry(keyword, keyword, value, self._owner.position)
            except TemplateFailed as error:
                hint = f" {SEEN}" if isinstance(error, Unresolved) else ""
                detail = f"'{keyword}': {error.summary}{hint}"
                self._found.add("A keyword can't be rendered", detail=detail, position=error.position)
        return KeywordReader(entries, self._found).values(reads)

    def _entry(self, key: str, path: str, value: Value, around: Position) -> dict[str, Entry]:
        """A key of a dictionary and its rendered value; nothing where that is ``omit``."""
        position = self._owner.positions.get(path, around)
        node = self._node(value, path, position)
        return {} if node is None else {key: Entry(position, node)}

    def _node(self, value: Value, path: str, position: Position) -> Node | None:
        if isinstance(value, Template):
            rendered = self._render(value)
            return None if rendered is OMIT else as_node(rendered, value.position)
        if isinstance(value, dict):
            entries: dict[str, Entry] = {}
            for key, item in value.items():
                entries |= self._entry(key, f"{path}.{key}", item, position)
            return Node(entries, position)
        if isinstance(value, list):
            nodes = (self._node(item, path, position) for item in value)
            return Node([node for node in nodes if node is not None], position)
        return as_node(value, position)


def as_node(value: Any, position: Position) -> Node:
    """Data as if it had been written at this place. Braces in its text are not templates."""
    if isinstance(value, Template):
        return Node(value.text, value.position)
    if isinstance(value, Secret):
        return Node(value.reveal(), position, unsafe=True, secret=True)
    if isinstance(value, Mapping):
        entries = {str(key): Entry(position, as_node(item, position)) for key, item in value.items()}
        return Node(entries, position, unsafe=True)
    if isinstance(value, (list, tuple)):
        return Node([as_node(item, position) for item in value], position, unsafe=True)
    if isinstance(value, date):  # includes datetime
        return Node(value.isoformat(), position, unsafe=True)
    is_scalar = value is None or type(value) in (bool, int, float, str, Octal)
    return Node(value if is_scalar else str(value), position, unsafe=True)
