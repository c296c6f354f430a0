"""Where a scope is put together: which layer wins, and what other hosts show of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.inventory.scopes import Scopes
from drumline.inventory.variables import Facts, Scope
from drumline.model.host import Host, Inventory
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.value import Template, Variables
from drumline.templating.templates import Templating

POSITION = Position("site.yml", 1)

#: Strongest first, as the documentation of ``inventory/scopes.py`` lists them.
LAYERS = ["names", "batch", "extra", "own", "set_by_job", "facts", "task", "play", "host", "everywhere"]


def scopes(host: Variables, extra: Variables, facts: Variables) -> Scopes:
    inventory = Inventory(hosts={"a": Host(name="a", variables=host), "b": Host(name="b", variables={"of_b": 1})})
    return Scopes(inventory, Playbook(path="site.yml"), extra, Templating(), facts={"a": Facts(facts)})


def play_of(variables: Variables) -> Play:
    return Play(id="p", name="p", hosts="all", position=POSITION, variables=variables)


def task_of(variables: Variables) -> Task:
    return Task(id="t", name="t", action="ping", position=POSITION, variables=variables)


def made(value: Any, layers: list[str]) -> Scope:
    """The scope in which each of these layers gives one name its own value."""
    name = "inventory_hostname" if "names" in layers else "x"
    given: dict[str, dict[str, Any]] = {layer: {name: value(layer)} if layer in layers else {} for layer in LAYERS}
    maker = scopes(given["host"], given["extra"], given["facts"])
    return maker.scope(
        maker.host("a"),
        play=play_of(given["play"]),
        task=task_of(given["task"]),
        own=given["own"],
        set_by_job=Facts(given["set_by_job"]),
        batch=given["batch"],
        everywhere=given["everywhere"],
    )


@pytest.mark.parametrize("strongest", range(1, len(LAYERS)))
def test_the_strongest_definition_wins(strongest: int) -> None:
    assert made(str, LAYERS[strongest:])["x"] == LAYERS[strongest]


def test_no_one_defines_what_drumline_does() -> None:
    assert made(str, LAYERS)["inventory_hostname"] == "a"


def test_hostvars_show_what_a_host_has_by_itself() -> None:
    maker = scopes({"of_a": Template("{{ x }} {{ results }}", POSITION)}, {"x": "extra"}, {"said": "it"})
    own = maker.scope(
        maker.host("b"),
        play=play_of({"of_play": 1}),
        task=task_of({"of_task": 1}),
        batch={"play_hosts": []},
        everywhere={"results": 7},
    )
    other = own["hostvars"]["a"]
    assert (other["of_a"], other["said"]) == ("extra 7", "it")
    assert {"of_play", "of_task", "play_hosts", "hostvars"}.isdisjoint(other)
    assert {"of_play", "of_task", "play_hosts", "hostvars"} <= set(own)


def test_what_is_the_same_for_all_hosts_sees_no_host() -> None:
    maker = scopes({"x": "host"}, {}, {"x": "fact"})
    play = Play(id="p", name="p", hosts="all", position=POSITION, variables={"x": "play", "y": ["a", "b"]})
    assert maker.render(Template("{{ x }} {{ inventory_hostname is defined }}", POSITION), play) == "play False"
    assert maker.render_pattern(Template("{{ y }}", POSITION), play) == "a,b"
    assert maker.before(maker.host("a"), play)["x"] == "fact"


def test_a_host_of_no_inventory_has_its_name_alone() -> None:
    maker = scopes({}, {}, {})
    assert maker.scope(maker.host("elsewhere"))["inventory_hostname"] == "elsewhere"
