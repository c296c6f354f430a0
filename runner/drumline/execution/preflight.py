"""What can be checked before anything is sent: missing files, arguments that can't work.

Only constants are checked. Values of templates, and whatever another task may change, are left to the job itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from drumline.diagnostics import Diagnostics, Position
from drumline.errors import FilesError
from drumline.inventory.definitions import Definitions, roles_of
from drumline.inventory.scopes import NOTHING
from drumline.loading.arguments import coerce
from drumline.loading.connection import (
    BECOME,
    BECOME_METHOD,
    CONNECTION,
    find_transport,
    named_transport,
    names_of,
    unknown_transport,
)
from drumline.loading.written import templates_in
from drumline.model.host import Host, Inventory
from drumline.model.hostnames import fold_hosts
from drumline.model.plan import Plan
from drumline.model.playbook import BlockPart, Play, Role, Task
from drumline.model.target import Option, Platform, Target
from drumline.model.value import Template, Value, Variables
from drumline.plugin import DrumlineError
from drumline.plugin.actions import Action, ActionFailed, NeededFile, Written
from drumline.plugin.become_methods import DEFAULT_METHOD, RUNAS, bare_method, method_fault
from drumline.plugin.rules import broken_rules
from drumline.plugin.traits import traits_of
from drumline.plugin.transports import Transport
from drumline.secret import Secret
from drumline.source.files import find_file, search_path
from drumline.source.inputs import note_file
from drumline.source.vault import keyring, opened

#: Variables about running as another user.
_BECOME_NAMES = frozenset(name for option in (BECOME, BECOME_METHOD) for name in names_of(option))


class Preflight:
    """Checks every task of a plan before it runs; fills ``mistakes`` and ``warnings``."""

    def __init__(
        self,
        plan: Plan,
        inventory: Inventory,
        extra: Variables,
        *,
        actions: Mapping[str, Action],
        transports: Mapping[str, Transport],
    ) -> None:
        self.mistakes, self.warnings = Diagnostics(), Diagnostics()
        self._plan, self._inventory, self._extra = plan, inventory, extra
        self._actions, self._transports = actions, transports
        self._definitions = Definitions()
        #: An earlier task that may have created files on this machine.
        self._maker: Task | None = None
        self._by_host: dict[str, Transport | None] = {}  # according to the inventory
        self._closed: dict[Path, FilesError | ActionFailed | None] = {}  # why it can't be decrypted, if so
        self._ways: dict[int, _Ways] = {}  # by the identity of the tuple of hosts, which many steps share

    def check(self) -> None:
        """Do all checks, in the order of the plan."""
        seen: set[int] = set()
        for step in self._plan.steps:
            task, action = step.task, self._actions.get(step.task.action)
            if action is None or id(task) in seen or False in task.when:
                continue
            seen.add(id(task))
            play = self._plan.plays[step.play].play
            above = tuple(layer for layer in self._above(play, task) if layer)
            self._check_connection(task, play)
            ways = self._ways_of(task, step.hosts, above)
            self._check_become(task, ways, above)
            self._check_action(play, task, action, frozenset(found for found in ways.hosts if found))
            if action.free_form is not None and ways.here:
                self._maker = self._maker or task
        self._check_option_files()

    def names(self) -> set[str]:
        """The names of all variables that jobs of the plan may see, except results of tasks."""
        layers = [self._extra, *(play.play.variables for play in self._plan.plays)]
        layers += [step.task.variables for step in self._plan.steps]
        layers += [layer for role in self._roles() for layer in self._definitions.of_role(role)]
        layers += [self._host(host).variables for host in self._hosts()]
        return set().union(*layers)

    def _roles(self) -> Iterable[Role]:
        return (role for planned in self._plan.plays for role in roles_of(planned.play))

    def having(self, name: str) -> list[str]:
        """The hosts of the plan that have a variable of this name."""
        return [host for host in self._hosts() if name in self._host(host).variables]

    def _hosts(self) -> Iterable[str]:
        return dict.fromkeys(host for play in self._plan.plays for host in play.hosts)

    def _ways_of(self, task: Task, hosts: tuple[str, ...], above: tuple[Variables, ...]) -> _Ways:
        """The transports of the hosts that the task's requests go to."""
        if isinstance(task.delegate_to, Template):
            return _Ways(hosts={}, here=True)
        if task.delegate_to is not None:
            return self._new_ways((str(task.delegate_to),), (), task.connection)
        if any(name in layer for layer in (*above, task.connection) for name in CONNECTION):
            return self._new_ways(hosts, above, task.connection)
        if id(hosts) not in self._ways:
            self._ways[id(hosts)] = self._new_ways(hosts, ())
        return self._ways[id(hosts)]

    def _new_ways(self, hosts: tuple[str, ...], above: tuple[Variables, ...], below: Variables = NOTHING) -> _Ways:
        ways = _Ways(hosts={}, here=False)
        platforms = {name: _platform(transport) for name, transport in self._transports.items()}
        for host in hosts:
            variables = self._host(host).variables
            transport = (
                find_transport(host, _First((*above, variables, below)), self._transports)
                if above or below
                else self._transport(host)
            )
            platform = platforms[transport.name] if transport else None
            ways.hosts.setdefault(platform, []).append(host)
            ways.here = ways.here or transport is None or traits_of(transport).is_here
            if not _BECOME_NAMES.isdisjoint(variables):
                ways.becoming.append(host)
        return ways

    def _transport(self, host: str) -> Transport | None:
        if host not in self._by_host:
            self._by_host[host] = find_transport(host, self._host(host).variables, self._transports)
        return self._by_host[host]

    def _host(self, name: str) -> Host:
        return self._inventory.hosts.get(name) or Host(name=name)

    def _check_connection(self, task: Task, play: Play) -> None:
        """Report a keyword ``connection`` that names no transport."""
        named = task.connection.get(CONNECTION[-1])
        if named is not None and not isinstance(named, Template) and named_transport(named, self._transports) is None:
            position = task.positions.get("connection") or play.positions.get("connection", task.position)
            summary, detail = unknown_transport("'connection'", str(named), self._transports)
            self.mistakes.add(summary, detail=detail, position=position)

    # Another user.

    def _check_become(self, task: Task, ways: _Ways, above: tuple[Variables, ...]) -> None:
        """Report ways to become another user that a host can't have."""
        if any(not _BECOME_NAMES.isdisjoint(layer) for layer in above):
            special = {host for hosts in ways.hosts.values() for host in hosts}
        else:
            special = set(ways.becoming)
        wrong: dict[tuple[str, str, str], list[str]] = {}
        for platform, hosts in ways.hosts.items():
            for host in hosts:
                if host not in special and task.become is not True:
                    continue
                variables = _First((*above, self._host(host).variables)) if host in special else _First(())
                if self._becomes(variables, task):
                    for problem in _problems(platform, variables, task):
                        wrong.setdefault(problem, []).append(host)
        for (keyword, summary, detail), hosts in wrong.items():
            position = task.positions.get(keyword) or task.positions.get("become", task.position)
            self.mistakes.add(summary, detail=f"{_hosts(hosts)}: {detail}", position=position)

    def _becomes(self, variables: _First, task: Task) -> bool:
        """Whether it is certain that the task runs as another user there."""
        value = next((found for name in names_of(BECOME) if (found := variables.get(name)) is not None), task.become)
        try:
            return not isinstance(value, Template) and bool(coerce(value, bool))
        except ValueError:
            return False  # reported as a connection variable

    # Arguments.

    def _above(self, play: Play, task: Task) -> Iterable[Variables]:
        """The variables that are stronger than those of hosts."""
        return (self._extra, *self._definitions.parameters(task), *self._definitions.variables(play, task))

    def _check_action(self, play: Play, task: Task, action: Action, platforms: frozenset[Platform]) -> None:
        if task.more_arguments:
            return  # what it is given isn't known yet
        written = _written(task, action, platforms)
        for name, sentence in (*broken_rules(action, written), *(action.check(written) if action.check else ())):
            detail = f"'{action.name}': {sentence}"
            self.mistakes.add("Arguments can't be used", detail=detail, position=_place(task, action, name))
        for needed in action.files(written) if action.files else ():
            self._check_file(play, task, needed, _place(task, action, needed[0]), written)

    def _check_file(self, play: Play, task: Task, needed: NeededFile, position: Position, written: Written) -> None:
        _, src, directory = needed
        try:
            path = find_file(src, directory, search_path(task, play))
        except ActionFailed as error:
            self._add_unusable(play, task, "A file isn't there", error.message, position)
            return
        note_file(path)
        if written.arguments.get("decrypt", True):
            self._check_vault(play, task, path, position)

    def _check_vault(self, play: Play, task: Task, path: Path, position: Position) -> None:
        if path not in self._closed:
            self._closed[path] = _why_closed(path)
        error = self._closed[path]
        if isinstance(error, ActionFailed):
            self._add_unusable(play, task, "A file is too large", error.message, position)
        elif error is not None:
            ring = keyring()
            told = self.mistakes if ring.passwords else ring.locked
            for mistake in error.diagnostics:
                told.add(mistake.summary, detail=f"{mistake.position}: {mistake.detail}", position=position)

    def _add_unusable(self, play: Play, task: Task, summary: str, message: str, position: Position) -> None:
        """An error, unless the task may not run at all or may fail, or a task before it may make the file."""
        doubt = ""
        if any(isinstance(condition, Template) for condition in task.when):
            doubt = " The task fails where its condition holds."
        elif task.ignore_errors is not False or task.failed_when or _is_rescued(play, task):
            doubt = " The task fails, as it may."
        elif self._maker is not None:
            doubt = f" The task fails unless '{self._maker.name}' makes it."
        told = self.warnings if doubt else self.mistakes
        told.add(summary, detail=f"{message}{doubt}", position=position)

    # Files that connection variables name.

    def _check_option_files(self) -> None:
        missing: dict[tuple[str, str], list[str]] = {}
        for host in self._hosts():
            for name, path in self._option_files(self._host(host)):
                if not Path(path).expanduser().exists():
                    missing.setdefault((name, path), []).append(host)
        for (name, path), hosts in missing.items():
            detail = f"{_hosts(hosts)}: {name} is {path!r}, and there is no such file on this machine."
            self.mistakes.add("A connection variable names a file that isn't there", detail=detail)

    def _option_files(self, host: Host) -> Iterator[tuple[str, str]]:
        transport = self._transport(host.name)
        if transport is None or _names_of_files(transport.options).isdisjoint(host.variables):
            return
        for option in filter(_is_file, transport.options):
            given = next((name for name in names_of(option) if host.variables.get(name) is not None), "")
            value = host.variables.get(given)
            if isinstance(value, str) and value:
                yield given, value


def _is_rescued(play: Play, task: Task) -> bool:
    """Whether it stands in the tasks of a block with a rescue."""
    rescued = {within.block for one in play.tasks if (within := one.within) and within.part is BlockPart.RESCUE}
    within = task.within
    while within is not None:
        if within.part is BlockPart.TASKS and within.block in rescued:
            return True
        within = play.blocks[within.block].within
    return False


def _is_file(option: Option) -> bool:
    return option.file


@cache
def _names_of_files(options: tuple[Option, ...]) -> frozenset[str]:
    """The variables that name files of this machine."""
    return frozenset(name for option in filter(_is_file, options) for name in names_of(option))


class _Ways(Struct):
    """How some hosts are reached."""

    hosts: dict[Platform | None, list[str]]  #: By what they understand; None where that is open.
    here: bool  #: One of them may be this machine.
    becoming: list[str] = []  #: Whose variables say something of running as another user.


def _problems(platform: Platform | None, variables: _First, task: Task) -> Iterator[tuple[str, str, str]]:
    """What a host can't do of what is said about running as another user: keyword, summary and detail."""
    named = next((name for name in names_of(BECOME_METHOD) if variables.get(name) is not None), None)
    method = variables.get(named) if named else task.become_method or DEFAULT_METHOD
    if isinstance(method, (Template, Secret)):
        return
    said = f"{named or 'become_method'} is '{method}'"
    fault = method_fault(str(method))  # a keyword's was found already, a setting's wasn't
    if fault is not None:
        yield "become", fault[0], f"{said}: {fault[1]}"
    elif platform is Platform.WINDOWS:
        unknown = "" if bare_method(str(method)) == RUNAS else f"{said}, and Windows has none of that. "
        detail = f"{unknown}Log in as the user whom the task needs: 'ansible_user', with its 'ansible_password'."
        yield "become", "Windows hosts can't run tasks as another user yet", detail
    elif platform is Platform.POSIX and bare_method(str(method)) == RUNAS:
        detail = f"{said}, which is for Windows. Leave it out, or name one for POSIX hosts, such as sudo."
        yield "become_method", "runas is for Windows hosts", detail


def _platform(transport: Transport) -> Platform | None:
    """What hosts of the transport understand, as far as that is known without their variables."""
    try:
        return transport.platform(Target(host="", transport=transport.name))
    except (DrumlineError, KeyError):
        return None


class _First(dict[str, Any]):
    """Variables in layers: the first layer that has a value counts."""

    def __init__(self, layers: tuple[Variables, ...]) -> None:
        super().__init__()
        self._layers = layers

    def get(self, name: str, default: Any = None) -> Any:
        return next((layer[name] for layer in self._layers if layer.get(name) is not None), default)


def _written(task: Task, action: Action, platforms: frozenset[Platform]) -> Written:
    declared = {name: argument for argument in action.arguments for name in (argument.name, *argument.aliases)}
    constants: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for name, value in task.arguments.items():
        argument = declared.get(name)
        own = argument.name if argument else name
        if isinstance(value, Secret):
            texts[own] = ""
        elif templates_in(value):
            texts[own] = value.text if isinstance(value, Template) else ""
        else:
            constants[own] = _coerced(value, argument.type) if argument else value
    return Written(arguments=constants, open=texts, platforms=platforms)


def _coerced(value: Value, kind: type) -> Any:
    try:
        return None if value is None else coerce(value, kind)
    except ValueError:
        return None  # reported when the task was read


def _place(task: Task, action: Action, name: str) -> Position:
    """Where an argument stands, by whichever of its names."""
    names = next(((one.name, *one.aliases) for one in action.arguments if one.name == name), (name,))
    places = (task.positions.get(f"arguments.{one}") for one in names)
    return next((place for place in places if place is not None), task.position)


def _why_closed(path: Path) -> FilesError | ActionFailed | None:
    """Why a file that ansible-vault encrypted can't be decrypted; None for any other one, and where it can be."""
    from drumline.plugin.kit.transfer import read_encrypted  # most tasks name no file

    try:
        opened(path, read_encrypted(path))
    except (FilesError, ActionFailed) as error:
        return error
    except OSError:
        return None  # a directory, or the job says what is wrong with it
    return None


def _hosts(names: list[str]) -> str:
    return f"Host{'s' if len(names) > 1 else ''} {fold_hosts(names)}"
