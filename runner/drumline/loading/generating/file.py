"""A generator file: tables, patterns and rules, and the plays that come of them.

::

    tables: {nodes: nodes.csv}
    patterns: {web: patterns/web.yml}
    plays:
      - {for_each: nodes, pattern: web, needs: "{{ row.depends_on }}"}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drumline.diagnostics import Diagnostic, Diagnostics, Position, did_you_mean
from drumline.errors import FilesError
from drumline.inventory.variables import Facts
from drumline.loading import keywords
from drumline.loading.generating.patterns import read_patterns
from drumline.loading.generating.plays import plays_of
from drumline.loading.generating.rules import generate
from drumline.loading.generating.tables import read_tables
from drumline.loading.keywords import KeywordReader
from drumline.loading.reading import Reading
from drumline.model.playbook import Play
from drumline.model.value import Template, Value, Variables
from drumline.plugin.generators import Generator, Metadata
from drumline.source.nodes import Entry, Node, plain
from drumline.templating.failures import TemplateFailed

#: The generator of a file that names none.
RULES = "rules"
#: What a file has to have to be one.
PLAYS = "plays"
_FAILED = "A template can't be rendered"
_KEYS = frozenset({"generator", "patterns", PLAYS, "tables", "vars"})


def read_generator(node: Node, given: Variables, reading: Reading) -> list[Play]:
    """The plays of what stands in a generator file; mistakes are noted. ``given`` are stronger than its ``vars``."""
    with reading.hiding_names():  # what plays there are isn't known then, so what they define isn't, either
        return _read(node, given, reading)


def _read(node: Node, given: Variables, reading: Reading) -> list[Play]:
    assert isinstance(node.value, dict)
    entries = node.value
    reader = KeywordReader(entries, reading.found)
    keywords.check_known(entries, _KEYS, "A generator", reading.found)
    inventory = reading.around.inventory
    of_all = inventory.groups["all"].variables if inventory is not None else {}
    known = {**of_all, **reader.value("vars", reader.variables, {}), **given}
    generator = _generator(reader, reading)
    sections = {name: _dictionary(reader, name, reading) for name in ("tables", "patterns")}
    before = len(reading.found)
    tables = read_tables(sections["tables"], known, reading)
    sound = len(reading.found) == before
    patterns = read_patterns(sections["patterns"], sections["tables"], reading)
    rules = reader.node(PLAYS)
    if rules is None:
        detail = f"A generator says under '{PLAYS}' which rows have plays, and what these need."
        reading.found.add("A generator without plays", detail=detail, position=node.position)
    if tables is None or rules is None or generator is None:
        return []
    noted = Diagnostics()
    metadata = Metadata(
        tables=tables,
        patterns=tuple(patterns),
        plays=plain(rules),
        place=_places(rules),
        render=_renderer(known, reading),
        holds=_condition(known, reading),
        found=noted,
    )
    generated = list(generator(metadata))
    # A template that fails may only follow from a cell that is wrong or missing.
    reading.found.extend(one for one in noted if sound or one.summary != _FAILED)
    return plays_of(generated, tables, patterns, reading)


def _generator(reader: KeywordReader, reading: Reading) -> Generator | None:
    name = reader.value("generator", reader.constant, RULES)
    known = reading.around.generators or {RULES: generate}
    if name not in known:
        hint = did_you_mean(name, known) or f" There are {', '.join(known)}."
        node = reader.node("generator")
        assert node is not None
        reader.problem(f"No plugin offers a generator '{name}'.{hint}", node)
    return known.get(name)


def _dictionary(reader: KeywordReader, keyword: str, reading: Reading) -> Mapping[str, Entry]:
    node = reader.node(keyword)
    if node is not None and isinstance(node.value, str):
        path = Path(node.position.path).parent / Path(node.value).expanduser()
        if not path.is_file():
            detail = f"'{keyword}' names a file, and there is no file '{path}'."
            reading.found.add("A part of a generator isn't there", detail=detail, position=node.position)
            return {}
        node = reading.document(path, node.position)
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        reader.wrong(keyword, f"a dictionary of {keyword} by their names, or a file of one", node)
        return {}
    return node.value


def _places(rules: Node) -> Callable[[str], Position]:
    """Finds where a part stands, given by the keys and numbers that lead there; the nearest part around it."""

    def place(path: str) -> Position:
        node, position = rules, rules.position
        for word in filter(None, path.split(".")):
            if isinstance(node.value, dict) and word in node.value:
                position, node = node.value[word].key_position, node.value[word].node
            elif isinstance(node.value, list) and word.isdigit() and int(word) < len(node.value):
                node = node.value[int(word)]
                position = node.position
            else:
                break
        return position

    return place


def _renderer(known: Variables, reading: Reading) -> Callable[[Any, Mapping[str, Any]], Any]:
    def render(value: Value, variables: Mapping[str, Any]) -> Any:
        try:
            return reading.value(value, Facts(variables), known)
        except TemplateFailed as error:
            raise _failed(error) from None

    return render


def _condition(known: Variables, reading: Reading) -> Callable[[Any, Mapping[str, Any], Position], bool]:
    compiled: dict[str, Template] = {}  # one object for each, since templates are compiled once by identity

    def holds(conditions: Any, variables: Mapping[str, Any], position: Position) -> bool:
        items = conditions if isinstance(conditions, list) else [conditions]
        expressions = [
            item if isinstance(item, bool) else compiled.setdefault(str(item), Template(str(item), position, bare=True))
            for item in items
        ]
        try:
            return reading.holds(expressions, Facts(variables), known)
        except TemplateFailed as error:
            raise _failed(error) from None

    return holds


def _failed(error: TemplateFailed) -> FilesError:
    return FilesError([Diagnostic(summary=_FAILED, detail=error.summary, position=error.position)])
