"""The tables of a generator file: from files, queries, hosts of the inventory, or written in place.

What stands in a table is data: its text is never a template, whatever braces it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.inventory.patterns import select
from drumline.loading import keywords
from drumline.loading.deferred import as_node
from drumline.loading.generating.schema import Field, check_references, checked, read_schema
from drumline.loading.keywords import KeywordReader
from drumline.loading.reading import Reading
from drumline.model.host import Host
from drumline.model.value import Template, Value, Variables, text_of
from drumline.plugin.generators import RowTable
from drumline.plugin.tables import Row, rows_of_csv, rows_of_query
from drumline.source.nodes import Entry, Node, plain
from drumline.source.text import read_text
from drumline.source.yaml import load
from drumline.templating.failures import TemplateFailed

#: Where rows come from: a table says one of these.
_SOURCES = ("file", "hosts", "query", "rows")
_KEYS = frozenset({*_SOURCES, "columns", "key", "url"})
#: The column that is the key where none is named, if a row has it.
_USUAL_KEY = "name"
_CSV = (".csv", ".tsv")


class _Read(Struct, frozen=True):
    """One table that was read, and what its columns may be."""

    table: RowTable
    columns: Mapping[str, Field]


def read_tables(entries: Mapping[str, Entry], known: Variables, reading: Reading) -> dict[str, RowTable] | None:
    """All tables by name, their cells in the types of their columns; None where one can't be read, which is noted.

    ``known`` are the variables that names of files, addresses and queries may use.
    """
    read = {name: _TableReader(name, entry, known, reading).read() for name, entry in entries.items()}
    tables = {name: found.table for name, found in read.items() if found is not None}
    keys = {name: table.rows for name, table in tables.items()}
    for name, found in read.items():
        if found is not None:
            if len(tables) == len(entries):
                check_references(found.columns, entries, reading.found)
            tables[name] = _typed(found, keys, reading.found)
    return tables if len(tables) == len(entries) else None


def _typed(read: _Read, keys: Mapping[str, Mapping[str, Row]], found: Diagnostics) -> RowTable:
    if not read.columns:
        return read.table
    return replace(
        read.table, rows={key: _typed_row(key, row, read, keys, found) for key, row in read.table.rows.items()}
    )


def _typed_row(key: str, row: Row, read: _Read, keys: Mapping[str, Mapping[str, Row]], found: Diagnostics) -> Row:
    values = dict(row.values)
    for name, field in read.columns.items():
        if name not in values:
            if field.required:
                detail = f"{row_words(read.table.name, key)} has no '{name}', which {field.position} asks for."
                found.add("A cell is missing", detail=detail, position=row.position)
            elif field.default is not None:
                values[name] = field.default
            continue
        try:
            values[name] = checked(values[name], field, keys)
        except ValueError as error:
            detail = f"'{name}' {error} {row_words(read.table.name, key)}; {field.position} says what it may be."
            found.add("A cell has a wrong value", detail=detail, position=row.place(name))
    return replace(row, values=values)


def row_words(table: str, key: str) -> str:
    """``Row 'web1' of 'nodes'``."""
    return f"Row '{key}' of '{table}'"


class _TableReader:
    """Reads one table."""

    def __init__(self, name: str, entry: Entry, known: Variables, reading: Reading) -> None:
        self._name, self._known, self._reading = name, known, reading
        self._found = reading.found
        self._node = entry.node
        self._directory = Path(entry.key_position.path).parent
        value = entry.node.value
        self._entries: Mapping[str, Entry] = value if isinstance(value, dict) else {}
        if isinstance(value, (str, list)) or (self._entries and _KEYS.isdisjoint(self._entries)):
            self._entries = {"file" if isinstance(value, str) else "rows": entry}
        self._position = entry.key_position

    def read(self) -> _Read | None:
        reader = KeywordReader(self._entries, self._found)
        keywords.check_known(self._entries, _KEYS, "A table", self._found)
        columns = read_schema(reader.node("columns"), "A column", self._found)
        given = [source for source in _SOURCES if reader.node(source) is not None]
        if len(given) != 1:
            says = f"it says {' and '.join(given)}" if given else "it says none of them"
            detail = f"A table has one of {', '.join(_SOURCES)}; {says}."
            self._found.add("Where a table comes from isn't clear", detail=detail, position=self._position)
            return None
        try:
            rows = list(self._rows(given[0], reader))
        except FilesError as error:
            self._found.extend(error.diagnostics)
            return None
        except _Unnamed:
            return None
        key = reader.value("key", reader.constant)
        return _Read(RowTable(name=self._name, rows=dict(self._keyed(rows, key))), columns)

    def _rows(self, source: str, reader: KeywordReader) -> Iterable[Row]:
        node = self._entries[source].node
        if source == "rows":
            return self._of_yaml(self._given(node))
        text = self._rendered(source, reader)
        if source == "file":
            return self._of_file(self._directory / Path(text).expanduser(), node.position)
        if source == "hosts":
            return self._of_hosts(text, node.position)
        if reader.node("url") is None:
            raise _refusal("A query without a database", "'query' needs 'url': sqlite:///cmdb.db.", node.position)
        if not self._reading.trusted:
            raise _Unnamed  # files that are only looked at ask no server, and open no database
        return rows_of_query(self._rendered("url", reader), text, node.position)

    def _given(self, node: Node) -> Node:
        """Rows that are written here, or that a template gives: a variable of ``vars`` or ``-e``."""
        value = plain(node)
        if not isinstance(value, Template):
            return node
        try:
            return as_node(self._reading.value(value, self._known), node.position)
        except TemplateFailed as error:
            raise _refusal("A template can't be rendered", error.summary, error.position or node.position) from None

    def _rendered(self, keyword: str, reader: KeywordReader) -> str:
        text = reader.value(keyword, reader.text, "")
        name = self._reading.name(keyword, text, lambda: self._known, self._entries[keyword].node.position)
        if name is None:
            raise _Unnamed
        return name

    def _of_file(self, path: Path, named: Position) -> Iterable[Row]:
        self._reading.note(path, named)
        try:
            text = read_text(path)
        except FilesError as error:
            at = [replace(one, position=one.position or named) for one in error.diagnostics]
            raise FilesError(at) from None
        if path.suffix in _CSV:
            return rows_of_csv(text, str(path))
        node = load(text, str(path))
        return [] if node is None else self._of_yaml(node)

    def _of_yaml(self, node: Node) -> Iterator[Row]:
        """Rows as a list of dictionaries, or as a dictionary of them by their keys."""
        if isinstance(node.value, dict):
            for key, entry in node.value.items():
                named = Entry(entry.key_position, Node(key, entry.key_position))
                yield self._row({_USUAL_KEY: named, **self._cells(entry.node)}, entry.key_position)
        elif isinstance(node.value, list):
            for item in node.value:
                yield self._row(self._cells(item), item.position)
        else:
            detail = f"A table is a list of rows, or a dictionary of them by their keys, but this is {node.kind}."
            raise _refusal("Not a table", detail, node.position)

    def _cells(self, node: Node) -> dict[str, Entry]:
        if isinstance(node.value, dict):
            return node.value
        if node.value is not None:
            detail = f"A row is a dictionary of cells by the names of columns, but this is {node.kind}."
            self._found.add("Not a row", detail=detail, position=node.position)
        return {}

    def _row(self, cells: Mapping[str, Entry], position: Position) -> Row:
        filled = {name: entry.node for name, entry in cells.items() if entry.node.value is not None}
        return Row(
            values={name: plain(node, unsafe=True) for name, node in filled.items()},
            position=position,
            places={name: node.position for name, node in filled.items()},
        )

    def _of_hosts(self, pattern: str, position: Position) -> Iterator[Row]:
        inventory = self._reading.around.inventory
        for name in select(pattern, inventory, position=position) if inventory is not None else ():
            host = inventory.hosts[name] if inventory else Host(name=name)
            values = {**self._constant(host.variables), "groups": list(host.groups), _USUAL_KEY: name}
            yield Row(values=values, position=position)

    def _constant(self, variables: Variables) -> dict[str, Value]:
        """Variables of a host that can be known before the run; others are left out."""
        found: dict[str, Value] = {}
        for name, value in variables.items():
            try:
                found[name] = self._reading.value(value, variables)
            except TemplateFailed:
                continue
        return found

    def _keyed(self, rows: Iterable[Row], column: str | None) -> Iterator[tuple[str, Row]]:
        rows = list(rows)
        if column is None and any(_USUAL_KEY in row.values for row in rows):
            column = _USUAL_KEY
        seen: dict[str, Position] = {}
        for number, row in enumerate(rows, 1):
            if column is not None and column not in row.values:
                detail = f"Row {number} of '{self._name}' has no '{column}', which is the key of the table."
                self._found.add("A row without a key", detail=detail, position=row.position)
                continue
            key = str(number) if column is None else text_of(row.values[column])
            place = row.place(column or "")
            if key in seen:
                detail = f"Row '{key}' of '{self._name}' is already in {seen[key]}. Its keys tell rows apart."
                self._found.add("A key is there twice", detail=detail, position=place)
                continue
            seen[key] = place
            yield key, row


class _Unnamed(Exception):
    """The name of a file, or another thing that a table says, can't be rendered, which is noted."""


def _refusal(summary: str, detail: str, position: Position) -> FilesError:
    return FilesError([Diagnostic(summary=summary, detail=detail, position=position)])
