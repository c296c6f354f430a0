"""``drumline_host_vars``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.installed import install
from support.narrowing import expect
from support.program import call

from drumline import built_in
from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.inventory.sources import load_inventory
from drumline.model.host import Inventory
from drumline.model.value import Template
from drumline.plugin import HostVariables, SourceData, UsageError, hookimpl
from drumline.plugin.manager import load_plugins

PLUGIN = """
    import json
    from drumline.plugin import HostVariables, hookimpl

    @hookimpl
    def drumline_host_vars(inventory, directories):
        found = [json.loads((place / "racks.json").read_text()) for place in directories]
        hosts = {host: {"rack": rack} for racks in found for rack, hosts in racks.items() for host in hosts}
        return [HostVariables(hosts=hosts, groups={"web": {"size": len(list(inventory.members["web"]))}})]
"""


class Giving:
    """Gives the same variables to everybody who asks, and remembers with what it was asked."""

    def __init__(self, *given: HostVariables | BaseException) -> None:
        self.given = given
        self.asked: list[dict[str, Any]] = []

    @hookimpl
    def drumline_host_vars(
        self, inventory: SourceData, directories: tuple[Path, ...], playbook_directories: tuple[Path, ...]
    ) -> Iterable[HostVariables] | None:
        self.asked.append(
            {
                "hosts": dict(inventory.hosts),
                "groups": dict(inventory.groups),
                "members": {name: list(hosts) for name, hosts in inventory.members.items()},
                "children": {name: list(groups) for name, groups in inventory.children.items()},
                "places": (directories, playbook_directories),
            }
        )
        for one in self.given:
            if isinstance(one, BaseException):
                raise one
        return [one for one in self.given if isinstance(one, HostVariables)] or None


class GivingFirst:
    def __init__(self, given: HostVariables) -> None:
        self.given = given

    @hookimpl(tryfirst=True)
    def drumline_host_vars(self) -> Iterable[HostVariables] | None:
        return [self.given]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in [
        (
            "inventory/hosts.ini",
            "[all:vars]\na=source\n[web]\nweb1 b=source\nweb2\n[site:children]\nweb\n[web:vars]\nc=1\n",
        ),
        ("inventory/group_vars/web.yml", "d: file\ne: file\n"),
        ("inventory/host_vars/web1.yml", "f: file\n"),
        ("plays/group_vars/all.yml", "g: playbook\n"),
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def load(project: Path, *plugins: Giving | GivingFirst) -> Inventory:
    registry = load_plugins(built_in=built_in, extra=[(f"giving{at}", plugin) for at, plugin in enumerate(plugins)])
    assert registry.faults == ()
    givers = [(owner, partial(ask, settings={})) for owner, ask in registry.hooks.each("drumline_host_vars")]
    return load_inventory(
        [str(project / "inventory")],
        givers=givers,
        extra_directories=[project / "plays"],
    )


def mistakes(project: Path, *plugins: Giving) -> list[Diagnostic]:
    with pytest.raises(FilesError) as raised:
        load(project, *plugins)
    return list(raised.value.diagnostics)


def test_an_installed_package_gives_variables(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "racks", PLUGIN)
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts.ini").write_text("[web]\nweb1 rack=none\nweb2\n")
    (tmp_path / "inventory" / "racks.json").write_text('{"r1": ["web1", "elsewhere"], "{{ \'r\' ~ 2 }}": ["web2"]}')
    (tmp_path / "site.yml").write_text('- hosts: web\n  tasks:\n    - debug: {msg: "{{ rack }} of {{ size }}"}\n')
    ended = call(tmp_path, "run", "site.yml", "--events", "-", env=env)
    said = {event["job"]["host"]: event["result"]["msg"] for event in ended.events() if event["event"] == "JobFinished"}
    assert said == {"web1": "r1 of 2", "web2": "r2 of 2"}
    listed = json.loads(call(tmp_path, "inventory", "list", "--format", "json", env=env).out)
    assert listed["_meta"]["hostvars"]["web1"] == {"rack": "r1", "size": 2}


def test_it_is_asked_once_for_all_hosts_and_groups(project: Path) -> None:
    plugin = Giving()
    load(project, plugin)
    [asked] = plugin.asked
    assert asked["hosts"] == {"web1": {"b": "source"}, "web2": {}}
    assert asked["groups"] == {"all": {"a": "source"}, "ungrouped": {}, "web": {"c": 1}, "site": {}}
    assert asked["members"]["web"] == ["web1", "web2"]
    assert asked["children"]["site"] == ["web"]
    assert asked["places"] == ((project / "inventory",), (project / "plays",))


def test_its_variables_win_over_the_sources_and_files_over_them(project: Path) -> None:
    given = HostVariables(
        groups={"all": {"a": "plugin", "g": "plugin"}, "web": {"c": "plugin", "d": "plugin"}, "other": {"x": 1}},
        hosts={"web1": {"b": "plugin", "e": "plugin", "f": "plugin"}, "other": {"x": 1}},
    )
    inventory = load(project, Giving(given))
    assert inventory.hosts["web1"].variables == {
        "a": "plugin",
        "b": "plugin",
        "c": "plugin",
        "d": "file",
        "e": "plugin",
        "f": "file",
        "g": "playbook",
    }
    assert set(inventory.hosts) == {"web1", "web2"}
    assert "other" not in inventory.groups


def test_the_plugin_that_is_asked_first_wins_and_may_come_before_files(project: Path) -> None:
    def saying(word: str) -> HostVariables:
        return HostVariables(groups={"web": {"d": word}}, hosts={"web1": {"f": word, "z": word}})

    ordered = load(project, Giving(saying("one")), Giving(saying("two"))).hosts["web1"].variables
    assert (ordered["d"], ordered["f"], ordered["z"]) == ("file", "file", "one")
    first = load(project, Giving(saying("one")), GivingFirst(saying("two"))).hosts["web1"].variables
    assert (first["d"], first["f"], first["z"]) == ("two", "two", "two")


def test_what_belongs_to_the_playbook_wins_over_what_belongs_to_the_inventory(project: Path) -> None:
    given = HostVariables(groups={"all": {"d": "all", "g": "plugin"}, "web": {"e": "plugin"}}, stage="playbook")
    variables = load(project, Giving(given)).hosts["web1"].variables
    assert (variables["d"], variables["e"], variables["g"]) == ("file", "plugin", "playbook")


def test_its_text_is_the_authors(project: Path) -> None:
    given = HostVariables(hosts={"web2": {"a": ["{{ b }}"], "b": {"__ansible_unsafe": "{{ c }}"}}, "::1": {"a": 1}})
    inventory = load(project, Giving(given))
    [template] = inventory.hosts["web2"].variables["a"]
    assert expect(Template, template).position == Position("Plugin 'giving0' (given)")
    assert inventory.hosts["web2"].variables["b"] == "{{ c }}"
    assert inventory.hosts["::1"].variables["a"] == 1


def test_its_mistakes_come_with_all_others(project: Path) -> None:
    (project / "inventory" / "host_vars" / "web2.yml").write_text("[]\n")
    told = mistakes(
        project, Giving(UsageError("The database can't be reached", "It is at db1.")), Giving(KeyError("x"))
    )
    assert [one.summary for one in told] == [
        "Wrong type in a file of variables",
        "The database can't be reached",
        "A plugin has failed",
    ]
    assert told[2].detail == "Plugin 'giving1' (given): hook drumline_host_vars failed: KeyError: 'x'"


def test_a_stage_that_there_is_not_is_the_plugins_fault(project: Path) -> None:
    [told] = mistakes(project, Giving(HostVariables(stage="late")))  # type: ignore[arg-type]  # what a plugin gets wrong
    assert told.detail.endswith("drumline_host_vars failed: ValueError: there is no stage 'late'")
