"""Generated plays as plays: the tasks of their patterns, with what their rows give as variables.

The tasks of a pattern are read once, whatever the number of rows; only what the rows say differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Position, did_you_mean
from drumline.errors import FilesError
from drumline.inventory.patterns import select
from drumline.loading.deferred import as_node
from drumline.loading.generating.patterns import Pattern
from drumline.loading.generating.schema import Field, checked
from drumline.loading.generating.tables import row_words
from drumline.loading.ids import ID, IDENTIFIER
from drumline.loading.needs import cycles
from drumline.loading.plays import read_play
from drumline.loading.reading import Reading
from drumline.model.playbook import FromRow, GeneratedFrom, Play, TaskPath
from drumline.model.value import Variables
from drumline.plugin.generators import GeneratedPlay, RowTable
from drumline.plugin.tables import Row
from drumline.source.nodes import Entry, Node

_ABSENT = object()


def plays_of(
    generated: Sequence[GeneratedPlay],
    tables: Mapping[str, RowTable],
    patterns: Mapping[str, Pattern],
    reading: Reading,
) -> list[Play]:
    """The plays; mistakes are noted."""
    maker = _Maker(tables, patterns, reading)
    plays = [play for one in generated if (play := maker.play(one)) is not None]
    return [replace(play, needs=()) for play in plays] if _have_cycles(plays, reading) else plays


class _Maker:
    def __init__(self, tables: Mapping[str, RowTable], patterns: Mapping[str, Pattern], reading: Reading) -> None:
        self._tables, self._patterns, self._reading = tables, patterns, reading
        self._found = reading.found
        self._keys = {name: table.rows for name, table in tables.items()}
        self._read: dict[tuple[str, Position, str], Play] = {}
        self._ids: dict[str, Position] = {}

    def play(self, one: GeneratedPlay) -> Play | None:
        rows = {key: self._tables[one.table].rows[key] for key in one.hosts}
        first = next(iter(rows.values()))
        pattern = self._patterns.get(one.pattern)
        if pattern is None:
            hint = did_you_mean(one.pattern, self._patterns)
            detail = f"{_words(one)} ({first.position}) asks for pattern '{one.pattern}', and there is none.{hint}"
            position = one.places.get("pattern", one.position)
            self._found.add("Unknown pattern", detail=detail, position=position, hides_names=True)
            return None
        self._check_hosts(one, rows)
        if not self._has_good_id(one, first):
            return None
        base = self._base(pattern, one)
        own = {
            "name": one.name or f"{pattern.name}: {', '.join(one.hosts)}",
            "id": one.id,
            "hosts": ",".join(dict.fromkeys(hosts for hosts in one.hosts.values() if hosts)),
            "needs": tuple(one.needs),
        }
        variables = self._variables(one, pattern, rows)
        if self._reading.written is not None:
            self._reading.written.append(_as_written({**own, **one.keywords, "vars": variables}, pattern, first))
        return replace(
            base,
            **own,
            variables=variables,
            positions={**base.positions, **dict.fromkeys(("id", "hosts", "needs", "vars"), first.position)},
            origin=GeneratedFrom(
                rows=tuple(FromRow(table=one.table, key=key, position=row.position) for key, row in rows.items()),
                pattern=pattern.name,
                position=pattern.position,
            ),
        )

    def _base(self, pattern: Pattern, one: GeneratedPlay) -> Play:
        """The play as it is for all rows with the same keywords."""
        key = pattern.name, one.position, repr(one.keywords)
        if key not in self._read:
            given = {
                name: Entry(at := one.places.get(name, one.position), as_node(value, at))
                for name, value in one.keywords.items()
            }
            hosts = Entry(one.position, Node("all", one.position))
            with self._reading.opened(Path(pattern.position.path)):
                self._read[key] = read_play({"hosts": hosts, **given, **pattern.content}, one.position, self._reading)
        return self._read[key]

    def _has_good_id(self, one: GeneratedPlay, row: Row) -> bool:
        if not ID.match(one.id):
            detail = f"{_words(one)} gives a play the id {one.id!r}. An id has letters, digits, '_' and '-' only."
            self._found.add("Not a valid id", detail=detail, position=row.position)
            return False
        if one.id in self._ids:
            detail = (
                f"{_words(one)} gives a play the id '{one.id}', and so does {self._ids[one.id]}. Give each play an "
                "id of its own."
            )
            self._found.add("Two plays of one id", detail=detail, position=row.position)
            return False
        self._ids[one.id] = row.position
        return True

    def _check_hosts(self, one: GeneratedPlay, rows: Mapping[str, Row]) -> None:
        inventory = self._reading.around.inventory
        for key, hosts in one.hosts.items():
            words = row_words(one.table, key)
            if not hosts:
                detail = f"{words} gives no host to run on."
                self._found.add("A row without nodes", detail=detail, position=rows[key].position)
            elif inventory is not None and hosts not in inventory.hosts:
                try:
                    select(hosts, inventory, position=rows[key].position)
                except FilesError as error:
                    for mistake in error.diagnostics:
                        detail = f"{words} is for '{hosts}'. {mistake.detail}"
                        self._found.add("A row without nodes", detail=detail, position=mistake.position)

    # Parameters.

    def _variables(self, one: GeneratedPlay, pattern: Pattern, rows: Mapping[str, Row]) -> Variables:
        if pattern.parameters is None:
            first, *others = rows.values()
            common = {
                name: value
                for name, value in first.values.items()
                if IDENTIFIER.match(name) and all(row.values.get(name) == value for row in others)
            }
            return {**common, **one.parameters}
        for name in one.parameters:
            if name not in pattern.parameters:
                self._unknown(name, one, pattern)
        given = ((field, self._given(field, one, pattern, rows)) for field in pattern.parameters.values())
        return {field.name: value for field, value in given if value is not _ABSENT}

    def _given(self, field: Field, one: GeneratedPlay, pattern: Pattern, rows: Mapping[str, Row]) -> Any:
        """What a parameter is given, in its type."""
        first = next(iter(rows.values()))
        value = one.parameters[field.name] if field.name in one.parameters else self._cell(field.name, one, rows)
        if value is _ABSENT or value is None:
            if field.required:
                detail = (
                    f"{_words(one)} has no '{field.name}', which pattern '{pattern.name}' needs ({field.position})."
                )
                self._found.add("A parameter is missing", detail=detail, position=first.position)
            return field.default if field.default is not None else _ABSENT
        try:
            return checked(value, field, self._keys)
        except ValueError as error:
            detail = (
                f"'{field.name}' {error} {_words(one)}; pattern '{pattern.name}' says what it may be: {field.position}."
            )
            self._found.add("A parameter has a wrong value", detail=detail, position=first.place(field.name))
            return _ABSENT

    def _cell(self, name: str, one: GeneratedPlay, rows: Mapping[str, Row]) -> Any:
        """The cell of this name, which has to be the same in all rows of the play."""
        (key, first), *others = rows.items()
        value = first.values.get(name, _ABSENT)
        for other, row in others:
            if row.values.get(name, _ABSENT) != value:
                detail = (
                    f"'{name}' differs between row '{key}' ({first.place(name)}) and row '{other}' ({row.place(name)}) "
                    f"of '{one.table}', which are in one play. Give them plays of their own."
                )
                self._found.add("A parameter with several values in one play", detail=detail, position=one.position)
                break
        return value

    def _unknown(self, name: str, one: GeneratedPlay, pattern: Pattern) -> None:
        hint = did_you_mean(name, pattern.parameters or ())
        detail = f"Pattern '{pattern.name}' ({pattern.position}) has no parameter '{name}'.{hint}"
        position = one.places.get("parameters", one.position)
        self._found.add("Unknown parameter", detail=detail, position=position)


def _as_written(keywords: Mapping[str, Any], pattern: Pattern, row: Row) -> Node:
    """The play as one would write it by hand."""
    entries = {name: Entry(row.position, as_node(value, row.position)) for name, value in keywords.items()}
    return Node({**entries, **pattern.content}, row.position)


def _words(one: GeneratedPlay) -> str:
    return row_words(one.table, next(iter(one.hosts)))


def _have_cycles(plays: Sequence[Play], reading: Reading) -> bool:
    """Whether rows need one another, which is noted: of needs of plays it shouldn't be said again."""
    by_path = {play.path: play for play in plays}
    graph = {
        play.path: tuple(path for name in play.needs or () if (path := TaskPath(name)) in by_path) for play in plays
    }
    wrong = cycles(graph)
    for cycle in wrong:
        rows = [_row_of(by_path[path]) for path in (*cycle, cycle[0])]
        detail = f"{rows[0]} needs {', which needs '.join(rows[1:])}. Remove one of these needs."
        first = by_path[cycle[0]]
        summary = "Rows form a cycle" if len(cycle) > 1 else "A row that needs itself"
        reading.found.add(summary, detail=detail, position=first.positions["needs"])
    return bool(wrong)


def _row_of(play: Play) -> str:
    assert play.origin is not None
    first = play.origin.rows[0]
    return f"'{first.key}' ({first.position})"
