"""Scopes: which definition wins, when it is rendered, what is said when it can't be."""

from pathlib import Path

import pytest

from drumline import __version__
from drumline.diagnostics import Position
from drumline.inventory.magic_names import MAGIC_NAMES
from drumline.inventory.variables import Facts, HostVars, Scope, batch_magic, host_magic, run_magic
from drumline.model.host import Group, Host, Inventory
from drumline.model.value import Template, Variables
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating

TEMPLATING = Templating()
POSITION = Position("play.yml", 3, 7)


def template(text: str) -> Template:
    return Template(text, POSITION)


def scope(*layers: Variables) -> Scope:
    return Scope(layers, TEMPLATING)


def test_the_first_layer_that_has_a_name_wins() -> None:
    found = scope({"a": 1}, {"a": 2, "b": None}, {"a": 3, "b": 3, "c": 3})
    assert dict(found) == {"a": 1, "b": None, "c": 3}
    assert (len(found), "c" in found, "d" in found, found.get("d")) == (3, True, False, None)
    with pytest.raises(KeyError):
        found["d"]


def test_a_definition_sees_what_wins_over_it() -> None:
    play = {"greeting": template("hello {{ name }}"), "name": "play"}
    assert scope(play)["greeting"] == "hello play"
    outer = scope(play)
    assert outer["greeting"] == "hello play"
    assert outer.child({"name": "item"}, {"more": 1})["greeting"] == "hello item"
    assert outer["greeting"] == "hello play"


def test_a_definition_is_rendered_when_it_is_used_and_once() -> None:
    found = scope({"broken": template("{{ nope }}"), "list": [template("{{ n }}")], "n": 1})
    assert found["list"] == [1]
    assert found["list"] is found["list"]
    for look_up in (found.__getitem__, found.get):
        with pytest.raises(TemplateFailed, match="'nope' is undefined") as caught:
            look_up("broken")
        assert caught.value.position == POSITION


def test_a_variable_whose_own_template_lacks_something_counts_as_undefined() -> None:
    found = scope({"broken": template("{{ nope.x }}")})
    assert TEMPLATING.render(template("{{ broken | default('d') }}"), found) == "d"
    assert TEMPLATING.render(template("{{ broken is defined }}"), found) is False
    with pytest.raises(TemplateFailed, match="'nope' is undefined"):
        TEMPLATING.render(template("x {{ broken }}"), found)


def test_a_template_may_call_the_methods_of_a_mapping_whose_names_come_first() -> None:
    found = scope({"own": scope({"a": 1}), "named": scope({"values": 2})})
    text = "{{ [own.get('a'), own.get('b', 3), own.keys() | list, own.items() | list, own.values() | list] }}"
    assert TEMPLATING.render(template(text), found) == [1, 3, ["a"], [["a", 1]], [1]]
    assert TEMPLATING.render(template("{{ own.values() }}"), found) == [1]
    assert TEMPLATING.render(template("{{ named.values }}"), found) == 2
    assert TEMPLATING.render(template("{{ own.pop is defined or own.absent is defined }}"), found) is False


@pytest.mark.parametrize(
    ("layer", "chain"),
    [
        ({"a": "{{ a }}"}, "a → a"),
        ({"a": "{{ b }}", "b": "{{ c.d }}", "c": "{{ a }}"}, "a → b → c → a"),
    ],
)
def test_a_definition_by_itself_is_named_with_its_way(layer: dict[str, str], chain: str) -> None:
    found = scope({name: template(text) for name, text in layer.items()})
    for _ in range(2):
        with pytest.raises(TemplateFailed, match=f"'a' is defined by itself: {chain}") as caught:
            found["a"]
        assert caught.value.position == POSITION


def test_what_hosts_said_is_not_looked_into() -> None:
    said = {"stdout": "{{ x }}", "trap": template("{{ x }}")}
    assert scope(Facts({"result": said}), {"x": 1})["result"] is said


def hostvars() -> HostVars:
    variables: dict[str, Variables] = {
        "web1": {"port": 80, "url": template("http://{{ inventory_hostname }}:{{ port }}")},
        "db1": {"port": 5432},
    }
    found = HostVars(variables, lambda name: scope({"inventory_hostname": name, "hostvars": found}, variables[name]))
    return found


def test_hostvars_render_with_the_other_hosts_variables() -> None:
    found = hostvars()
    mine = scope({"hostvars": found, "port": 1, "inventory_hostname": "db1"})
    assert TEMPLATING.render(template("{{ hostvars['web1'].url }}"), mine) == "http://web1:80"
    assert TEMPLATING.render(template("{{ hostvars.web1['port'] }}"), mine) == 80
    assert TEMPLATING.render(template("{{ hostvars | length }} {{ hostvars | join(' ') }}"), mine) == "2 web1 db1"
    assert TEMPLATING.render(template("{{ ['web1', 'db1'] | map('extract', hostvars, 'port') }}"), mine) == [80, 5432]
    assert TEMPLATING.render(template("{{ hostvars['web9'].port | default(0) }}"), mine) == 0
    assert found["web1"] is found["web1"]


def test_a_variable_named_like_a_method_is_the_variable() -> None:
    mine = scope({"hostvars": HostVars(["a"], lambda _name: scope({"child": "c", "keys": "k"}))})
    assert TEMPLATING.render(template("{{ hostvars.a.child }}{{ hostvars['a'].keys }}"), mine) == "ck"


def test_an_unknown_host_is_named() -> None:
    mine = scope({"hostvars": hostvars()})
    for text in ("{{ hostvars['web2'] }}", "{{ hostvars.web2.port }}"):
        with pytest.raises(TemplateFailed, match=r"no host 'web2' in the inventory\. Did you mean 'web1'\?"):
            TEMPLATING.render(template(text), mine)
    with pytest.raises(TemplateFailed, match=r"'prot' is undefined\. Did you mean 'port'\?"):
        TEMPLATING.render(template("{{ hostvars.web1.prot }}"), mine)


def test_two_hosts_that_wait_for_each_other_are_an_error() -> None:
    variables = {
        "a": {"x": template("{{ hostvars['b'].x }}")},
        "b": {"x": template("{{ hostvars['a'].x }}")},
    }
    found = HostVars(variables, lambda name: scope({"hostvars": found}, variables[name]))
    with pytest.raises(TemplateFailed, match="defined by itself"):
        found["a"]["x"]


def inventory(*sources: str) -> Inventory:
    return Inventory(
        hosts={
            "web1.example.org": Host(name="web1.example.org", groups=("prod", "web")),
            "web2": Host(name="web2", groups=("prod", "web")),
            "alone": Host(name="alone", groups=("ungrouped",)),
        },
        groups={
            "all": Group(name="all", children=("prod", "ungrouped")),
            "prod": Group(name="prod", children=("web",)),
            "web": Group(name="web", hosts=("web1.example.org", "web2")),
            "ungrouped": Group(name="ungrouped", hosts=("alone",)),
        },
        sources=sources,
    )


def test_every_magic_name_is_set_and_listed(tmp_path: Path) -> None:
    known = inventory(str(tmp_path))
    host = host_magic(known.hosts["web1.example.org"], hostvars())
    batch = batch_magic(play="Roll out", all_hosts=("a", "b", "c"), hosts=("a", "b"), batch=("a",))
    run = run_magic(known, tmp_path / "site.yml")
    roles = {
        name for name in MAGIC_NAMES if "role" in name or name in ("ansible_collection_name", "ansible_search_path")
    }
    assert host.keys() | batch.keys() | run.keys() | {"results"} == MAGIC_NAMES - roles  # those are the definitions'
    assert (host["inventory_hostname"], host["inventory_hostname_short"]) == ("web1.example.org", "web1")
    assert host["group_names"] == ["prod", "web"]
    assert batch["ansible_play_hosts_all"] == ["a", "b", "c"]
    assert batch["ansible_play_hosts"] == ["a", "b"]
    assert batch["play_batch"] == batch["ansible_play_batch"] == ["a"]
    assert sorted(run["groups"]["all"]) == ["alone", "web1.example.org", "web2"]
    assert run["groups"]["prod"] == ["web1.example.org", "web2"]
    assert run["groups"]["ungrouped"] == ["alone"]
    assert run["playbook_dir"] == run["inventory_dir"] == str(tmp_path)
    assert run["drumline_version"] == __version__


def test_the_directory_of_the_inventory(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text("")
    assert run_magic(inventory(str(file)), Path("site.yml"))["inventory_dir"] == str(tmp_path)
    assert run_magic(inventory("web1,web2,"), Path("site.yml"))["inventory_dir"] is None
    assert run_magic(inventory(), Path("site.yml"))["inventory_file"] is None
