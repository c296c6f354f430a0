"""``drumline inventory``, as it is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from drumline.cli.program import program

HOSTS = """
all:
  hosts:
    web1: {ansible_password: s3cret, nested: {api_token: t0ken}, text: "a: b", port: 80, word: plain, truth: "yes"}
    db1:
  children:
    web: {hosts: {web1: }, vars: {greeting: "hi {{ inventory_hostname }}"}}
    db: {hosts: {db1: }}
"""
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls ``drumline inventory`` in a directory with an ``inventory``; gives exit status and what it said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory").write_text(HOSTS)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            raise SystemExit(program.main(["inventory", *arguments], prog_name="drumline"))
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return call


def test_list_shows_hosts_as_yaml(call: Call) -> None:
    status, out, err = call("list")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "web1:  # web",
        '  ansible_password: "********"',
        '  greeting: "hi {{ inventory_hostname }}"',
        '  nested: {"api_token": "********"}',
        "  port: 80",
        '  text: "a: b"',
        '  truth: "yes"',
        "  word: plain",
        "db1:  # db",
    ]


def test_list_as_json_has_ansibles_shape(call: Call) -> None:
    status, out, _ = call("list", "web", "--format", "json")
    shown = json.loads(out)
    assert status == 0
    assert list(shown) == ["_meta", "all", "web"]
    assert shown["all"] == {"children": ["ungrouped", "web", "db"]}
    assert shown["web"] == {"hosts": ["web1"]}
    assert list(shown["_meta"]["hostvars"]) == ["web1"]
    assert shown["_meta"]["hostvars"]["web1"]["greeting"] == "hi {{ inventory_hostname }}"


@pytest.mark.parametrize("arguments", [("list",), ("list", "--format", "json"), ("host", "web1")])
def test_secrets_are_shown_on_request_only(call: Call, arguments: tuple[str, ...]) -> None:
    _, out, _ = call(*arguments)
    assert "s3cret" not in out
    assert "t0ken" not in out
    _, out, _ = call(*arguments, "--reveal")
    assert "s3cret" in out
    assert "t0ken" in out


def test_graph(call: Call) -> None:
    _, out, _ = call("graph")
    assert out.splitlines() == [
        "@all:",
        "  |--@ungrouped:",
        "  |--@web:",
        "  |  |--web1",
        "  |--@db:",
        "  |  |--db1",
    ]
    assert call("graph", "db")[1].splitlines() == ["@db:", "  |--db1"]


def test_host_as_json(call: Call) -> None:
    _, out, _ = call("host", "web1", "--format", "json")
    assert json.loads(out)["port"] == 80


def test_the_implicit_localhost_can_be_shown(call: Call) -> None:
    _, out, _ = call("host", "localhost")
    assert out.splitlines() == ["localhost:  # implicit", "  ansible_connection: local"]


def test_a_name_of_a_host_and_a_group_is_warned_about(call: Call) -> None:
    Path("other").write_text("[web]\nweb\n")
    status, _, err = call("list", "-i", "other")
    assert status == 0
    assert err == "warning: 'web' is both a host and a group; in patterns it means the host.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "wbe"), "Did you mean 'web'?"),
        (("host", "web2"), "Did you mean 'web1'?"),
        (("graph", "wob"), "Did you mean 'web'?"),
        (("list", "-i", "nowhere"), "There is no 'nowhere'"),
        (("list", "-i", "broken.yml"), "broken.yml:1:5: error: This file isn't valid YAML"),
        (("oops",), "No such command"),
    ],
)
def test_what_goes_wrong_is_said_and_is_status_5(call: Call, arguments: tuple[str, ...], words: str) -> None:
    Path("broken.yml").write_text("a: b: c\n")
    status, out, err = call(*arguments)
    assert words in err
    assert (status, out) == (5, "")


def test_without_any_inventory(call: Call) -> None:
    Path("inventory").unlink()
    status, _, err = call("list")
    assert status == 5
    assert "-i SOURCE" in err


def test_groups_without_hosts_are_listed(call: Call) -> None:
    Path("sample").write_text("[web]\n[site:children]\nweb\n[site:vars]\na=1\n")
    assert call("list", "-i", "sample") == (0, "# no hosts in group web\n# no hosts in group site\n", "")
    _, out, _ = call("list", "-i", "sample", "--format", "json")
    assert json.loads(out)["site"] == {"children": ["web"]}
    assert json.loads(out)["all"] == {"children": ["ungrouped", "site"]}


def test_a_bad_file_in_a_directory_is_left_out_and_named(call: Call) -> None:
    Path("sources").mkdir()
    Path("sources", "a.yml").write_text("web: {hosts: {web9: }}\n")
    Path("sources", "b.yml").write_text("web: [: \n")
    status, out, err = call("list", "-i", "sources")
    assert (status, out) == (0, "web9:  # web\n")
    assert "sources/b.yml:" in err
    assert "warning: This file isn't valid YAML" in err


def test_a_source_that_can_not_be_had_is_a_mistake_even_in_a_directory(call: Call) -> None:
    Path("sources").mkdir()
    Path("sources", "a.yml").write_text("web: {hosts: {web9: }}\n")
    Path("sources", "c.yml").write_text("plugin: htttp\n")
    status, out, err = call("list", "-i", "sources")
    assert (status, out) == (5, "")
    assert "sources/c.yml:1:9: error: Unknown inventory source" in err
    assert "Did you mean 'http'?" in err
    status, out, err = call("list", "-i", "sources", "-i", "nowhere", "--allow-missing-source")
    assert (status, out) == (0, "web9:  # web\n")
    assert "sources/c.yml:1:9: warning: Unknown inventory source" in err
    assert "warning: An inventory source doesn't exist" in err


def test_magic_names_are_not_listed(call: Call) -> None:
    Path("hosts").write_text("h groups=x a=1\n")
    assert json.loads(call("list", "-i", "hosts", "--format", "json")[1])["_meta"]["hostvars"] == {"h": {"a": 1}}
