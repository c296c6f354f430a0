"""Roles: each use of one is a block of the play, whose id is the role's name.

The roles that it depends on come first in it, then its tasks. So whoever needs the role waits for all of that. Tasks in
it are named ``role.task`` by others. A use is an entry of ``roles``, a dependency in ``meta/main.yml``, or
``import_role``; its keywords hold for all that stands in it, as with blocks. What else an entry of ``roles`` gives is a
parameter of the role.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Position, did_you_mean
from drumline.loading import keywords
from drumline.loading.imported_tasks import arguments_of, check_keywords, text_of_argument
from drumline.loading.keywords import KeywordReader
from drumline.loading.role_files import Meta, RoleFiles
from drumline.loading.role_places import RolePlace
from drumline.loading.tasks import pass_on, read_for_below
from drumline.model.playbook import BlockPart, Role, Section, TaskBlock, Within
from drumline.model.value import Template, Value, Variables
from drumline.source.nodes import Entry, Node, plain

if TYPE_CHECKING:
    from drumline.loading.blocks import ListReader

#: Keywords of an entry of ``roles``: any other key is a parameter of the role.
KEYWORDS = keywords.INHERITED | {"collections", "delegate_to", "id", "name", "needs", "role", "vars", "when"}
#: Arguments of ``import_role`` that choose other files than ``main``, to the kind of the files.
_FROM = {"tasks_from": "tasks", "vars_from": "vars", "defaults_from": "defaults", "handlers_from": "handlers"}
_ARGUMENTS = {*_FROM, "name", "role", "allow_duplicates", "public", "rolespec_validate"}
#: What an entry for a catalogue has besides a name.
_OF_CATALOGUE = frozenset({"scm", "src", "version"})


class Use(Struct, frozen=True, kw_only=True):
    """One use of a role as written."""

    name: Value
    position: Position
    positions: Mapping[str, Position] = {}
    id: str | None = None
    needs: tuple[str, ...] | None = None
    given: Variables = {}
    parameters: Variables = {}
    below: Mapping[str, Any] = {}  #: The values of keywords that hold for all that stands in it.
    files: Mapping[str, str] = {}  #: Names of files other than ``main``, by their kind.
    by_task: bool = False
    public: bool = True
    allow_duplicates: bool | None = None  #: None: as the role itself says.
    validates: bool = True
    after: Role | None = None  #: The role that depends on it.


def read_roles(lists: ListReader, items: list[Node], inherited: Mapping[str, Any]) -> None:
    """Read ``roles`` of a play."""
    for item in items:
        use = _use(item, lists)
        role = None if use is None else _enter(lists, use, inherited, None)
        if role is not None:
            lists.roles.append(role)


def import_role(
    lists: ListReader, keyword: str, entries: Mapping[str, Entry], inherited: Mapping[str, Any], within: Within | None
) -> None:
    """Read ``import_role``: ``keyword`` is the name by which the task calls it."""
    check_keywords(keyword, entries, lists.reading)
    reader = KeywordReader(entries, lists.reading.found)
    arguments = arguments_of(reader, keyword)
    for name, node in arguments.items():
        if name not in _ARGUMENTS:
            detail = f"'{keyword}' has no argument '{name}'.{did_you_mean(name, _ARGUMENTS)}"
            reader.found.add("Unknown argument", detail=detail, position=node.position)
    name = text_of_argument(reader, "name" if "name" in arguments else "role", arguments)
    position = entries[keyword].key_position
    if not name:
        reader.found.add("An import without a role", detail=f"'{keyword}' needs 'name'.", position=position)
        return
    below = read_for_below(reader)
    flags = KeywordReader({key: Entry(node.position, node) for key, node in arguments.items()}, reader.found)
    known = partial(lists.known, pass_on(inherited, below))
    files = {
        kind: found
        for key, kind in _FROM.items()
        if (text := text_of_argument(reader, key, arguments)) is not None
        and (found := lists.reading.name(key, text, known, arguments[key].position)) is not None
    }
    use = Use(
        name=name,
        position=arguments["name" if "name" in arguments else "role"].position,
        positions=reader.positions(),
        id=reader.value("id", reader.id),
        needs=reader.value("needs", reader.names),
        below=below,
        files=files,
        by_task=True,
        public=flags.value("public", flags.boolean, True),
        allow_duplicates=flags.value("allow_duplicates", flags.boolean, True),
        validates=flags.value("rolespec_validate", flags.boolean, True),
    )
    role = _enter(lists, use, inherited, within)
    if role is not None:
        lists.roles.append(role)


def _use(item: Node, lists: ListReader) -> Use | None:
    """An entry of ``roles`` or of dependencies: a name, or a dictionary with it."""
    found = lists.reading.found
    if isinstance(item.value, (str, int)) and not isinstance(item.value, bool):
        return Use(name=KeywordReader({}, found).text("role", item), position=item.position)
    if not isinstance(item.value, dict):
        detail = f"A role is a name, or a dictionary with 'role', but this is {item.kind}."
        found.add("Not a role", detail=detail, position=item.position, hides_names=True)
        return None
    reader = KeywordReader(item.value, found)
    key = next((key for key in ("role", "name", "src") if reader.node(key) is not None), None)
    if key is None:
        detail = "An entry says under 'role' which role it is."
        found.add("A role without a name", detail=detail, position=item.position, hides_names=True)
        return None
    name = reader.value(key, reader.text)
    if key == "src":
        name = _of_catalogue(str(name))
    below = read_for_below(reader)
    given = below.pop("variables", {})
    return Use(
        name=name,
        position=item.value[key].node.position,
        positions=reader.positions(),
        id=reader.value("id", reader.id),
        needs=reader.value("needs", reader.names),
        given=given,
        parameters=_parameters(item.value, is_of_catalogue=key == "src"),
        below=below,
    )


def _parameters(entries: Mapping[str, Entry], *, is_of_catalogue: bool) -> Variables:
    """What an entry gives that is no keyword."""
    without = KEYWORDS | _OF_CATALOGUE if is_of_catalogue else KEYWORDS
    return {key: plain(entry.node) for key, entry in entries.items() if key not in without}


def _of_catalogue(source: str) -> str:
    """The name of a role that is installed from an address."""
    name = source.split(",")[0].rstrip("/").rpartition("/")[2]
    return name.removesuffix(".git").removesuffix(".tar.gz")


def enter_role(lists: ListReader, use: Use, inherited: Mapping[str, Any]) -> None:
    """Read a role that a task adds, whose arguments are rendered."""
    role = _enter(lists, use, inherited, None)
    if role is not None:
        lists.roles.append(role)


def _enter(lists: ListReader, use: Use, inherited: Mapping[str, Any], within: Within | None) -> Role | None:
    """Read the role, with all that stands in it; None where it can't be found."""
    reading = lists.reading
    around: Role | None = use.after or inherited.get("role")
    below = pass_on(inherited, use.below)
    name = reading.name("role", use.name, partial(lists.known, below), use.position)
    if name is None:
        return None
    place = _find(lists, name, use, around)
    if place is None:  # its name stands for something all the same
        lists.add_block(_block(lists, use, use.id or _last(name), name, within))
        return None
    chain = () if around is None else (*around.parents, around)
    if any(role.path == str(place.path.absolute()) for role in chain) and not _ends(chain, place, use):
        names = ", which uses ".join([*(role.full_name for role in chain), name])
        reading.found.add("A role uses itself", detail=f"{names}.", position=use.position)
        return None
    files = RoleFiles(place.path, reading, use.position)
    meta = files.meta()
    duplicates = meta.allow_duplicates if use.allow_duplicates is None else use.allow_duplicates
    identity = _identity(use, place)
    role = Role(
        name=place.name,
        collection=place.collection,
        path=str(place.path.absolute()),
        defaults=files.variables("defaults", use.files.get("defaults")),
        variables=files.variables("vars", use.files.get("vars")),
        given=use.given,
        parameters=use.parameters,
        parents=chain,
        by_task=use.by_task,
        public=use.public,
        use=lists.number_of(identity),
        identity=identity,
        once=not duplicates,
    )
    return _Contents(lists, use, files, meta).read(role, below, within)


def _block(lists: ListReader, use: Use, name: str, title: str, within: Within | None) -> TaskBlock:
    return TaskBlock(
        id=name,
        name=title,
        position=use.position,
        positions=use.positions,
        needs=use.needs,
        within=within,
        section=lists.section,
    )


def _last(name: str) -> str:
    """The last part of a name that may be a path."""
    return name.rstrip("/").rpartition("/")[2]


def _identity(use: Use, place: RolePlace) -> str:
    """What equal uses of a role have in common: all that they say themselves, wherever they stand."""
    said = [use.parameters, use.given, use.below.get("when", ()), sorted(map(str, use.below.get("tags", ())))]
    return repr([str(place.path), use.by_task, dict(use.files), _as_written(said)])


def _as_written(value: Any) -> Any:
    """A value without its places."""
    if isinstance(value, Template):
        return ("as written", value.text)
    if isinstance(value, Mapping):
        return {key: _as_written(item) for key, item in value.items()}
    return [_as_written(item) for item in value] if isinstance(value, (list, tuple)) else value


def _ends(chain: tuple[Role, ...], place: RolePlace, use: Use) -> bool:
    """Whether a role that stands in itself comes to an end: it is another of its files that is used there."""
    return use.by_task and "tasks" in use.files and len(chain) < _DEEPEST


#: The most roles within roles.
_DEEPEST = 30


def _find(lists: ListReader, name: str, use: Use, around: Role | None) -> RolePlace | None:
    beside = Path(around.path).parent if around is not None else None
    collections = lists.collections if around is None or not around.collection else (around.collection,)
    place = lists.reading.places.find(name, lists.directory, beside=beside, collections=collections)
    if place is None:
        looked = ", ".join(map(str, lists.reading.places.looked_in(name, lists.directory, beside, collections)))
        detail = f"There is no role '{name}'. Looked for {looked}."
        lists.reading.found.add("A role isn't there", detail=detail, position=use.position, hides_names=True)
    return place


class _Contents:
    """Reads what stands in one use of a role."""

    def __init__(self, lists: ListReader, use: Use, files: RoleFiles, meta: Meta) -> None:
        self._lists = lists
        self._use = use
        self._files = files
        self._meta = meta

    def read(self, role: Role, below: Mapping[str, Any], within: Within | None) -> Role:
        """Dependencies, then tasks and handlers; returns the role with its dependencies."""
        lists, use = self._lists, self._use
        number = lists.add_block(_block(lists, use, use.id or _last(role.name), role.full_name, within))
        inside = Within(number, BlockPart.TASKS)
        below = {name: value for name, value in below.items() if name != "role"}
        dependencies = [self._dependency(node, role, below, inside) for node in self._meta.dependencies]
        role = replace(role, dependencies=tuple(found for found in dependencies if found is not None))
        lists.blocks[number] = replace(lists.blocks[number], role_use=role)
        below = {**below, "role": role}
        outer, lists.collections = lists.collections, self._collections(role)
        lists.reading.look_for_actions(directories=(Path(role.path),), collections=lists.collections)
        try:
            self._tasks(role, below, inside)
            self._handlers(below)
        finally:
            lists.collections = outer
        return role

    def _dependency(self, node: Node, role: Role, inherited: Mapping[str, Any], inside: Within) -> Role | None:
        use = _use(node, self._lists)
        return None if use is None else _enter(self._lists, replace(use, after=role), inherited, inside)

    def _collections(self, role: Role) -> tuple[str, ...]:
        own = (role.collection,) if role.collection else ()
        return tuple(dict.fromkeys((*own, *self._meta.collections)))

    def _tasks(self, role: Role, below: Mapping[str, Any], inside: Within) -> None:
        lists, name = self._lists, self._use.files.get("tasks")
        if self._use.validates:
            spec = self._meta.argument_specs.get(name or "main")
            if spec is not None:
                from drumline.loading.argument_specs import validation_task  # few roles have one

                lists.read([validation_task(spec, name or "main", role)], below, inside)
        found = self._files.list_at("tasks", name)
        if found is not None:
            path, nodes = found
            if lists.reading.is_open(path):
                detail = f"{lists.reading.chain(path)}."
                lists.reading.found.add("A role uses itself", detail=detail, position=self._use.position)
                return
            with lists.reading.opened(path):
                lists.read(nodes, below, inside)

    def _handlers(self, below: Mapping[str, Any]) -> None:
        in_roles = self._lists.section is Section.ROLES
        reader = self._lists.handlers if in_roles else self._lists.imported_handlers
        found = self._files.list_at("handlers", self._use.files.get("handlers")) if reader is not None else None
        if reader is not None and found is not None:
            path, nodes = found
            with reader.reading.opened(path):
                reader.read(nodes, below)
