"""Hosts from a database, by an SQLAlchemy URL and queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData, SourceUnavailable
from drumline.plugin.tables import DatabaseSilent, Row, rows_of_query
from drumline_inventory.rows import ROW_OPTIONS, hosts_of, with_constructed


def _read(call: SourceCall) -> SourceData:
    rows = _rows(call, "hosts")
    data = hosts_of(call, rows, "What the query gives", trusted=False, option="hosts")
    memberships = _rows(call, "members") if call["members"] else []
    variables = _rows(call, "variables") if call["variables"] else []
    return with_constructed(call, _with_variables(call, _with_members(call, data, memberships), variables))


def _rows(call: SourceCall, option: str) -> list[Row]:
    place = call.places.get(option) or Position(call.source, 0)
    try:
        rows = rows_of_query(call["url"], call[option], place)
    except DatabaseSilent as error:
        raise SourceUnavailable(error.diagnostics[0].detail) from None
    return [replace(row, values={name: _plain(value) for name, value in row.values.items()}) for row in rows]


def _plain(value: Any) -> Any:
    """A value of a database as a variable: numbers, texts and lists stay; dates and the like become text."""
    if isinstance(value, str | bool | int | float | None):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _cell(call: SourceCall, row: Row, column: str, option: str) -> str:
    if row.values.get(column) in (None, ""):
        call.refuse("A query lacks a column", f"'{option}' needs a column '{column}' that is never empty.", option)
    return str(row.values[column])


def _with_members(call: SourceCall, data: SourceData, rows: Sequence[Row]) -> SourceData:
    """A row has a group, and a host or a child group in it."""
    members = {group: dict.fromkeys(hosts) for group, hosts in data.members.items()}
    children = {group: dict.fromkeys(groups) for group, groups in data.children.items()}
    hosts = dict(data.hosts)
    for row in rows:
        group = _cell(call, row, "group", "members")
        if row.values.get("child") is not None:
            children.setdefault(group, {})[str(row.values["child"])] = None
        else:
            host = _cell(call, row, "host", "members")
            hosts.setdefault(host, {})
            members.setdefault(group, {})[host] = None
    return replace(data, hosts=hosts, members=members, children=children)


def _with_variables(call: SourceCall, data: SourceData, rows: Sequence[Row]) -> SourceData:
    """A row has a host or a group, the name of a variable, and its value."""
    hosts = {host: dict(variables) for host, variables in data.hosts.items()}
    groups = {group: dict(variables) for group, variables in data.groups.items()}
    for row in rows:
        name = _cell(call, row, "name", "variables")
        if row.values.get("group") is not None:
            groups.setdefault(str(row.values["group"]), {})[name] = row.values.get("value")
        else:
            hosts.setdefault(_cell(call, row, "host", "variables"), {})[name] = row.values.get("value")
    return replace(data, hosts=hosts, groups=groups)


SOURCE = InventorySource(
    name="sql",
    read=_read,
    waits=True,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(
            name="url",
            required=True,
            help="The database, as SQLAlchemy has it: `sqlite:///cmdb.db`, `postgresql+psycopg://user@server/cmdb`. "
            "Take a password from a secret.",
        ),
        Argument(name="hosts", required=True, help="A query with a row for each host; its columns are variables."),
        Argument(name="members", help="A query with the columns `group`, and `host` or `child`, a group in it."),
        Argument(name="variables", help="A query with the columns `host` or `group`, `name` and `value`."),
        *ROW_OPTIONS,
    ),
)
