"""One play as a person wrote it: its own keywords, its lists of tasks, section by section, and its handlers.

A section is a list of the play: ``pre_tasks``, ``roles``, ``tasks`` or ``post_tasks``. :data:`SECTIONS` says what reads
each of them, and adds what stands in it to the row of the play's tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.loading import keywords, timing
from drumline.loading.blocks import ListReader
from drumline.loading.defaults import check_defaults
from drumline.loading.deferred import deferring, split
from drumline.loading.facts import gathering_task
from drumline.loading.ids import in_role, slug, unique_ids
from drumline.loading.keywords import KeywordReader
from drumline.loading.prompts import read_prompts
from drumline.loading.reading import Reading
from drumline.loading.role_places import collection_of
from drumline.loading.roles import read_roles
from drumline.loading.tasks import pass_on, read_inherited_of_play
from drumline.model.playbook import Debugger, Play, Section, Strategy, Task, TaskBlock
from drumline.model.value import Value, text_of
from drumline.source.nodes import Entry, Node, plain
from drumline.templating import not_yet

Owner = TypeVar("Owner", bound=Play | Task | TaskBlock)
#: Reads the items of a section, whose tasks take what the play passes on.
ReadSection: TypeAlias = Callable[[ListReader, list[Node], Mapping[str, Any]], None]

_TIMING = deferring(timing.PLAY)
_DEBUGGING = "debug"
#: By the names that a play gives them, with or without that of Ansible's collection.
STRATEGIES = {"linear": Strategy.WAVES, _DEBUGGING: Strategy.WAVES} | {str(strategy): strategy for strategy in Strategy}


def read_play(entries: Mapping[str, Entry], position: Position, reading: Reading) -> Play:
    """The play, its id being the written one or a slug that may clash; mistakes are noted."""
    found = reading.found
    reader = KeywordReader(entries, found)
    keywords.check_known(entries, keywords.PLAY, "A play", found)
    directory = Path(position.path).parent
    collections = (*reader.value("collections", reader.names, ()), *filter(None, [collection_of(Path(position.path))]))
    reading.look_for_actions(collections=collections)
    hosts = reader.value("hosts", reader.pattern)
    if not hosts:
        detail = "A play says under 'hosts' which hosts it is for."
        found.add("A play without hosts", detail=detail, position=position)
        hosts = ""
    name = text_of(reader.value("name", reader.text, "")) or text_of(hosts)
    usual = reading.around.usual
    check_defaults(reader, reading.actions)
    strategy = reader.value("strategy", _strategy(reader), usual.strategy or str(Strategy.WAVES))
    of_strategy = {"debugger": Debugger.ENABLED} if strategy == _DEBUGGING else {}
    inherited = pass_on({**usual.tasks, **of_strategy}, read_inherited_of_play(reader))
    variables = reader.value("vars", reader.variables, {})
    lists = ListReader(reading, directory, variables=variables, collections=collections)
    lists.vars_files = reader.value("vars_files", _vars_files(reader), ())
    tasks, blocks, handlers, rows = _read_lists(reader, inherited, lists)
    play = Play(
        id=reader.value("id", reader.id) or slug(name) or "play",
        name=name,
        hosts=hosts,
        tasks=tasks,
        blocks=blocks,
        roles=tuple(lists.roles),
        handlers=handlers,
        handler_rows=rows,
        force_handlers=reader.value("force_handlers", reader.boolean, False),
        position=position,
        positions=reader.positions(),
        variables=variables,
        prompts=read_prompts(reader),
        vars_files=lists.vars_files,
        needs=reader.value("needs", reader.names),
        strategy=STRATEGIES[strategy],
        gathers=reader.value("gather_facts", reader.boolean, usual.gathers),
        gathering=gathering_task(reader, inherited, position),
        **split(reader.values(_TIMING)),
    )
    timing.check_barriers(play, found)
    return play


def _vars_files(reader: KeywordReader) -> Any:
    def read_vars_files(keyword: str, node: Node) -> tuple[Value, ...]:
        entries = node.value if isinstance(node.value, list) else [node]
        for entry in entries:
            for name in entry.value if isinstance(entry.value, list) else [entry]:
                if not isinstance(name.value, str):
                    reader.wrong(keyword, "names of files, and lists of them to choose from", name)
                    return ()
        return tuple(plain(entry, hide=False) for entry in entries)

    return read_vars_files


def _strategy(reader: KeywordReader) -> Any:
    def read_strategy(keyword: str, node: Node) -> str | None:
        said = reader.constant(keyword, node)
        text = said.removeprefix("ansible.builtin.") if isinstance(said, str) else None
        if text is not None and text not in STRATEGIES:
            known = not_yet.strategy(text)
            said = f"{text!r} is not supported yet" if known else f"{text!r} is not a strategy"
            reader.problem(f"The strategies are 'waves' (or 'linear', the same), 'debug' and 'free'; {said}.", node)
            return None
        return text

    return read_strategy


def _read_lists(
    reader: KeywordReader, inherited: Mapping[str, Any], lists: ListReader
) -> tuple[tuple[Task, ...], tuple[TaskBlock, ...], tuple[Task, ...], tuple[int, ...]]:
    """The tasks and blocks of all sections, the handlers, and in which rows they stand."""
    of_roles, own, imported = (lists.of_handlers() for _ in range(3))
    lists.handlers, lists.imported_handlers = of_roles, imported
    for keyword, (lists.section, read) in SECTIONS.items():
        read(lists, _items(reader, keyword, "roles" if keyword == "roles" else "tasks"), inherited)
    own.read(_items(reader, "handlers", "handlers"), inherited)
    named = in_roles(lists, reader.found)
    readers = (of_roles, own, imported)  # in Ansible's order
    handlers = _with_other_ids([task for one in readers for task in one.tasks], [element.id for element in named])
    return (
        tuple(element for element in named if isinstance(element, Task)),
        tuple(element for element in named if isinstance(element, TaskBlock)),
        tuple(handlers),
        tuple(size for one in readers for size in one.rows),
    )


def _with_other_ids(handlers: Sequence[Task], taken: Sequence[str]) -> list[Task]:
    """The handlers, with ids that no task has."""
    ids = unique_ids([*taken, *(None for _ in handlers)], [*taken, *(handler.id for handler in handlers)])
    return [replace(handler, id=name) for handler, name in zip(handlers, ids[len(taken) :], strict=True)]


def _items(reader: KeywordReader, keyword: str, kind: str) -> list[Node]:
    node = reader.node(keyword)
    if node is not None and isinstance(node.value, list):
        return node.value
    if node is not None:
        reader.wrong(keyword, f"a list of {kind}", node)
    return []


#: By keyword, in the order of sections: which one it is, and how its items are read.
SECTIONS: Mapping[str, tuple[Section, ReadSection]] = {
    "pre_tasks": (Section.PRE_TASKS, ListReader.read),
    "roles": (Section.ROLES, read_roles),
    "tasks": (Section.TASKS, ListReader.read),
    "post_tasks": (Section.POST_TASKS, ListReader.read),
}


def in_roles(lists: ListReader, found: Diagnostics) -> list[Task | TaskBlock]:
    """All elements with their ids: those of a role's own begin with the id of the role, and are unique in it."""
    named = lists.elements
    roles = list[int | None]()  # the role in which what stands in each block stands
    for number, block in enumerate(lists.blocks):
        around = roles[block.within.block] if block.within else None
        roles.append(number if block.role_use is not None else around)
    members: dict[int | None, list[int]] = {None: []}
    for place, element in enumerate(named):
        is_use = isinstance(element, TaskBlock) and element.role_use is not None
        role = None if is_use or element.within is None else roles[element.within.block]
        members.setdefault(role, []).append(place)
    for role, places in sorted(members.items(), key=lambda item: -1 if item[0] is None else item[0]):
        prefix = "" if role is None else named[role].id
        for place, element in zip(places, with_ids([named[place] for place in places], "task", found), strict=True):
            named[place] = element if role is None else replace(element, id=in_role(prefix, element.id))
    return named


def with_ids(owners: Sequence[Owner], kind: str, found: Diagnostics) -> list[Owner]:
    """Tasks of one play, or plays, with an id that is unique. Written ids that aren't are mistakes."""
    written = [owner.id if "id" in owner.positions else None for owner in owners]
    seen: dict[str, Position] = {}
    for place, (owner, text) in enumerate(zip(owners, tuple(written), strict=True)):
        if text is not None and text in seen:
            detail = f"Another {kind} has the id '{text}' already, in {seen[text]}."
            found.add("An id is given twice", detail=detail, position=owner.positions["id"])
            written[place] = None  # so that what is read of the file tells the two apart
        elif text is not None:
            seen[text] = owner.positions["id"]
    ids = unique_ids(written, [owner.id for owner in owners])
    return [owner if owner.id == text else replace(owner, id=text) for owner, text in zip(owners, ids, strict=True)]
