"""What a playbook itself defines for its tasks: ``vars`` of plays, blocks and tasks, and the variables of roles.

A task of a role sees the defaults and variables of the role, of those that it depends on and of those that it stands
in. Every task of a play sees those of the play's public roles, which are weaker. Where each of these layers stands
among all others says :mod:`drumline.inventory.scopes`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from drumline.inventory.combining import combined
from drumline.model.playbook import Play, Role, Task
from drumline.model.value import Value, Variables
from drumline.source.files import search_path

_NOTHING: Variables = {}


class _OfRole(Struct, frozen=True):
    """The layers that tasks of a role see because of it. ``role`` keeps it alive, since layers are kept by identity."""

    role: Role | None = None
    defaults: Variables = {}
    variables: Variables = {}
    parameters: Variables = {}
    magic: Mapping[str, Any] = {}


class _OfPlay(Struct, frozen=True):
    """The layers that all tasks of a play see because of its roles."""

    roles: tuple[Role, ...] = ()
    defaults: Variables = {}
    variables: Variables = {}
    magic: Mapping[str, Any] = {}


_NO_ROLE, _NO_ROLES = _OfRole(), _OfPlay()


class Definitions:
    """The layers of plays and tasks. What follows from a role or the roles of a play is worked out once."""

    def __init__(self) -> None:
        self._roles: dict[int, _OfRole] = {}
        self._plays: dict[int, _OfPlay] = {}
        self._searched: dict[int, tuple[Task, Mapping[str, Any]]] = {}

    def parameters(self, task: Task | None) -> Iterator[Variables]:
        """Those that even what tasks have set is weaker than: parameters of roles, and of what was included."""
        if task is not None:
            yield task.parameters
            yield self._of_role(task.role).parameters

    def variables(self, play: Play | None, task: Task | None, of_files: Variables = _NOTHING) -> Iterator[Variables]:
        """Those of the task, of its role, of the play's roles and of the play, the strongest first.

        ``of_files`` are those of ``vars_files`` that differ between hosts.
        """
        if task is not None:
            yield task.variables
            yield self._of_role(task.role).variables
        if play is not None:
            yield self._of_play(play).variables
            yield of_files
            yield play.variables

    def defaults(self, play: Play | None, task: Task | None) -> Iterator[Variables]:
        """Those that only keywords are weaker than."""
        if task is not None:
            yield self._of_role(task.role).defaults
        if play is not None:
            yield self._of_play(play).defaults

    def magic(self, play: Play | None, task: Task | None) -> Iterator[Mapping[str, Any]]:
        """Names of roles, and where files are looked for."""
        if task is not None:
            yield self._of_role(task.role).magic
        if play is not None:
            yield self._of_play(play).magic
        if task is not None and play is not None:
            yield self._places(play, task)

    def _places(self, play: Play, task: Task) -> Mapping[str, Any]:
        known = self._searched.get(id(task))
        if known is None:
            places = {"ansible_search_path": list(map(str, search_path(task, play)))}
            known = self._searched[id(task)] = (task, places)
        return known[1]

    def merged(self, play: Play, task: Task | None = None, below: Variables = _NOTHING) -> Mapping[str, Value]:
        """All of them, as if nothing were defined beside them but what is ``below``."""
        layers = (*self.parameters(task), *self.variables(play, task), *self.defaults(play, task), below)
        return ChainMap(*(layer for layer in layers if layer))  # type: ignore[arg-type]  # nothing is written to it

    def of_role(self, role: Role | None) -> tuple[Variables, ...]:
        """All layers that tasks of a role see because of it."""
        known = self._of_role(role)
        return known.parameters, known.variables, known.defaults

    def _of_role(self, role: Role | None) -> _OfRole:
        if role is None:
            return _NO_ROLE
        known = self._roles.get(id(role))
        if known is None:
            known = self._roles[id(role)] = _OfRole(
                role=role,
                defaults=_defaults(role),
                variables=_variables(role),
                parameters=combined(one.parameters for one in (*role.parents, role)),
                magic=_names_of(role),
            )
        return known

    def _of_play(self, play: Play) -> _OfPlay:
        if not play.roles:
            return _NO_ROLES
        known = self._plays.get(id(play.roles))
        if known is None:
            public = [role for role in play.roles if role.public]
            known = self._plays[id(play.roles)] = _OfPlay(
                roles=play.roles,
                defaults=combined(_defaults(role, parents=False) for role in public),
                variables=combined(_exported(role) for role in public),
                magic=_names_in(play.roles),
            )
        return known


def roles_of(play: Play) -> list[Role]:
    """Each use of a role in a play, those that roles depend on too."""
    used = [block.role_use for block in play.blocks if block.role_use is not None]
    return list({id(role): role for role in used}.values())


def layers_of(role: Role) -> tuple[Variables, ...]:
    """What a use of a role defines by itself."""
    return role.defaults, role.variables, role.given, role.parameters


def _below(role: Role) -> Iterator[Role]:
    """All roles that it depends on, in the order in which their tasks run."""
    for dependency in role.dependencies:
        yield from _below(dependency)
        yield dependency


def _defaults(role: Role, *, parents: bool = True) -> Variables:
    around = (one.defaults for one in role.parents) if parents else ()
    return combined((*(one.defaults for one in _below(role)), *around, role.defaults))


def _exported(role: Role) -> Variables:
    """What tasks of others see of a role's variables."""
    return combined((*(one.variables for one in _below(role)), role.variables))


def _variables(role: Role) -> Variables:
    around = (layer for one in role.parents for layer in (one.given, one.variables))
    return combined((*around, _exported(role), role.given))


def _names_of(role: Role) -> Mapping[str, Any]:
    names: dict[str, Any] = {
        "ansible_collection_name": role.collection or None,
        "ansible_role_name": role.full_name,
        "role_name": role.name,
        "role_path": role.path,
    }
    around = _uses_by_tasks(role)
    if around:
        names["ansible_parent_role_names"] = [one.full_name for one in around]
        names["ansible_parent_role_paths"] = [one.path for one in around]
    return names


def _uses_by_tasks(role: Role) -> list[Role]:
    """The roles around whose tasks use the role or a role around it, the innermost first."""
    chain = (*role.parents, role)
    return [outer for outer, inner in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True) if inner.by_task]


def _names_in(roles: tuple[Role, ...]) -> Mapping[str, Any]:
    direct = [role.full_name for role in roles]
    dependent = list(dict.fromkeys(one.full_name for role in roles for one in _below(role)))
    return {
        "ansible_dependent_role_names": dependent,
        "ansible_play_role_names": direct,
        "ansible_role_names": list(dict.fromkeys((*dependent, *direct))),
        "role_names": direct,
    }
