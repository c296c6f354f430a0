"""Filters over tables (CSV) and INI files.

Names, arguments and results are those that community.general documents for its filters of the same names.
"""

from __future__ import annotations

import configparser
import csv
import io
from collections.abc import Mapping
from typing import Any

from jinja2.exceptions import FilterArgumentError


def from_csv(
    data: str,
    dialect: str = "excel",
    fieldnames: Any = None,
    delimiter: str | None = None,
    skipinitialspace: bool | None = None,
    strict: bool | None = None,
) -> list[dict[str, Any]]:
    """The rows of a table, each as a dictionary; the first line has the names unless they are given."""
    if isinstance(fieldnames, str):
        fieldnames = [name.strip() for name in fieldnames.split(",")]
    options = {"delimiter": delimiter, "skipinitialspace": skipinitialspace, "strict": strict}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(str(data)), fieldnames, dialect=dialect, **given)]
    except (csv.Error, TypeError) as error:
        raise FilterArgumentError(f"'from_csv': {error}.") from None


class Ini(configparser.RawConfigParser):
    """Reads and writes INI files whose keys keep their case."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def from_ini(text: str) -> dict[str, Any]:
    """The sections of an INI text, each with its entries."""
    parser = Ini(interpolation=None)
    try:
        parser.read_string(str(text))
    except configparser.Error as error:
        raise FilterArgumentError(f"This is no INI: {error}.") from None
    found = {name: dict(parser.items(name)) for name in parser.sections()}
    return {**found, **({"DEFAULT": dict(parser.defaults())} if parser.defaults() else {})}


def to_ini(value: Mapping[Any, Any]) -> str:
    """Sections with their entries as an INI text."""
    if not isinstance(value, Mapping) or not value:
        raise FilterArgumentError("'to_ini' takes a dictionary of sections.")
    parser, written = Ini(interpolation=None), io.StringIO()
    try:
        parser.read_dict(value)
    except (configparser.Error, AttributeError, TypeError, ValueError) as error:
        raise FilterArgumentError(f"'to_ini': {error}.") from None
    parser.write(written)
    return written.getvalue().rstrip("\n") + "\n"
