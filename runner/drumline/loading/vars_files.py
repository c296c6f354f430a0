"""``vars_files`` of plays: read before the run, their variables laid over the play's ``vars``.

An entry is a name, or a list of names of which the first that is there is taken. Names are looked for as Ansible does:
in ``vars/`` beside the playbook, then beside the playbook itself. Their templates see what is the same for all hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.inventory.vars_files import read_variables
from drumline.loading.deferred import SEEN
from drumline.model.playbook import Play, Playbook
from drumline.model.value import Template, Value, Variables
from drumline.templating.failures import TemplateFailed
from drumline.templating.variables import Unresolved

#: Renders a value with the variables of a play; may raise ``TemplateFailed``.
Render: TypeAlias = Callable[[Value, Play], Any]


def with_vars_files(playbook: Playbook, render: Render, found: Diagnostics) -> Playbook:
    """The playbook with all its ``vars_files`` read; what can't be is noted, and left out."""
    if not any(play.vars_files for play in playbook.plays):
        return playbook
    return replace(playbook, plays=tuple(_with_variables(play, render, found) for play in playbook.plays))


def _with_variables(play: Play, render: Render, found: Diagnostics) -> Play:
    for entry in play.vars_files:
        variables = _entry(entry, play, render, found)
        play = replace(play, variables={**play.variables, **variables})
    return replace(play, vars_files=())


def _entry(entry: Value, play: Play, render: Render, found: Diagnostics) -> Variables:
    """The variables of the file that an entry names. Names may hold variables of the files before."""
    position = play.positions.get("vars_files", play.position)
    try:
        names = [str(render(name, play)) for name in (entry if isinstance(entry, list) else [entry])]
    except TemplateFailed as error:
        hint = f" {SEEN}" if isinstance(error, Unresolved) else ""
        detail = f"'vars_files': {error.summary}{hint}"
        found.add("A keyword can't be rendered", detail=detail, position=error.position, hides_names=True)
        return {}
    directory = Path(play.position.path).parent
    path = next((path for name in names for path in _places(name, directory) if path.is_file()), None)
    if path is None:
        detail = (
            f"None of these is there: {', '.join(str(path) for name in names for path in _places(name, directory))}."
        )
        found.add("A file of variables isn't there", detail=detail, position=_place(entry, position), hides_names=True)
        return {}
    return read_variables(path, found)


def _places(name: str, directory: Path) -> Iterator[Path]:
    written = Path(name).expanduser()
    if written.is_absolute():
        return iter([written])
    return iter([directory / "vars" / written, directory / written])


def _place(entry: Value, position: Position) -> Position:
    return entry.position if isinstance(entry, Template) else position
