"""What a plugin that generates plays provides: a function from tables of metadata to plays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.diagnostics import Diagnostics, Position
from drumline.plugin.tables import Row


class RowTable(Struct, frozen=True, kw_only=True):
    """A table of metadata: nodes, components, environments, …"""

    name: str
    rows: Mapping[str, Row]  #: By their keys, in order.


class GeneratedPlay(Struct, frozen=True, kw_only=True):
    """A play: a pattern, with parameters, for one row of a table or several."""

    id: str
    table: str
    #: The keys of its rows, and for each of them a pattern of hosts. drumline says so if a row has none.
    hosts: Mapping[str, str]
    pattern: str
    name: str = ""
    needs: Sequence[str] = ()  #: Ids of plays.
    #: What the pattern is given beside the cells that have the names of its parameters.
    parameters: Mapping[str, Any] = {}
    keywords: Mapping[str, Any] = {}  #: Other keywords of plays, rendered.
    position: Position  #: What asks for it.
    places: Mapping[str, Position] = {}  #: Of ``parameters``, and of the keywords.


class Metadata(Struct, frozen=True, kw_only=True):
    """What a generator is given."""

    tables: Mapping[str, RowTable]
    patterns: Sequence[str]  #: Their names.
    plays: Any  #: What the file says under ``plays``; text with braces is rendered by ``render``.
    place: Callable[[str], Position]  #: Where a part of ``plays`` stands: ``place("0.needs.1")``.
    #: Renders templates at any depth with these variables, and what else is known before the run. Raises
    #: ``FilesError``.
    render: Callable[[Any, Mapping[str, Any]], Any]
    #: Whether a condition, such as ``row.site == 'north'``, holds. Raises ``FilesError``.
    holds: Callable[[Any, Mapping[str, Any], Position], bool]
    found: Diagnostics  #: Gets what is wrong with the file and the tables.


#: Gives the plays, in the order in which they are shown.
Generator: TypeAlias = Callable[[Metadata], Iterable[GeneratedPlay]]
