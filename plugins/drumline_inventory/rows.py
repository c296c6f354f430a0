"""From rows to hosts: one column names the host, one its groups, and the others are its variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drumline.plugin import Argument, Diagnostics, FilesError, Position, SourceCall, SourceData, did_you_mean
from drumline.plugin.tables import Row
from drumline_inventory.constructed import OPTIONS, construct

#: The columns that name the host where no option says which.
_HOST = ("host", "inventory_hostname", "hostname", "name")
_GROUPS = "groups"
_SEPARATORS = re.compile(r"[,;\s]+")

#: The options of all sources that are made of rows.
ROW_OPTIONS = (
    Argument(
        name="host_column",
        help="The column that names the host; by default `host`, `inventory_hostname`, `hostname` or `name`.",
    ),
    Argument(
        name="groups_column",
        default=_GROUPS,
        help="The column with the host's groups: a list, or text with commas, semicolons or spaces between them.",
    ),
    *OPTIONS,
)


def hosts_of(call: SourceCall, rows: Sequence[Row], what: str, *, trusted: bool, option: str = "") -> SourceData:
    """The hosts in these rows. Raises ``FilesError`` for rows that can't be any; ``what`` is what gave them.

    ``option`` is the one to blame if there is no column for hosts.
    """
    if not rows:
        return SourceData(trusted=trusted)
    column = _host_column(call, rows, what, option)
    mistakes = Diagnostics()
    hosts: dict[str, dict[str, Any]] = {}
    members: dict[str, dict[str, None]] = {}
    places: dict[str, Position] = {}
    groups_column = call["groups_column"]
    for row in rows:
        name = row.values.get(column)
        if name in (None, ""):
            detail = f"Its column '{column}' is empty."
            mistakes.add("A row names no host", detail=detail, position=row.position)
            continue
        host = str(name)
        places.setdefault(host, row.position)
        own = {key: value for key, value in row.values.items() if key not in (column, groups_column)}
        hosts.setdefault(host, {}).update(own)
        for group in groups_in(row.values.get(groups_column)):
            members.setdefault(group, {})[host] = None
    if mistakes:
        raise FilesError(mistakes)
    return SourceData(hosts=hosts, members=dict(members.items()), places=places, trusted=trusted)


def _host_column(call: SourceCall, rows: Iterable[Row], what: str, option: str) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    wanted = call["host_column"]
    found = wanted if wanted in columns else next((name for name in _HOST if name in columns), None)
    if found is None or (wanted and wanted not in columns):
        asked = f"no column '{wanted}'" if wanted else f"none of the columns {', '.join(_HOST)}"
        hint = did_you_mean(wanted, columns) if wanted else " Name the one with the host's name: host_column."
        detail = f"{what} has {asked}. It has: {', '.join(columns)}.{hint}"
        call.refuse("There is no column for hosts", detail, "host_column" if wanted else option)
    return str(found)


def groups_in(value: Any) -> list[str]:
    """The groups in a cell."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [str(name) for name in value]
    return [name for name in _SEPARATORS.split(str(value)) if name]


def with_constructed(call: SourceCall, data: SourceData) -> SourceData:
    """The data with what ``compose``, ``groups`` and ``keyed_groups`` make of its hosts."""
    if not any(call.options.get(name) for name in ("compose", "groups", "keyed_groups")):
        return data
    groups: dict[str, list[str]] = {host: [] for host in data.hosts}
    for group, members in data.members.items():
        for host in members:
            groups[host].append(group)
    seen = {
        host: {
            **variables,
            "inventory_hostname": host,
            "inventory_hostname_short": host.partition(".")[0],
            "group_names": sorted(groups[host]),
        }
        for host, variables in data.hosts.items()
    }
    made = construct(call, seen)
    untrusted = _as_data if data.trusted else dict
    return SourceData(
        groups=data.groups,
        hosts={host: {**variables, **untrusted(made.hosts[host])} for host, variables in data.hosts.items()},
        members=_joined(data.members, made.members),
        children=_joined(data.children, made.children),
        places=data.places,
        trusted=data.trusted,
        mark=data.mark,
        warnings=data.warnings,
    )


def _as_data(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with texts in them that are never templates."""
    return {name: _unsafe(value) for name, value in variables.items()}


def _unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return {"__ansible_unsafe": value} if "{" in value else value
    if isinstance(value, Mapping):
        return {str(name): _unsafe(item) for name, item in value.items()}
    return [_unsafe(item) for item in value] if isinstance(value, list | tuple) else value


def _joined(first: Mapping[str, Iterable[str]], second: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys([*first, *second])
    return {name: tuple(dict.fromkeys([*first.get(name, ()), *second.get(name, ())])) for name in names}
