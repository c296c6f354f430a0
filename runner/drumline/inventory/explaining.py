"""Where the value of a variable comes from, and what it overrides: all definitions of it that a job sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from drumline.diagnostics import Position
from drumline.inventory.scopes import Scopes
from drumline.model.host import Host
from drumline.model.playbook import Play, Task
from drumline.model.value import Template, Value, Variables
from drumline.source.origins import SOURCES, Origins, Owner


class Definition(Struct, frozen=True):
    """One definition, as it is written."""

    of: str  #: Whose it is: ``group 'web'``, ``vars of play 'site'``, …
    value: Value
    position: Position | None


class Explanation(Struct, frozen=True):
    """A variable on a host: its value, and its definitions, the strongest first. None: drumline itself sets it."""

    value: Any
    definitions: tuple[Definition, ...]


def explain(
    scopes: Scopes, origins: Origins, host: Host, name: str, play: Play | None = None, task: Task | None = None
) -> Explanation:
    """What a job of the task sees of a variable, or any of the play's. Raises ``KeyError`` and ``TemplateFailed``."""
    value = scopes.scope(host, play=play, task=task)[name]
    found: list[Definition] = []
    for layer in scopes.layers(host, play, task):
        if name in layer:
            one = _inventory(origins, host, name) if layer is host.variables else ()
            found += one or [_definition(scopes, origins, layer, name, play, task)]
    unique = {(one.position, repr(one.value)): one for one in reversed(found)}
    return Explanation(value, tuple(reversed(unique.values())))


def _inventory(origins: Origins, host: Host, name: str) -> list[Definition]:
    defined = [*origins.of(origins.owners_of(host.name), name)]
    return [Definition(_owner(origin.owner), origin.value, origin.position) for origin in reversed(defined)]


def _owner(owner: Owner) -> str:
    beside = "" if owner.stage == SOURCES else f", beside the {owner.stage}"
    return f"{owner.kind} '{owner.name}'{beside}"


def _definition(
    scopes: Scopes, origins: Origins, layer: Variables, name: str, play: Play | None, task: Task | None
) -> Definition:
    of, within = next((label, place) for known, label, place in _known(scopes, play, task) if known is layer)
    value = layer[name]
    found = value.position if isinstance(value, Template) else origins.place_of(name, value, within)
    return Definition(of, value, found)


def _known(scopes: Scopes, play: Play | None, task: Task | None) -> Iterator[tuple[Variables | None, str, str]]:
    """The layers beside the inventory: what each is called, and the file or directory in which it stands."""
    known = scopes.definitions
    if task is not None:
        place = task.position.path
        yield task.variables, f"vars of task '{task.id}', or of a block around it", place
        yield task.parameters, f"what includes task '{task.id}'", place
        yield task.connection, f"keywords of task '{task.id}'", place
        if task.role is not None:
            parameters, variables, defaults = known.of_role(task.role)
            yield parameters, f"parameters of role '{task.role.name}'", place
            yield variables, f"vars of role '{task.role.name}'", task.role.path
            yield defaults, f"defaults of role '{task.role.name}'", task.role.path
    if play is not None:
        yield play.variables, f"vars of play '{play.id}'", play.position.path
        for layer in known.variables(play, None):
            yield layer, f"vars of roles or files of play '{play.id}'", ""
        for layer in known.defaults(play, None):
            yield layer, f"defaults of roles of play '{play.id}'", ""
    for layer in scopes.layers(None, play, task):
        yield layer, "the command line (-e)", ""
