"""``read_csv``: a table in a file of the host."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Result,
    Steps,
    Traits,
)
from drumline.plugin.kit import read_original

_FORMAT = ("delimiter", "skipinitialspace", "strict")


def perform(call: Call) -> Steps:
    original = yield from read_original(call, call["path"])
    if not original.exists:
        raise ActionFailed(f"Unable to open file: {original.path} isn't there, or is no file")
    rows = _rows(call, original.content.decode("utf-8-sig", "replace"))
    if call["key"] is None:
        return Result(values={"list": rows, "dict": {}})
    return Result(values={"list": [], "dict": _by_key(call, rows)})


def _rows(call: Call, text: str) -> list[dict[str, Any]]:
    if call["dialect"] not in csv.list_dialects():
        raise ActionFailed(f"There is no dialect '{call['dialect']}': use one of {', '.join(csv.list_dialects())}")
    given: dict[str, Any] = {name: call[name] for name in _FORMAT if call[name] is not None}
    names: Sequence[str] | None = call["fieldnames"] and [str(name) for name in call["fieldnames"]]
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text), names, dialect=call["dialect"], **given)]
    except (csv.Error, TypeError) as error:
        raise ActionFailed(f"Unable to process file: {error}") from None


def _by_key(call: Call, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    key, found = call["key"], {}
    for row in rows:
        if key not in row:
            raise ActionFailed(f"Key {key} was not found in the CSV header fields: {', '.join(map(str, row))}")
        if call["unique"] and row[key] in found:
            raise ActionFailed(f"Key {key} is not unique for value {row[key]}")
        found[row[key]] = row
    return found


ACTIONS = (
    Action(
        name="read_csv",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Read a table of comma-separated values from the host",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("filename",), help="File on the host"),
            Argument(name="key", help="Column by whose values the rows are named: a dictionary instead of a list"),
            Argument(name="dialect", default="excel", help="excel, excel-tab or unix"),
            Argument(name="fieldnames", type=list, help="Names of the columns, where the first line isn't these"),
            Argument(name="unique", type=bool, default=True, help="Fail where two rows have the same value of key"),
            Argument(name="delimiter", help="What stands between values; default: the dialect's"),
            Argument(name="skipinitialspace", type=bool, help="Leave out spaces behind the delimiter"),
            Argument(name="strict", type=bool, help="Fail for values that aren't quoted well"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
