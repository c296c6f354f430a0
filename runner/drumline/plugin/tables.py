"""Tables of records: CSV text and what a query of a database gives, as rows that know where they stand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError

#: What separates cells in files of the usual programs; the one that the first line has most often counts.
_SEPARATORS = (",", ";", "\t")


class DatabaseSilent(FilesError):
    """A database can't be reached, or refuses the log-in."""


class Row(Struct, frozen=True, kw_only=True):
    """One record. Its values are data, whatever braces they hold."""

    values: Mapping[str, Any]  #: By column. Of CSV all are text.
    position: Position
    places: Mapping[str, Position] = {}  #: Of cells, as far as they have one.

    def place(self, column: str) -> Position:
        """Where a cell stands; for one that isn't there, the row."""
        return self.places.get(column, self.position)


def rows_of_csv(text: str, path: str) -> list[Row]:
    """The records of CSV text, whose first one names the columns; empty cells are left out, and so are empty lines.

    Cells are separated by commas, semicolons or tabs. Raises ``FilesError`` with every mistake in it.
    """
    records = _records(text, path)
    header = next(records, None)
    if header is None:
        return []
    names = {name: place for name, place in header if name}
    mistakes = [_twice(name, place) for name, place in header if name and names[name] != place]
    rows: list[Row] = []
    for record in records:
        cells = dict(zip((name for name, _ in header), record, strict=False))
        if len(record) > len(header):
            mistakes.append(_too_many(record[len(header)][1], len(record), len(header)))
        filled = {name: cell for name, cell in cells.items() if name and cell[0]}
        rows.append(
            Row(
                values={name: cell for name, (cell, _) in filled.items()},
                position=record[0][1],
                places={name: place for name, (_, place) in filled.items()},
            )
        )
    if mistakes:
        raise FilesError(mistakes)
    return rows


def _twice(name: str, place: Position) -> Diagnostic:
    detail = f"Another column is named '{name}', too. Rename one of them."
    return Diagnostic(summary="A column is there twice", detail=detail, position=place)


def _too_many(place: Position, cells: int, columns: int) -> Diagnostic:
    detail = f"This row has {cells} cells, and there are {columns} columns. Quote text that has a separator in it."
    return Diagnostic(summary="A row with more cells than columns", detail=detail, position=place)


def _records(text: str, path: str) -> Iterator[list[tuple[str, Position]]]:
    """The cells of each record that isn't empty, without the space around them, and where they stand."""
    import csv  # imported late: few have tables

    lines = text.splitlines(keepends=True)
    separator = max(_SEPARATORS, key=(lines[0] if lines else "").count)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    end = 0
    while True:
        first = end
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            detail = f"{str(error)[:1].upper()}{str(error)[1:]}. A quote within quotes is written twice."
            place = Position(path, first + 1)
            raise FilesError([Diagnostic(summary="This isn't CSV", detail=detail, position=place)]) from None
        end = reader.line_num
        if any(cell.strip() for cell in cells):
            places = _places("".join(lines[first:end]), separator, Position(path, first + 1))
            yield [(cell.strip(), place) for cell, place in zip(cells, places, strict=False)]


def _places(text: str, separator: str, start: Position) -> Iterator[Position]:
    """Where the cells of a record begin, whose text this is."""
    place, quoted = start, False
    yield place
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            before = text[: at + 1]
            yield Position(start.path, start.line + before.count("\n"), at + 1 - before.rfind("\n"))


def rows_of_query(url: str, query: str, place: Position) -> list[Row]:
    """What a query gives, by an SQLAlchemy URL (``sqlite:///cmdb.db``, ``postgresql+psycopg://host/cmdb``).

    The line of a row's position is its number; ``place`` is where the query stands. Raises ``FilesError``, which is a
    ``DatabaseSilent`` if it can't be asked at all.
    """
    try:
        import sqlalchemy
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        raise _refused("It needs the Python package SQLAlchemy: pip install 'drumline[sql]'.", place) from None
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        _require_file(engine.url.database if engine.url.drivername.startswith("sqlite") else None, place)
        with _connected(engine, place) as connection:
            result = connection.execute(sqlalchemy.text(query))
            if not result.returns_rows:
                raise _refused("It gives no rows: a query begins with SELECT.", place)
            columns, records = list(result.keys()), [tuple(record) for record in result]
    except (SQLAlchemyError, ImportError) as error:
        raise _refused(_reason(error), place) from None
    shown = engine.url.render_as_string(hide_password=True)
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise _refused(f"Two of its columns are named '{twice}'. Rename one with AS.", place)
    return [
        Row(
            values={name: cell for name, cell in zip(columns, record, strict=True) if cell is not None},
            position=Position(shown, number),
        )
        for number, record in enumerate(records, 1)
    ]


def _connected(engine: Any, place: Position) -> Any:
    from sqlalchemy.exc import DBAPIError

    try:
        return engine.connect()
    except DBAPIError as error:
        raise DatabaseSilent(_refused(_reason(error), place).diagnostics) from None


def _require_file(database: str | None, place: Position) -> None:
    """Refuse a database of SQLite that isn't there: SQLite would make an empty one."""
    if database not in (None, "", ":memory:") and not os.path.exists(str(database)):
        raise _refused(f"There is no file '{database}'.", place)


def _reason(error: Exception) -> str:
    """What a database says, without the statement, which may hold what is secret."""
    if isinstance(error, ImportError):
        return f"The Python package '{error.name}' is not installed."
    said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return f"The database says: {said[0]}"


def _refused(detail: str, place: Position) -> FilesError:
    return FilesError([Diagnostic(summary="A query can't be used", detail=detail, position=place)])
