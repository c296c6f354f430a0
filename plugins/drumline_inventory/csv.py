"""Hosts from a table in CSV: its first line names the columns, and each further one is a host.

::

    host,groups,ansible_host,rack
    web1,"web,canary",10.0.0.4,7
"""

from __future__ import annotations

from typing import Any

from drumline.plugin import Argument, InventorySource, SourceCall, SourceData
from drumline.plugin.tables import Row, rows_of_csv
from drumline_inventory.rows import ROW_OPTIONS, hosts_of, with_constructed

#: What stands for something else than text in a cell.
_WORDS = {"true": True, "false": False}
#: A whole number with more digits is a name, not a number.
_MOST_DIGITS = 15


def _read(call: SourceCall) -> SourceData:
    path = call.file()
    rows = [
        Row(
            values={name: cell_value(cell) for name, cell in row.values.items()},
            position=row.position,
            places=row.places,
        )
        for row in rows_of_csv(call.read_text(path), str(path))
    ]
    return with_constructed(call, hosts_of(call, rows, "The table", trusted=True))


def cell_value(text: str) -> Any:
    """A cell: whole numbers without leading zeros, ``true`` and ``false``, and else text."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    digits = text.removeprefix("-")
    if digits.isdecimal() and digits.isascii() and len(digits) <= _MOST_DIGITS and (digits[0] != "0" or digits == "0"):
        return int(text)
    return text


SOURCE = InventorySource(
    name="csv",
    read=_read,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="path", required=True, help="The table, relative to the directory of the file that names it."),
        *ROW_OPTIONS,
    ),
)
