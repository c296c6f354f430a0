"""``drumline inventory`` in all formats, and ``explain``, ``diff`` and ``check``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import support.program
from support.running import run_text

from drumline.cli.program import program
from drumline.source.nodes import plain
from drumline.source.yaml import load

HOSTS = """
all:
  vars: {site: north}
  children:
    web:
      hosts:
        w1: {ansible_host: 192.0.2.1, text: "80", list: [1, "a b"], none: null, said: "it's {{ site }}"}
        w2: {ansible_host: 192.0.2.1}
      vars: {port: 80, ansible_group_priority: 5}
    top: {children: {web: }}
    empty:
  hosts: {alone: {db_password: hunter2}}
"""
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls ``drumline inventory`` in a directory with an ``inventory``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory").write_text(HOSTS)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            raise SystemExit(program.main(["inventory", *arguments], prog_name="drumline"))
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return call


@pytest.mark.parametrize("form", ["yaml", "ini"])
def test_what_is_written_gives_the_same_inventory_again(call: Call, form: str) -> None:
    _, listed, _ = call("list", "--format", "json", "--export", "--reveal")
    _, text, _ = call("list", "--format", form, "--reveal")
    Path(f"again.{form}").write_text(text)
    _, again, _ = call("list", "--format", "json", "--export", "--reveal", "-i", f"again.{form}")
    assert groups(json.loads(again)) == groups(json.loads(listed))


def groups(listed: dict[str, Any]) -> dict[str, Any]:
    """The listing, in which the order of hosts and children means nothing."""
    return {
        name: {key: sorted(value) if isinstance(value, list) else value for key, value in group.items()}
        for name, group in listed.items()
    }


@pytest.mark.parametrize("form", ["text", "json", "yaml", "table", "ini"])
@pytest.mark.parametrize("what", [("list",), ("host", "alone")])
def test_secrets_are_masked_in_every_format(call: Call, form: str, what: tuple[str, ...]) -> None:
    status, out, _ = call(*what, "--format", form)
    assert status == 0
    assert "hunter2" not in out
    assert "alone" in out or "site" in out


def test_tables(call: Call) -> None:
    assert call("list", "web", "--format", "table")[1].splitlines() == [
        "host  groups   address    port  user  connection",
        "w1    top,web  192.0.2.1",
        "w2    top,web  192.0.2.1",
    ]
    assert call("host", "w2", "--format", "table")[1].splitlines()[0] == "variable      value"


def test_a_host_as_ini_and_yaml(call: Call) -> None:
    assert "text='80'\n" in call("host", "w1", "--format", "ini")[1]
    assert plain(load(call("host", "w1", "--format", "yaml")[1], "host"))["list"] == [1, "a b"]


def test_the_graph_as_data(call: Call) -> None:
    _, out, _ = call("graph", "top", "--format", "json")
    assert json.loads(out) == {"top": {"children": {"web": {"children": {}, "hosts": ["w1", "w2"]}}, "hosts": []}}


def test_explain_shows_all_variables_of_a_host(call: Call) -> None:
    status, out, _ = call("explain", "w2")
    assert status == 0
    assert [line for line in out.splitlines() if " on w2: " in line] == [
        'ansible_host on w2: "192.0.2.1"',
        "port on w2: 80",
        "site on w2: north",
    ]
    assert "inventory:9:14: 80  (group 'web')" in out
    assert json.loads(call("explain", "w2", "port", "--format", "json")[1])["value"] == 80


class TestDiff:
    def test_two_sources(self, call: Call) -> None:
        Path("new.yml").write_text(
            HOSTS.replace("w2: {ansible_host: 192.0.2.1}", "w3: ").replace("port: 80", "port: 81, more: 1")
        )
        status, out, _ = call("diff", "inventory", "new.yml")
        assert status == 1
        assert out.splitlines() == [
            "- host w2",
            '- w2: variable ansible_host: "192.0.2.1"',
            "+ host w3",
            "- web: host w2",
            "+ web: host w3",
            "~ web: variable port: 80 -> 81",
            "+ web: variable more: 1",
        ]
        assert json.loads(call("diff", "inventory", "new.yml", "--format", "json")[1])[0]["kind"] == "host"
        assert len(call("diff", "inventory", "new.yml", "--format", "table")[1].splitlines()) == 8

    def test_the_same(self, call: Call) -> None:
        assert call("diff", "inventory", "inventory")[:2] == (0, "No difference.\n")
        assert call("diff", "inventory", "-i", "inventory")[0] == 0

    def test_nothing_to_compare(self, call: Call) -> None:
        assert call("diff")[0] == 5

    def test_a_run_and_now(self, call: Call, tmp_path: Path) -> None:
        plays = [{"id": "p", "hosts": "web", "tasks": [{"debug": {"msg": "hi"}}]}]
        ran = run_text(tmp_path, json.dumps(plays), inventory=json.dumps({"web": {"hosts": {"w1": None, "w0": None}}}))
        assert ran.exit_status == 0
        [journal] = tmp_path.rglob("*.sqlite*") or [tmp_path]
        status, out, _ = call("diff", "--run", "1", "--state", str(journal.parent))
        assert status == 1
        assert sorted(out.splitlines()) == ["+ play p: host w2", "- play p: host w0"]


class TestCheck:
    def test_what_is_odd(self, call: Call) -> None:
        Path("inventory").write_text(HOSTS + "\nw1: {hosts: {w1: }}\n")
        status, out, _ = call("check")
        assert status == 1
        assert out.splitlines() == [
            "'w1' is both a host and a group; in patterns it means the host.",
            "w1, w2 have one address: 192.0.2.1.",
            "Group 'empty' has no hosts.",
        ]
        assert [one["kind"] for one in json.loads(call("check", "--format", "json")[1])] == [
            "duplicate",
            "duplicate",
            "empty",
        ]

    def test_variables_that_nobody_uses(self, call: Call) -> None:
        Path("play.yml").write_text("- hosts: all\n  tasks:\n    - debug: {msg: '{{ said | default(port) }}'}\n")
        status, out, _ = call("check", "--playbook", "play.yml")
        assert status == 1
        unused = [line for line in out.splitlines() if line.startswith("Nothing uses")]
        assert unused == [f"Nothing uses the variable '{name}'." for name in ("db_password", "list", "none", "text")]

    def test_nothing(self, call: Call) -> None:
        Path("inventory").write_text("web1\n")
        assert call("check")[:2] == (0, "Nothing is odd.\n")

    def test_hosts_that_answer_and_one_that_does_not(self, tmp_path: Path) -> None:
        (tmp_path / "inventory").write_text("a ansible_connection=local\n")
        assert support.program.call(tmp_path, "inventory", "check", "--connect").status == 0
        (tmp_path / "inventory").write_text("b ansible_host=127.0.0.1 ansible_port=1\n")
        assert support.program.call(tmp_path, "inventory", "check", "--connect").status == 4
