"""Fixtures: playbooks and fleets made by hand, so that planning is tested without files."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.model.host import Group, Host, Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.traits import Traits
from drumline.planning.expand import make_plan
from drumline.plugin.manager import load_plugins
from support.makers import MakePlan, MakePlay, MakeTask

ACTIONS = load_plugins().actions


def make_inventory(groups: Mapping[str, Sequence[str]]) -> Inventory:
    hosts: dict[str, list[str]] = {}
    for group, names in groups.items():
        for name in names:
            hosts.setdefault(name, []).append(group)
    return Inventory(
        hosts={name: Host(name=name, groups=tuple(sorted(own))) for name, own in hosts.items()},
        groups={
            "all": Group(name="all", children=(*groups, "ungrouped")),
            "ungrouped": Group(name="ungrouped"),
            **{group: Group(name=group, hosts=tuple(names)) for group, names in groups.items()},
        },
    )


def make_task(name: str, needs: tuple[str, ...] | None = None, action: str = "command", **fields: Any) -> Task:
    traits = ACTIONS[action].traits if action in ACTIONS else Traits()
    return Task(id=name, name=name, action=action, traits=traits, position=Position("site.yml"), needs=needs, **fields)


def make_play(name: str, *tasks: Task, hosts: str = "app", **fields: Any) -> Play:
    return Play(id=name, name=name, hosts=hosts, tasks=tasks, position=Position("site.yml"), **fields)


@pytest.fixture(scope="session")
def inventory() -> Inventory:
    return make_inventory({"app": ["app1", "app2", "app3"], "db": ["db1", "db2"], "lb": ["lb1"]})


@pytest.fixture
def inventory_of() -> Callable[[Mapping[str, Sequence[str]]], Inventory]:
    return make_inventory


@pytest.fixture
def task() -> MakeTask:
    return make_task


@pytest.fixture
def play() -> MakePlay:
    return make_play


@pytest.fixture
def plan(inventory: Inventory) -> MakePlan:
    def planned(
        *plays: Play,
        on: Inventory = inventory,
        render: Callable[[Any, Play], str] = lambda value, _play: str(value),
        **options: Any,
    ) -> Plan:
        options = {"host_scope": lambda host, _play: host.variables, "shuffle": tuple, **options}
        return make_plan(Playbook(path="site.yml", plays=plays), on, render_pattern=render, **options)

    return planned
