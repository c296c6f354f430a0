"""``vars_files`` of plays, whose variables are laid over the play's ``vars``.

An entry is a name, or a list of names of which the first that is there is taken. Names are looked for as Ansible does:
in ``vars/`` beside the playbook, then beside the playbook itself. They are read before the run, as far as their names
are the same for all hosts. From the first entry on whose name isn't, they are read for each host, by a task that comes
before all others, after the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.inventory.combining import combined
from drumline.inventory.vars_files import read_variables
from drumline.loading.deferred import SEEN
from drumline.loading.ids import unique_ids
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.value import Template, Value, Variables
from drumline.plugin.actions import Action
from drumline.templating.failures import TemplateFailed
from drumline.templating.variables import Unresolved

#: The keyword of a play, which is also the name of the action.
_KEYWORD = "vars_files"
NO_ACTIONS: Mapping[str, Action] = {}
#: Renders a value with the variables of a play; may raise ``TemplateFailed``.
Render: TypeAlias = Callable[[Value, Play], Any]


def with_vars_files(
    playbook: Playbook, render: Render, found: Diagnostics, actions: Mapping[str, Action] = NO_ACTIONS
) -> Playbook:
    """The playbook with all its ``vars_files`` read, or left to a task; what can't be is noted, and left out."""
    if not any(play.vars_files for play in playbook.plays):
        return playbook
    return replace(playbook, plays=tuple(_with_variables(play, render, found, actions) for play in playbook.plays))


def _with_variables(play: Play, render: Render, found: Diagnostics, actions: Mapping[str, Action]) -> Play:
    action = actions.get(_KEYWORD)
    for number, entry in enumerate(play.vars_files):
        try:
            variables = _entry(entry, play, render, found)
        except TemplateFailed as error:
            if action is not None and isinstance(error, Unresolved):
                task = _task(play, action, play.vars_files[number:])
                return replace(play, vars_files=(), tasks=(task, *play.tasks))
            hint = f" {SEEN}" if isinstance(error, Unresolved) else ""
            detail = f"'vars_files': {error.summary}{hint}"
            found.add("A keyword can't be rendered", detail=detail, position=error.position, hides_names=True)
            continue
        play = replace(play, variables=combined([play.variables, variables]))
    return replace(play, vars_files=())


def _task(play: Play, action: Action, entries: Sequence[Value]) -> Task:
    """The task that reads these entries on each host."""
    taken = [element.id for element in play.elements]
    return Task(
        id=unique_ids([*taken, None], [*taken, "variables-of-files"])[-1],
        name="Variables of files",
        action=action.name,
        traits=action.traits,
        arguments={"files": [*entries]},
        position=play.positions.get("vars_files", play.position),
        tags=frozenset({"always"}),
        first=True,
    )


def _entry(entry: Value, play: Play, render: Render, found: Diagnostics) -> Variables:
    """The variables of the file that an entry names, which may hold variables of the files before.

    Raises ``TemplateFailed``.
    """
    position = play.positions.get("vars_files", play.position)
    names = [str(render(name, play)) for name in (entry if isinstance(entry, list) else [entry])]
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
