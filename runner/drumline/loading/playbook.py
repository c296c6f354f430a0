"""Playbooks from files: everything that can be wrong in them is found before anything is sent, and told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.loading import keywords, timing
from drumline.loading.deferred import deferring, split
from drumline.loading.ids import slug, unique_ids
from drumline.loading.keywords import KeywordReader
from drumline.loading.needs import check_needs
from drumline.loading.tasks import read_inherited, read_task
from drumline.model.playbook import Play, Playbook, Strategy, Task
from drumline.model.value import text_of
from drumline.plugin.actions import Action
from drumline.source.gc_tuning import without_collector
from drumline.source.yaml import Node, read

Owner = TypeVar("Owner", Play, Task)

_TIMING = deferring(timing.PLAY)
#: What stands in place of a play and takes other plays in; whatever else it says belongs to that.
_IMPORTS = ("import_playbook", "include")


def load_playbooks(paths: Sequence[Path], actions: Mapping[str, Action]) -> Playbook:
    """The plays of all files, one after the other. ``actions`` is keyed by names and aliases.

    Raises ``FilesError`` with every mistake in all of the files.
    """
    playbook, found = read_playbooks(paths, actions)
    if found:
        raise FilesError(found)
    return playbook


def read_playbooks(paths: Sequence[Path], actions: Mapping[str, Action]) -> tuple[Playbook, list[Diagnostic]]:
    """The same, as far as the files can be read, and the mistakes in the order of files and lines."""
    found = Diagnostics()
    with without_collector():
        plays = [play for path in paths for play in _read_file(path, actions, found)]
        numbered = _with_ids(plays, "play", found)
        found.extend(check_needs(numbered))
    playbook = Playbook(path=", ".join(map(str, paths)), plays=tuple(numbered))
    return playbook, sorted(found, key=lambda diagnostic: _place(diagnostic, paths))


def _place(diagnostic: Diagnostic, paths: Sequence[Path]) -> tuple[int, int, int]:
    """Where the mistake comes in the order of files and lines."""
    at = diagnostic.position
    if at is None:
        return (-1, 0, 0)
    return ([str(path) for path in paths].index(at.path), at.line, at.column)


def _read_file(path: Path, actions: Mapping[str, Action], found: Diagnostics) -> list[Play]:
    try:
        node = read(path)
    except FilesError as error:
        found.extend(replace(mistake, hides_names=True) for mistake in error.diagnostics)
        return []
    if node is None:
        found.add("This playbook is empty", detail="A playbook is a list of plays.", position=Position(str(path)))
        return []
    if not isinstance(node.value, list):
        detail = f"A playbook is a list of plays (each begins with '- '), but this is {node.kind}."
        found.add("Not a playbook", detail=detail, position=node.position, hides_names=True)
        return []
    if not node.value:
        found.add("This playbook is empty", detail="A playbook is a list of plays.", position=node.position)
    plays = (_read_play(item, actions, found) for item in node.value)
    return [play for play in plays if play is not None]


def _read_play(node: Node, actions: Mapping[str, Action], found: Diagnostics) -> Play | None:
    if not isinstance(node.value, dict):
        detail = f"A play is a dictionary with 'hosts' and 'tasks', but this is {node.kind}."
        found.add("Not a play", detail=detail, position=node.position, hides_names=True)
        return None
    imported = next((key for key in node.value if keywords.bare_name(key) in _IMPORTS), None)
    if imported is not None:
        keywords.add_not_yet(imported, node.value[imported].key_position, found)
        return None
    reader = KeywordReader(node.value, found)
    keywords.check_known(node.value, keywords.PLAY, "A play", found)
    _check_facts(reader)
    hosts = reader.value("hosts", reader.pattern)
    if not hosts:
        detail = "A play says under 'hosts' which hosts it is for."
        found.add("A play without hosts", detail=detail, position=node.position)
    name = text_of(reader.value("name", reader.text, "")) or text_of(hosts)
    play = Play(
        id=reader.value("id", reader.id) or slug(name) or "play",
        name=name,
        hosts=hosts,
        tasks=_read_tasks(reader, actions),
        position=node.position,
        positions=reader.positions(),
        variables=reader.value("vars", reader.variables, {}),
        needs=reader.value("needs", reader.names),
        strategy=reader.value("strategy", _strategy(reader), Strategy.WAVES),
        **split(reader.values(_TIMING)),
    )
    timing.check_barriers(play, found)
    return play


def _check_facts(reader: KeywordReader) -> None:
    node = reader.node("gather_facts")
    if node is not None and reader.boolean("gather_facts", node):
        detail = "Gathering facts is not supported by this version of drumline yet; write 'gather_facts: false'."
        reader.found.add("Keyword not supported yet", detail=detail, position=node.position, hides_names=True)


def _strategy(reader: KeywordReader) -> Any:
    def read_strategy(keyword: str, node: Node) -> Strategy | None:
        names = {"linear": Strategy.WAVES} | {str(strategy): strategy for strategy in Strategy}
        text = reader.constant(keyword, node)
        if text is not None and text not in names:
            reader.problem(
                f"The strategies are 'waves' (or 'linear', the same) and 'free'; {text!r} is not a strategy.", node
            )
        return names.get(text or "")

    return read_strategy


def _read_tasks(reader: KeywordReader, actions: Mapping[str, Action]) -> tuple[Task, ...]:
    inherited = read_inherited(reader)
    node = reader.node("tasks")
    if node is None:
        return ()
    if not isinstance(node.value, list):
        reader.wrong("tasks", "a list of tasks", node)
        return ()
    read_one = (read_task(item, inherited, actions, reader.found) for item in node.value)
    return tuple(_with_ids([task for task in read_one if task is not None], "task", reader.found))


def _with_ids(owners: Sequence[Owner], kind: str, found: Diagnostics) -> list[Owner]:
    """Tasks of one play, or plays, with an id that is unique. Written ids that aren't are mistakes."""
    written = [owner.id if "id" in owner.positions else None for owner in owners]
    seen: dict[str, Position] = {}
    for owner, text in zip(owners, written, strict=True):
        if text is not None and text in seen:
            detail = f"Another {kind} has the id '{text}' already, in {seen[text]}."
            found.add("An id is given twice", detail=detail, position=owner.positions["id"])
        elif text is not None:
            seen[text] = owner.positions["id"]
    ids = unique_ids(written, [owner.id for owner in owners])
    return [owner if owner.id == text else replace(owner, id=text) for owner, text in zip(owners, ids, strict=True)]
