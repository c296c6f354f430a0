"""Tasks that add others while the run goes on (``include_tasks``): what holds for those, and reading them.

As in Ansible, the keywords of an include are its own: ``when`` decides whether anything is added, ``tags`` whether the
include takes part. What it adds takes what is around the include, what stands under ``apply``, and the include's
``vars`` and the variables of its item, which are stronger than what tasks have set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drumline.loading.blocks import ListReader
from drumline.loading.deferred import deferred_again
from drumline.loading.handlers import with_flush_points
from drumline.loading.imported_tasks import list_in
from drumline.loading.plays import in_roles
from drumline.loading.reading import Reading
from drumline.loading.roles import Use, enter_role
from drumline.model.playbook import Play, Task, TaskBlock


def read_added(path: Path, include: Task, play: Play, reading: Reading) -> Play:
    """What an include of a play adds with this file: a play of these tasks alone. Mistakes are noted."""
    lists = ListReader(reading, Path(play.position.path).parent, variables=play.variables)
    lists.section = include.section
    nodes = list_in(path, include.position, reading)
    with reading.opened(path):
        lists.read(nodes, _inherited(include))
    return _only(lists, play)


def read_added_role(
    arguments: Mapping[str, Any], include: Task, play: Play, reading: Reading, handlers: ListReader | None = None
) -> Play:
    """The same for a task that adds a role, as its rendered ``arguments`` say. ``handlers`` gets those of the role."""
    adds = include.traits.adds
    assert adds is not None
    assert adds.role is not None
    lists = ListReader(reading, Path(play.position.path).parent, variables=play.variables)
    lists.section = include.section
    lists.handlers = lists.imported_handlers = handlers
    position = include.positions.get(f"arguments.{adds.name}", include.position)
    files = {kind: str(arguments[name]) for kind, name in adds.role.files if arguments.get(name) is not None}
    use = Use(
        name=str(arguments[adds.name]),
        position=position,
        files=files,
        by_task=True,
        public=bool(arguments.get(adds.role.public, False)),
        allow_duplicates=True,
        validates=bool(arguments.get(adds.role.validates, True)),
    )
    enter_role(lists, use, _inherited(include))
    return _only(lists, play)


def handlers_reader(play: Play, reading: Reading) -> ListReader:
    """What reads the handlers of a role that is added to a play."""
    return ListReader(reading, Path(play.position.path).parent, variables=play.variables, handlers=True)


def _inherited(include: Task) -> dict[str, Any]:
    """What the tasks that an include adds take."""
    inherited = deferred_again(include.below, include.position)
    if include.parameters:
        inherited["parameters"] = include.parameters
    if include.role is not None:
        inherited["role"] = include.role
    return inherited


def _only(lists: ListReader, play: Play) -> Play:
    """The play with what was read in the place of its own tasks."""
    named = in_roles(lists, lists.reading.found)
    added = replace(
        play,
        tasks=tuple(element for element in named if isinstance(element, Task)),
        blocks=tuple(element for element in named if isinstance(element, TaskBlock)),
        roles=(*play.roles, *lists.roles),
        needs=None,
        gathering=None,
        serial=(),
        canary=None,
        spread_by=None,
        keep_available={},
    )
    return with_flush_points(added) if play.handlers or play.included else added


def places_of(name: str, include: Task, play: Play, around: Sequence[Task] = ()) -> Iterator[Path]:
    """Where the file that an include names may be, in Ansible's order; ``around``: the includes that led to it."""
    written = Path(name).expanduser()
    if written.is_absolute():
        yield written
        return
    directories = [Path(task.position.path).absolute().parent for task in (include, *around)]
    roles = () if include.role is None else (include.role, *reversed(include.role.parents))
    directories += [Path(role.path) for role in roles]
    directories.append(Path(play.position.path).absolute().parent)
    for directory in dict.fromkeys(directories):
        yield directory / written
        yield directory / "tasks" / written
