"""Whether a play gathers facts, and the task that does it.

``gather_facts`` decides. Without it, facts are gathered if something in the play may use one: a template in
the play, in variables that it uses, or in a file that it renders. In doubt, they are gathered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import count
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Position
from drumline.inventory.definitions import layers_of, roles_of
from drumline.inventory.magic_names import FAILED_NAMES, MAGIC_NAMES
from drumline.loading.defaults import KEYWORD, Defaults, defaults_for
from drumline.loading.deferred import split
from drumline.loading.keywords import KeywordReader
from drumline.loading.tasks import combine
from drumline.loading.written import likeness, templates_in, templates_of
from drumline.model.host import Inventory
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.traits import Sets
from drumline.model.value import Template, Value, Variables
from drumline.plugin.actions import Action, ActionFailed
from drumline.source.files import find_file, read_file, search_path
from drumline.source.nodes import plain
from drumline.templating import not_yet
from drumline.templating.values import ATOMS

#: The keyword of a play, which is also the name of the action.
_KEYWORD = "gather_facts"
#: Why facts aren't gathered, by whether the play says so.
_NOT_GATHERED = {
    True: "not gathered: gather_facts says so",
    False: "not gathered: the setting 'gathering' is explicit, and gather_facts isn't set",
}
#: Names by which tasks and ``module_defaults`` call it.
_GATHERING = ("setup", _KEYWORD)
_ARGUMENTS = ("fact_path", "gather_subset", "gather_timeout")
# Compiled where they are used: most plays have few templates, and to compile them all takes a millisecond.
_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
_PREFIX = "ansible_"
_ANY = "*"
#: Variables with a computed name, all variables at once, and files that a template includes by itself.
_UNKNOWN = (
    r"\bhostvars\b|\bvars\s*\[|\{%-?\s*(?:include|import|extends|from)\b"
    r"|\b(?:lookup|query|q)\s*\(\s*['\"](?:ansible\.builtin\.)?(?:vars|template)['\"]"
)
#: An exception that is known: a variable of another host, by its name.
_OF_OTHERS = (
    r"\bhostvars\s*(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\.\w+)\s*(?:\[\s*(['\"])(\w+)\1\s*\]|\.\s*(?:get\(['\"])?(\w+))"
)
_IN_BRACES = r"(?s:\{\{.*?\}\}|\{%.*?%\})"
#: Variables of Ansible's that aren't facts.
_NO_FACTS = MAGIC_NAMES | {
    *FAILED_NAMES,
    "ansible_managed",
    "ansible_loop",
    "ansible_loop_var",
    "ansible_index_var",
    "ansible_search_path",
}
#: The most bytes of a file that is searched; a larger one may use any fact.
_MOST = 1 << 20


def gathering_task(reader: KeywordReader, inherited: Mapping[str, Any], position: Position) -> Task:
    """The task that gathers facts for a play, with the play's defaults for tasks; its action isn't known yet."""
    arguments = {
        "fact_path": reader.value("fact_path", reader.text),
        "gather_subset": reader.value("gather_subset", lambda _, node: plain(node)),
        "gather_timeout": reader.value("gather_timeout", reader.number),
    }
    fields = {name: value for name, value in inherited.items() if name not in ("run_once", "tags")}
    defaults = _defaults(inherited.get(KEYWORD, ()))
    return Task(
        id="gathering-facts",
        name="Gathering Facts",
        action=_KEYWORD,
        arguments=defaults | {name: value for name, value in arguments.items() if value is not None},
        position=reader.entries[_KEYWORD].key_position if _KEYWORD in reader else position,
        positions={f"arguments.{name}": reader.entries[name].key_position for name in _ARGUMENTS if name in reader},
        first=True,
        **split({**combine(fields, {}), "tags": frozenset({"always"})}),
    )


def _defaults(layers: Sequence[Defaults]) -> dict[str, Value]:
    """The arguments that ``module_defaults`` of the play gives to what gathers facts."""
    found = (plain(node) for name in _GATHERING for node in defaults_for(name, layers) if isinstance(node.value, dict))
    return {name: value for one in found for name, value in one.items()}


def with_facts(
    playbook: Playbook,
    inventory: Inventory,
    extra: Variables,
    actions: Mapping[str, Action],
    chosen: Callable[[Task], bool],
    seen: Playbook | None = None,
) -> Playbook:
    """The playbook, in which each play has or lacks a task for facts. ``chosen``: the tasks that take part.

    ``seen`` is the same with all that its tasks add, where that is known (``loading.foreseen``).
    """
    looker = _Looker(inventory, extra)
    plays = zip(playbook.plays, (seen or playbook).plays, strict=True)
    return replace(playbook, plays=tuple(_decided(play, all_of, looker, actions, chosen) for play, all_of in plays))


def _decided(
    play: Play, seen: Play, looker: _Looker, actions: Mapping[str, Action], chosen: Callable[[Task], bool]
) -> Play:
    task = play.gathering
    if task is None:
        return play
    reason = "gather_facts says so" if play.gathers else ""
    if play.gathers is None:
        reason = looker.use_by(seen, chosen)
    action = actions.get(_KEYWORD) if reason else None
    if action is None:
        return replace(
            play, gathering=None, facts=_NOT_GATHERED[_KEYWORD in play.positions] if play.gathers is False else ""
        )
    taken = {other.id for other in play.tasks}
    name = next(name for name in _ids(task.id) if name not in taken)
    task = replace(task, id=name, action=action.name, traits=action.traits)
    return replace(play, tasks=(task, *play.tasks), gathering=None, facts=f"gathered: {reason}")


def _ids(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


class _Looker:
    """Looks for anything that may use a fact."""

    def __init__(self, inventory: Inventory, extra: Variables) -> None:
        self._inventory = inventory
        self._extra = extra
        self._known: dict[Hashable, str] = {}

    def use_by(self, play: Play, chosen: Callable[[Task], bool]) -> str:
        """The same for the tasks of a play that are ``chosen``; of plays that are alike one is looked at."""
        alike = likeness(play)
        if alike is None:
            return self.use(play, list(filter(chosen, play.tasks)))
        if alike not in self._known:
            self._known[alike] = self.use(play, list(filter(chosen, play.tasks)))
        return self._known[alike]

    def use(self, play: Play, tasks: list[Task]) -> str:
        """What in the play may use a fact; empty if nothing does."""
        defined = {*self._extra, *play.variables, *(name for layer in _of_roles(play) for name in layer)}
        for task in tasks:
            defined.update(task.variables, [task.register] if task.register else [])
            defined.update(task.arguments if task.traits.sets is Sets.ARGUMENTS else [])
        waiting = [(text, f"{position} uses it") for text, position in self._texts(play, tasks)]
        seen: set[str] = set()
        for text, where in waiting:  # it grows in the loop
            for name in _names(text):
                if name == _ANY:
                    return f"what {where.removesuffix(' uses it')} uses can't be known beforehand"
                if self._is_fact(name, defined):
                    return f"{name}, {where}"
                if name not in seen:
                    seen.add(name)
                    waiting += [(found.text, f"{found.position} uses it") for found in self._beside.get(name, ())]
        return ""

    def _texts(self, play: Play, tasks: list[Task]) -> Iterator[tuple[str, Position]]:
        for found in templates_in([play.variables, play.deferred, *_of_roles(play)]):
            yield _expressions(found), found.position
        for task in tasks:
            yield from ((_expressions(found), found.position) for found in templates_of(task))
            yield from ((value, task.position) for value in task.arguments.values() if isinstance(value, str))
            yield from self._rendered(task, play)
            if task.traits.adds is not None and task.traits.sets is Sets.UNKNOWN:
                yield "hostvars", task.position  # what it adds is unknown

    def _rendered(self, task: Task, play: Play) -> Iterator[tuple[str, Position]]:
        """The content of the file that the task renders, or whose variables it includes."""
        src = task.arguments.get(task.traits.renders) if task.traits.renders else None
        includes = task.traits.sets in (Sets.INCLUDED, Sets.PLAY)
        if src is None and not includes:
            return
        text = "hostvars"  # its content is unknown
        if isinstance(src, str):
            with suppress(ActionFailed, OSError):
                path = find_file(src, "vars" if includes else "templates", search_path(task, play))
                text = "".join(re.findall(_IN_BRACES, read_file(path, _MOST).decode(errors="replace")))
        yield text, task.position

    def _is_fact(self, name: str, defined: set[str]) -> bool:
        if not name.startswith(_PREFIX) or name in defined or name in _NO_FACTS:
            return False
        if not_yet.is_connection_variable(name.removeprefix(_PREFIX)):
            return False
        hosts = self._inventory.hosts.values()
        return not hosts or not all(name in host.variables for host in hosts)

    @cached_property
    def _beside(self) -> dict[str, list[Template]]:
        """The templates in variables from outside the playbook, by the variables' names."""
        found: dict[str, list[Template]] = {}
        seen: set[int] = set()
        for layer in (self._extra, *(host.variables for host in self._inventory.hosts.values())):
            for name, value in layer.items():
                if type(value) not in ATOMS and id(value) not in seen:
                    seen.add(id(value))
                    found.setdefault(name, []).extend(templates_in(value))
        return found


def _of_roles(play: Play) -> list[Variables]:
    """The variables of all roles of the play."""
    return [layer for role in roles_of(play) for layer in layers_of(role)]


def _expressions(template: Template) -> str:
    return template.text if template.bare else "".join(re.findall(_IN_BRACES, template.text))


def _names(text: str) -> Iterator[str]:
    """The names in a text that may be variables; ``_ANY`` for an unknown one."""
    for match in re.finditer(_OF_OTHERS, text):
        yield match[2] or match[3]
    text = re.sub(_OF_OTHERS, "", text)
    yield from re.findall(_WORD, text)
    if re.search(_UNKNOWN, text):
        yield _ANY
