"""Inventories: what they hold, and every way in which one can be wrong."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.narrowing import expect

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError, UsageError
from drumline.inventory.readers import BUILT_IN
from drumline.inventory.sources import load_inventory, members, require_hosts, shared_names
from drumline.model.host import Inventory
from drumline.model.value import SecretTemplate, Template
from drumline.plugin.sources import InventorySource, SourceCall, SourceData
from drumline.secret import Secret
from drumline.source.vault import Keyring, Password, keyring, use_keyring
from drumline.source.vault_format import seal

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the test's directory; its path as text."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def mistakes(*sources: str, **options: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(FilesError) as caught:
        load_inventory(sources, **options)
    return caught.value.diagnostics


def only_mistake(*sources: str) -> Diagnostic:
    (found,) = mistakes(*sources)
    return found


def variables(inventory: Inventory, host: str) -> Mapping[str, Any]:
    return inventory.hosts[host].variables


class TestContent:
    def test_hosts_come_in_the_order_of_the_sources(self, write: Write) -> None:
        inventory = load_inventory([write("b.ini", "b2\nb1\n"), write("a.yml", "web: {hosts: {a1: , b1: }}")])
        assert list(inventory.hosts) == ["b2", "b1", "a1"]
        assert inventory.hosts["b1"].groups == ("web",)
        assert inventory.hosts["b2"].groups == ("ungrouped",)

    def test_all_and_ungrouped_always_exist(self) -> None:
        inventory = load_inventory([])
        assert set(inventory.groups) == {"all", "ungrouped"}
        assert inventory.groups["all"].children == ("ungrouped",)

    def test_groups_of_a_host_include_parents_and_are_sorted(self, write: Write) -> None:
        inventory = load_inventory([write("h.ini", "[z]\nh\n[m:children]\nz\n[a:children]\nm\n")])
        assert inventory.hosts["h"].groups == ("a", "m", "z")
        assert members(inventory) == {
            "all": ("h",),
            "ungrouped": (),
            "z": ("h",),
            "m": ("h",),
            "a": ("h",),
        }

    def test_later_sources_win(self, write: Write) -> None:
        inventory = load_inventory([write("1.ini", "h x=1 y=1"), write("2.ini", "h x=2")])
        assert variables(inventory, "h") == {"x": 2, "y": 1}

    def test_a_comma_list(self) -> None:
        inventory = load_inventory(["web1, web2:2222,"])
        assert list(inventory.hosts) == ["web1", "web2"]
        assert variables(inventory, "web2") == {"ansible_port": 2222}
        assert inventory.sources == ("web1, web2:2222,",)

    def test_hosts_without_own_variables_share_their_groups(self, write: Write) -> None:
        inventory = load_inventory([write("h.ini", "[web]\nweb[1:100]\n[web:vars]\na=1\n")])
        assert len({id(host.variables) for host in inventory.hosts.values()}) == 1

    def test_localhost_is_implicit_with_the_variables_of_all(self, write: Write) -> None:
        write("group_vars/all.yml", "a: 1")
        write("host_vars/localhost.yml", "b: 2")
        inventory = load_inventory([write("h.ini", "web1\n")])
        assert list(inventory.hosts) == ["web1"]
        assert "localhost" not in inventory.hosts
        assert inventory.hosts["localhost"].variables == {"a": 1, "b": 2, "ansible_connection": "local"}
        assert inventory.hosts.get("127.0.0.1") is not None
        assert inventory.hosts.get("web2") is None
        with pytest.raises(KeyError):
            inventory.hosts["web2"]

    def test_localhost_in_a_source_is_an_ordinary_host(self, write: Write) -> None:
        inventory = load_inventory([write("h.ini", "localhost a=1\n")])
        assert inventory.hosts["localhost"].variables == {"a": 1}

    def test_braces_are_templates_with_their_place(self, write: Write) -> None:
        ini = write("h.ini", "web1 a='{{ b }}'\n[web:vars]\nx = {{ y }}\n[web]\nweb1\n")
        yml = write("h.yml", "web:\n  hosts:\n    web1: {c: '{{ d }}', e: !unsafe '{{ f }}'}\n")
        found = variables(load_inventory([ini, yml]), "web1")
        assert isinstance(found["a"], Template)
        assert found["a"].position == Position(ini, 1, 8)
        assert found["x"].position == Position(ini, 3, 5)
        assert found["c"].position == Position(yml, 3, 15)
        assert found["e"] == "{{ f }}"

    def test_a_group_and_a_host_of_one_name_are_told(self, write: Write) -> None:
        inventory = load_inventory([write("h.ini", "[web]\nweb\nother\n")])
        assert shared_names(inventory) == ("web",)

    @pytest.mark.parametrize(
        "text",
        ["# c\n---\nweb:\n  hosts: {h: }\n", "web:\n  hosts: {h: }\n", '{"web": {"hosts": {"h": {}}}}', "[web]\nh\n"],
    )
    def test_a_file_without_an_extension_is_looked_at(self, write: Write, text: str) -> None:
        assert load_inventory([write("hosts", text)]).hosts["h"].groups == ("web",)

    def test_ten_thousand_hosts_load_quickly(self, write: Write) -> None:
        hosts = "".join(f"    web{n}: {{ansible_host: 10.0.0.1, a: {n}, b: text}}\n" for n in range(10_000))
        source = write("h.yml", f"web:\n  hosts:\n{hosts}")
        begin = time.process_time()
        assert len(load_inventory([source]).hosts) == 10_000
        assert time.process_time() - begin < 30  # 0.7 s; what grows with the square takes minutes

    def test_what_a_plugin_gives_is_merged_and_trusted(self) -> None:
        data = SourceData(
            groups={"web": {"a": ["{{ b }}"], "c": {"__ansible_unsafe": "{{ d }}"}}},
            members={"web": ["h2", "h1"]},
            children={"site": ["web"]},
            hosts={"h1": {"x": 1}, "h2": {}},
        )
        cloud = InventorySource(name="cloud", claims="cloud:eu".__eq__, read=lambda _call: data)
        inventory = load_inventory(["cloud:eu", "h3,"], [cloud, *BUILT_IN])
        assert list(inventory.hosts) == ["h1", "h2", "h3"]
        assert inventory.hosts["h1"].groups == ("site", "web")
        found = variables(inventory, "h1")
        assert found == {"a": [Template("{{ b }}", Position(""))], "c": "{{ d }}", "x": 1}
        assert found["a"][0].position == Position("cloud:eu", 0)

    def test_what_a_plugin_refuses_is_told_with_the_rest(self) -> None:
        def read(call: SourceCall) -> SourceData:
            raise UsageError("No account", "Log in first.")

        cloud = InventorySource(name="cloud", claims=lambda source: source.startswith("cloud:"), read=read)
        found = mistakes("cloud:a", "nowhere", readers=[cloud, *BUILT_IN])
        assert [diagnostic.summary for diagnostic in found] == ["No account", "An inventory source doesn't exist"]

    def test_a_directory_uses_what_can_be_read(self, write: Write, tmp_path: Path) -> None:
        write("sources/a.yml", "web: {hosts: {h1: {a: 1}}, children: {inner: {hosts: {h2: }}}}\n")
        write("sources/b.ini", "[web]\nh1 b=2\nh3\n[broken section]\n")
        write("sources/c.ini", "[web]\nh1 c=3\n[web:vars]\nd=4\n")
        inventory = load_inventory([str(tmp_path / "sources")])
        assert list(inventory.hosts) == ["h1", "h2"]
        assert variables(inventory, "h1") == {"a": 1, "c": 3, "d": 4}
        [found] = inventory.warnings
        assert (found.summary, expect(Position, found.position).line) == ("Not a section", 4)

    def test_a_directory_of_which_nothing_can_be_read_is_refused(self, write: Write, tmp_path: Path) -> None:
        write("sources/a.yml", "[")
        write("sources/b.ini", "[web hosts]\n")
        found = mistakes(str(tmp_path / "sources"))
        assert [diagnostic.summary for diagnostic in found] == ["This file isn't valid YAML", "Not a section"]

    @pytest.mark.parametrize("name", ["hosts", "group_vars/web.yml", "host_vars/h"])
    def test_an_encrypted_file_is_called_so(self, write: Write, name: str) -> None:
        source = write("hosts", "[web]\nh\n")
        write(name, seal(b"a: 1", b"x").decode())
        assert only_mistake(source).summary == "A vault password is missing"


@pytest.mark.parametrize(
    "text",
    ["[web]\nh a=hunter22\n[web:vars]\nb={{ a }}\n", "web: {hosts: {h: {a: hunter22}}, vars: {b: '{{ a }}'}}"],
)
def test_an_encrypted_inventory(write: Write, text: str) -> None:
    use_keyring(Keyring([Password("default", "typed", Secret("pw"))]))
    inventory = load_inventory([write("hosts", seal(text.encode(), b"pw").decode())])
    variables = inventory.hosts["h"].variables
    assert variables["a"] == Secret("hunter22")
    assert type(variables["b"]) is SecretTemplate
    assert keyring().known == ("hunter22",)


def test_the_example_fleet() -> None:
    inventory = load_inventory([str(Path(__file__).parents[2] / "inventory")])
    groups = members(inventory)
    assert groups["linux"] == ("web1", "web2", "web3")
    assert groups["windows"] == groups["app"] == ("app-win1", "app-win2")
    assert (groups["web"], groups["db"], groups["lb"]) == (("web1", "web2"), ("web3",), ("web1",))
    assert variables(inventory, "app-win1")["ansible_connection"] == "winrm"


class TestDirectories:
    def test_variables_beside_the_inventory_as_file_or_directory(self, write: Write, tmp_path: Path) -> None:
        source = write("hosts", "[web]\nh1\nh2\n")
        write("group_vars/web/b.yml", "a: b\n")
        write("group_vars/web/deeper/c.json", '{"d": 1}')
        write("group_vars/web.yml", "never: read\n")
        write("host_vars/h1", "own: 1\n")
        write("host_vars/h2.yaml", "---\n")
        inventory = load_inventory([source])
        assert variables(inventory, "h1") == {"a": "b", "d": 1, "own": 1}
        assert variables(inventory, "h2") == {"a": "b", "d": 1}
        assert inventory.groups["web"].variables == {"a": "b", "d": 1}

    def test_links_in_circles_lead_to_nothing_new(self, write: Write) -> None:
        source = write("hosts", "h1\n")
        directory = Path(write("host_vars/h1/deep/vars.yml", "a: 1\n")).parent
        (directory / "up").symlink_to("..")
        (directory / "top").symlink_to("../..")
        assert load_inventory([source]).hosts["h1"].variables["a"] == 1

    def test_mistakes_in_them_are_found_with_those_of_sources(self, write: Write) -> None:
        source = write("hosts.yml", "web: {hosts: {h1: }, host: x}")
        listed = write("group_vars/web.yml", "- a\n")
        broken = write("host_vars/h1.yml", "a: b: c\n")
        found = mistakes(source)
        assert {(item.summary, str(item.position)) for item in found} == {
            ("Unknown key in a group", f"{source}:1:22"),
            ("Wrong type in a file of variables", f"{listed}:1:1"),
            ("This file isn't valid YAML", f"{broken}:1:5"),
        }

    def test_a_directory_named_twice_counts_once(self, write: Write, tmp_path: Path) -> None:
        write("group_vars/all.yml", "a: 1\n")
        source = write("hosts", "h\n")
        inventory = load_inventory([source, str(tmp_path / "hosts")], extra_directories=[tmp_path])
        assert variables(inventory, "h") == {"a": 1}


class TestMistakes:
    def test_a_source_that_does_not_exist(self) -> None:
        found = only_mistake("web1")
        assert found.summary == "An inventory source doesn't exist"
        assert "-i 'web1,'" in found.detail

    def test_a_source_that_cannot_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # a socket's path has to be short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("hosts")
            found = only_mistake("hosts")
        assert found.summary == "A file can't be read"
        assert "No such device" in found.detail

    def test_a_source_that_is_binary(self, tmp_path: Path) -> None:
        (tmp_path / "hosts").write_bytes(b"\x00\x01")
        assert only_mistake(str(tmp_path / "hosts")).summary == "This file isn't text"

    @pytest.mark.parametrize("text", ["", "# nothing\n", "[web]\n"])
    def test_an_empty_inventory(self, write: Write, text: str) -> None:
        source = write("hosts", text)
        inventory = load_inventory([source])
        with pytest.raises(UsageError, match="no hosts") as caught:
            require_hosts(inventory)
        assert source in caught.value.detail

    @pytest.mark.parametrize(
        "name",
        ["web 1", "web;rm", "$(id)", "`id`", "a|b", "a>b", "a&b", "web*", "web?", "a'b", "-oProxyCommand=x", "a\\b"],
    )
    def test_host_names_that_a_shell_would_read_otherwise(self, write: Write, name: str) -> None:
        source = write("hosts.yml", f"web:\n  hosts:\n    {quoted(name)}:\n")
        found = only_mistake(source)
        assert found.summary == "Not a host name"
        assert found.position == Position(source, 3, 5)

    def test_every_wrong_host_name_is_told(self, write: Write) -> None:
        source = write("hosts.ini", "ok\n'a b'\nx;y\nz:99999\n")
        assert [item.position for item in mistakes(source)] == [Position(source, line, 1) for line in (2, 3, 4)]

    def test_a_cycle_of_groups_is_shown_with_its_path(self, write: Write) -> None:
        source = write("h.ini", "[a]\nh\n[a:children]\nb\n[b:children]\nc\n[c:children]\na\n")
        found = only_mistake(source)
        assert found.summary == "Groups contain each other"
        assert "a > b > c > a" in found.detail
        assert found.position == Position(source, 8, 1)

    def test_all_cycles_are_shown(self, write: Write) -> None:
        source = write("h.ini", "[a:children]\na\n[b:children]\nc\n[c:children]\nb\n")
        assert len(mistakes(source)) == 2

    def test_all_can_be_nobodys_child(self, write: Write) -> None:
        assert only_mistake(write("h.yml", "web: {children: {all: }}")).summary == "'all' can't be a child"

    def test_groups_that_are_nowhere_defined(self, write: Write) -> None:
        source = write("h.ini", "[web]\nh\n[wbe:vars]\na=1\n[site:children]\nwebb\n")
        found = mistakes(source)
        assert [(item.summary, item.position and item.position.line) for item in found] == [
            ("Undefined group", 3),
            ("Undefined group", 6),
        ]
        assert all("Did you mean 'web'?" in item.detail for item in found)

    def test_a_group_may_be_defined_in_another_source(self, write: Write) -> None:
        sources = [write("1.ini", "[web:vars]\na=1\n"), write("2.ini", "[web]\nh\n")]
        assert variables(load_inventory(sources), "h") == {"a": 1}

    def test_a_priority_that_is_no_number(self, write: Write) -> None:
        source = write("h.ini", "[web]\nh\n[web:vars]\nansible_group_priority=high\n")
        assert only_mistake(source).summary == "Not a priority"

    def test_the_mistakes_of_all_sources_come_at_once(self, write: Write) -> None:
        found = mistakes(write("1.ini", "[x:oops]\n"), write("2.yml", "a: b: c\n"), write("3.yml", "[1]"), "nowhere")
        assert len(found) == 4


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
