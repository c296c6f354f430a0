"""``import_tasks``: the tasks of another file stand in its place, as a block; they are read before the run.

What the import says holds for all of them. Its file is looked for beside the file that imports it, then beside those
that import that one, then in the directories of the role around and of the playbook.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from drumline.diagnostics import Position
from drumline.loading import keywords
from drumline.loading.free_form import split_arguments
from drumline.loading.keywords import KeywordReader
from drumline.loading.reading import Known, Reading
from drumline.model.playbook import Role
from drumline.model.value import Value, Variables
from drumline.source.nodes import Entry, Node, plain

#: Keywords of a task that mean nothing for an import; Ansible accepts most of them.
_WITHOUT_EFFECT = frozenset({"action", "changed_when", "delay", "failed_when", "register", "retries", "until"})
_LOOPS = frozenset({"loop", "loop_control"})


def check_keywords(keyword: str, entries: Mapping[str, Entry], reading: Reading) -> None:
    """Report keywords that an import (``keyword``) doesn't have."""
    known = (keywords.BLOCK - {"block", "rescue", "always"}) | _WITHOUT_EFFECT | {keyword, "args"}
    loops = [key for key in entries if key in _LOOPS or key.startswith("with_")]
    for key in loops:
        instead = keywords.bare_name(keyword).replace("import", "include")
        detail = f"'{keyword}' is read once, before the run, so it can't loop. Use '{instead}'."
        reading.found.add("An import in a loop", detail=detail, position=entries[key].key_position)
    keywords.check_known(entries, known.union(loops), f"'{keyword}'", reading.found)


def arguments_of(reader: KeywordReader, keyword: str, free_form: str | None = None) -> dict[str, Node]:
    """The arguments of an import; text alone is the one called ``free_form``."""
    entry = reader.entries[keyword]
    given: dict[str, Node] = {}
    if isinstance(entry.node.value, dict):
        given = {name: inner.node for name, inner in entry.node.value.items()}
    elif isinstance(entry.node.value, str):
        given = _in_text(entry.node, free_form)
    elif entry.node.value is not None:
        reader.wrong(keyword, "text or a dictionary of arguments", entry.node)
    more = reader.node("args")
    if more is not None and isinstance(more.value, dict):
        given |= {name: inner.node for name, inner in more.value.items()}
    return given


def _in_text(node: Node, free_form: str | None) -> dict[str, Node]:
    """``name=value`` words, and what is left as the argument ``free_form``."""
    text = str(node.value)
    words = split_arguments(text, {"file"} if free_form else None)
    found = {name: Node(value, node.position, node.unsafe) for name, value in words.arguments.items()}
    rest = words.rest if free_form else ""
    return found | ({free_form: Node(rest, node.position, node.unsafe)} if free_form and rest else {})


def text_of_argument(reader: KeywordReader, name: str, arguments: Mapping[str, Node]) -> Value:
    """The text of an argument, which may be a template; None if it doesn't exist."""
    node = arguments.get(name)
    return None if node is None or node.value is None else reader.text(name, node)


def file_named(keyword: str, reader: KeywordReader) -> Node | None:
    """The name of the file of ``import_tasks``, as it is written; None where there is none, which is noted."""
    arguments = arguments_of(reader, keyword, "file")
    for name, node in arguments.items():
        if name != "file":
            detail = f"'{keyword}' takes the name of a file; it has no argument '{name}'."
            reader.found.add("Unknown argument", detail=detail, position=node.position)
    if not text_of_argument(reader, "file", arguments):
        detail = f"'{keyword}' needs the name of a file."
        position = reader.entries[keyword].key_position
        reader.found.add("An import without a file", detail=detail, position=position, hides_names=True)
        return None
    return arguments["file"]


def find_tasks(
    keyword: str, named: Node, known: Known, place: tuple[Role | None, str, Path], reading: Reading
) -> Path | None:
    """The file that is named. ``place``: the role around, the kind of its files, the playbook's directory."""
    name = reading.name(keyword, plain(named, hide=False), known, named.position)
    if name is None:
        return None
    path = next((path for path in _places(name, place, reading.directories()) if path.is_file()), None)
    if path is None:
        tried = ", ".join(dict.fromkeys(str(path) for path in _places(name, place, reading.directories())))
        detail = f"There is no file '{name}'. Looked for {tried}."
        reading.found.add("A file of tasks isn't there", detail=detail, position=named.position, hides_names=True)
    return path


def _places(name: str, place: tuple[Role | None, str, Path], open_directories: Iterable[Path]) -> Iterator[Path]:
    role, kind, playbook = place
    for directory in open_directories:
        yield directory / name
    if role is not None:
        yield Path(role.path) / kind / name
        yield Path(role.path) / name
    yield playbook / kind / name
    yield playbook / name


def list_in(path: Path, imported: Position, reading: Reading) -> list[Node]:
    """What stands in a file of tasks; mistakes are noted."""
    if reading.is_open(path):
        detail = f"{reading.chain(path)}."
        reading.found.add("A file of tasks imports itself", detail=detail, position=imported)
        return []
    node = reading.document(path, imported)
    if node is None:
        return []
    if not isinstance(node.value, list):
        detail = f"A file of tasks is a list of tasks, but this is {node.kind}."
        reading.found.add("Not a list of tasks", detail=detail, position=node.position, hides_names=True)
        return []
    return node.value


def variables_known(inherited: Mapping[str, Any], play: Variables) -> Variables:
    """The variables that the name of something imported sees, of a play's list and what is around it there."""
    role: Role | None = inherited.get("role")
    layers: list[Variables] = [play, inherited.get("variables", {})]
    if role is not None:
        of_role = [role.variables, role.given]
        layers = [role.defaults, play, *of_role, inherited.get("variables", {}), role.parameters]
    return {name: value for layer in layers for name, value in layer.items()}
