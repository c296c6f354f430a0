"""Facts in plays: which plays gather them and why, and what wins over them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.program import call

from drumline.diagnostics import Position
from drumline.inventory.scopes import Scopes
from drumline.inventory.variables import Facts
from drumline.loading.facts import with_facts
from drumline.loading.playbook import load_playbooks
from drumline.model.host import Host, Inventory
from drumline.model.playbook import Play, Playbook
from drumline.model.value import Template
from drumline.plugin.manager import load_plugins
from drumline.templating.templates import Templating

Decide = Callable[..., str]
FACT = Template("{{ ansible_memtotal_mb }}", Position("hosts", 1))


@pytest.fixture
def decide(tmp_path: Path) -> Decide:
    """What is decided for a play: its lines but for ``hosts``."""
    actions = load_plugins().actions

    def decided(lines: str, **variables: object) -> str:
        path = tmp_path / "site.yml"
        path.write_text("- hosts: all\n" + "".join(f"  {line}\n" for line in lines.splitlines()))
        (tmp_path / "plain.j2").write_text("ansible_machine {{ inventory_hostname }} {{ ansible_managed }}")
        (tmp_path / "with.j2").write_text("{% if ansible_machine == 'x' %}{% endif %}")
        (tmp_path / "more.j2").write_text("{% include 'with.j2' %}")
        inventory = Inventory(hosts={"a": Host(name="a", variables=variables)})
        playbook = with_facts(load_playbooks([path], actions), inventory, {}, actions, lambda _task: True)
        [play] = playbook.plays
        assert play.gathering is None
        assert play.facts.startswith("gathered") is any(task.first for task in play.tasks)
        return play.facts

    return decided


@pytest.mark.parametrize(
    "lines",
    [
        "tasks: [{debug: {msg: '{{ ansible_os_family }}'}}]",
        "tasks: [{debug: {msg: '{{ ansible_facts.machine }}'}}]",
        "tasks: [{debug: {var: ansible_default_ipv4.address}}]",
        "tasks: [{ping: , when: ansible_eth0 is defined}]",
        "tasks: [{ping: , name: 'on {{ ansible_hostname }}'}]",
        "tasks: [{debug: {msg: \"{{ hostvars[groups['all'][0]]['ansible_eth0'] }}\"}}]",
        "tasks: [{debug: {msg: \"{{ hostvars['a'].ansible_eth0.mtu }}\"}}]",
        "vars: {x: '{{ ansible_machine }}'}\ntasks: [{debug: {msg: '{{ x }}'}}]",
        "tasks: [{template: {src: with.j2, dest: /x}}]",
        "tasks: [{template: {src: more.j2, dest: /x}}]",
        "tasks: [{template: {src: '{{ inventory_hostname }}.j2', dest: /x}}]",
        "tasks: [{debug: {msg: '{{ hostvars[inventory_hostname][item] }}'}, loop: [a]}]",
        "tasks: [{debug: {msg: \"{{ groups['all'] | map('extract', hostvars, 'x') | list }}\"}}]",
        "tasks: [{debug: {msg: \"{{ lookup('vars', item) }}\"}, loop: [a]}]",
        "tasks: [{debug: {msg: '{{ of_inventory }}'}}]",
        "gather_facts: true",
    ],
)
def test_facts_are_gathered(lines: str, decide: Decide) -> None:
    assert decide(lines, of_inventory=FACT).startswith("gathered: ")


@pytest.mark.parametrize(
    "lines",
    [
        "tasks: [{ping: }]",
        "tasks: [{debug: {msg: '{{ ansible_play_hosts }} {{ ansible_host }} {{ ansible_version }}'}}]",
        "tasks: [{template: {src: plain.j2, dest: /x}}]",
        "tasks: [{debug: {msg: \"{{ hostvars['a'].x }} {{ hostvars[groups['all'][0]]['x'] }}\"}}]",
        "vars: {ansible_machine: x}\ntasks: [{debug: {msg: '{{ ansible_machine }}'}}]",
        "tasks: [{command: id, register: ansible_id}, {debug: {var: ansible_id}}]",
        "gather_facts: false\ntasks: [{debug: {msg: '{{ ansible_os_family }}'}}]",
    ],
)
def test_facts_are_not_gathered(lines: str, decide: Decide) -> None:
    assert not decide(lines, of_inventory=FACT).startswith("gathered: ")


def test_the_reason_has_its_place(decide: Decide) -> None:
    said = decide("tasks:\n  - debug: {msg: '{{ ansible_os_family }}'}")
    assert said.startswith("gathered: ansible_os_family, ")
    assert "site.yml:3:" in said


RUN = """
- hosts: all
  gather_subset: ["!all", "!min", distribution]
  vars: {ansible_os_family: of the play}
  tasks:
    - id: free
      needs: []
      debug: {msg: "{{ ansible_os_family }} {{ ansible_facts.os_family }} {{ ansible_system is defined }}"}
    - set_fact: {ansible_distribution: set}
    - debug: {msg: "{{ ansible_distribution }} {{ ansible_facts['distribution'] }}"}
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: "{{ hostvars['a'].ansible_distribution_version }} later"}
"""


def test_plays_gather_and_later_ones_know(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(RUN)
    (tmp_path / "hosts").write_text("a ansible_connection=local ansible_distribution=inventory\n")
    ended = call(tmp_path, "plan", "site.yml", "-i", "hosts")
    assert "facts: gathered: ansible_os_family" not in ended.out  # the play defines it
    assert "facts: gathered: ansible_facts, site.yml:8:" in ended.out
    assert "facts: not gathered: gather_facts says so" in ended.out
    ended = call(tmp_path, "run", "site.yml", "-i", "hosts")
    assert ended.status == 0, ended.said
    assert re.search(r"^ +of the play \w+ False$", ended.out, re.MULTILINE)
    assert re.search(r"^ +set \w+", ended.out, re.MULTILINE)
    assert re.search(r"^ +[\d.]+ later$", ended.out, re.MULTILINE)


def test_large_local_facts(tmp_path: Path) -> None:
    """One that is too large takes no other fact along; what is too large in all is said to be."""
    directory = tmp_path / "facts"
    directory.mkdir()
    (tmp_path / "site.yml").write_text(
        f"- hosts: all\n  gather_facts: false\n  tasks:\n    - setup: {{fact_path: {directory}}}\n"
        "    - debug: {msg: '{{ ansible_local.a }}, on {{ ansible_system }}'}\n"
    )
    (tmp_path / "hosts").write_text("a ansible_connection=local\n")
    (directory / "a.fact").write_text(f'"{"x" * 1_100_000}"')
    ended = call(tmp_path, "run", "site.yml", "-i", "hosts")
    assert ended.status == 0, ended.said
    assert "a.fact has more than 256 KiB, on Linux" in " ".join(ended.out.split())
    for name in "bcdef":
        (directory / f"{name}.fact").write_text(f'"{"x" * 250_000}"')
    ended = call(tmp_path, "run", "site.yml", "-i", "hosts")
    assert ended.status != 0
    assert "more about itself than a job can hold (1 MiB)" in " ".join(ended.said.split())


def test_a_fact_that_nothing_gathers_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: {msg: '{{ ansible_distribution }}'}\n"
    )
    ended = call(tmp_path, "run", "site.yml", "-i", "a,")
    assert ended.status == 5
    assert "nothing gathers facts before it is used" in ended.err


def test_what_hosts_say_never_changes_how_they_are_reached(tmp_path: Path) -> None:
    """A local fact, an interface: on the host anyone may have given it any name."""
    plugin = """
from drumline.plugin import Action, Result, Sets, Traits, hookimpl

def perform(call):
    return Result(facts={"ansible_host": "evil", "ansible_connection": "ssh", "ansible_thing": "good"})
    yield

@hookimpl
def drumline_actions():
    return [Action(name="lie", perform=perform, help="Lie", traits=Traits(sets=Sets.FACTS))]
"""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/liar.py").write_text(plugin)
    (tmp_path / "hosts").write_text("a ansible_connection=local\n")
    (tmp_path / "site.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - lie:\n    - command: echo {{ ansible_thing }}\n"
        "    - debug: {msg: '{{ ansible_connection }} {{ ansible_host is defined }}'}\n"
    )
    ended = call(tmp_path, "run", "site.yml", "-i", "hosts", "-v")
    assert ended.status == 0, ended.said
    assert "local False" in ended.out


def test_facts_stand_between_the_inventory_and_the_vars_of_plays() -> None:
    inventory = Inventory(hosts={"a": Host(name="a", variables={"x": "inventory", "y": "inventory"})})
    said = {"a": Facts({"x": "fact", "y": "fact"})}
    made = Scopes(inventory, Playbook(path="site.yml"), {}, Templating(), gathered=said)
    play = Play(id="p", name="p", hosts="a", position=Position("site.yml"), variables={"x": "play"})
    scope = made.scope(made.host("a"), play=play)
    assert (scope["x"], scope["y"]) == ("play", "fact")


CACHED = """
- hosts: all
  gather_facts: true
  gather_subset: ["!all", "!min", env]
  tasks:
    - debug: {msg: "it is {{ ansible_env.WORD }}"}
"""


def test_facts_are_kept_for_later_runs(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(CACHED)
    (tmp_path / "hosts").write_text("a ansible_connection=local\nb ansible_connection=local\n")

    def said(word: str, cache: str, host: str = "a") -> str:
        env = {"WORD": word, "DRUMLINE_FACT_CACHE": cache}
        ended = call(tmp_path, "run", "site.yml", "-i", "hosts", "-l", host, env=env)
        assert ended.status == 0, ended.said
        return ended.out

    assert "it is one" in said("one", "off")
    assert not (tmp_path / "state/facts").exists()
    assert "it is two" in said("two", "1h")
    assert "it is two" in said("three", "1h")
    assert "it is other" in said("other", "1h", "b")
    assert "it is four" in said("four", "0")
    assert "it is two" in said("five", "2d")
    [first, second] = (tmp_path / "state/facts").iterdir()
    assert first.stat().st_mode & 0o777 == 0o600
    for kept in (first, second):
        kept.write_text(kept.read_text().replace('"at": ', '"at": 1'))  # of another time
    assert "it is six" in said("six", "1h")
    for kept in (first, second):
        kept.write_text("{broken")
    assert "it is seven" in said("seven", "1h")


def test_facts_with_secrets_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(CACHED)
    (tmp_path / "hosts").write_text("a ansible_connection=local my_password=hunter22\n")
    ended = call(tmp_path, "run", "site.yml", "-i", "hosts", env={"WORD": "hunter22", "DRUMLINE_FACT_CACHE": "1h"})
    assert ended.status == 0, ended.said
    assert not (tmp_path / "state/facts").exists()


def test_a_wrong_age_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(CACHED)
    ended = call(tmp_path, "run", "site.yml", "-i", "a,", env={"DRUMLINE_FACT_CACHE": "soon"})
    assert ended.status == 5
    assert "12h" in ended.err


def test_someone_who_looks_sees_them(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a ansible_connection=local my_password=hunter22\n")
    arguments = ("exec", "a", "-i", "hosts", "-m", "setup", "-a", "gather_subset=!all,!min,env filter=ansible_env")
    env = {"WORD": "hunter22", "OTHER": "thing"}
    ended = call(tmp_path, *arguments, "-vv", env=env)
    assert '"OTHER": "thing"' in ended.out
    assert "hunter22" not in ended.said
    assert "thing" not in call(tmp_path, *arguments, env=env).said
