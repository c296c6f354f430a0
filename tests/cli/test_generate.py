"""``drumline generate`` and ``drumline graph``, as they are called."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import support.program

from drumline.cli.program import program
from drumline.diagnostics import Position
from drumline.model.value import Octal
from drumline.source.nodes import Entry, Node
from drumline.source.yaml_writing import dump_node

FILES = {
    "hosts": "[all]\nweb[1:4]\ndb1\n",
    "nodes.csv": "name,site,port\nweb1,north,80\nweb2,south,81\nweb3,south,81\n",
    "web.yml": """\
parameters:
  port: {type: int, required: true}
  mode: {default: "0644"}
tasks:
  - {id: page, name: "Show {{ port }}", copy: {dest: /tmp/page, content: "{{ port }}\\n", mode: "{{ mode }}"}}
  - id: note
    copy: {dest: /tmp/note, content: !unsafe "{{ braces }}", mode: 0640}
    when: port == 81
""",
    "gen.yml": """\
tables: {nodes: nodes.csv}
patterns: {web: web.yml, db: [{ping: }]}
plays:
  - {for_each: nodes, group_by: [site], pattern: web, serial: 1, needs: [{plays: first}]}
""",
    "site.yml": """\
- {id: first, hosts: db1, tasks: [{ping: }]}
- generate: gen.yml
- import_playbook: last.yml
""",
    "last.yml": "- {id: last, hosts: db1, needs: [web-south], tasks: [{ping: }]}\n",
}
#: Gives the exit status, and what was said on standard output and on standard error.
Call: TypeAlias = Callable[..., tuple[object, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)

    def called(*arguments: str) -> tuple[object, str, str]:
        status: object = 0
        try:
            program.main([*arguments, "-i", "hosts"], prog_name="drumline")
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return called


def test_that_it_lists_plays_with_their_rows(call: Call) -> None:
    status, out, _ = call("generate", "site.yml")
    assert status == 0
    assert (
        """\
web-south: 2 tasks on web[2-3]
  from rows 'web2' (nodes.csv:3) and 'web3' (nodes.csv:4) of nodes, pattern web (web.yml:1)
  needs first
"""
        in out
    )
    assert out.endswith("4 plays from 3 rows\n")


def test_that_what_it_writes_is_a_playbook_with_the_same_plan(call: Call) -> None:
    status, out, _ = call("generate", "site.yml", "--show")
    assert (status, "for_each" in out, "import_playbook: last.yml" in out) == (0, False, True)
    Path("written.yml").write_text(out)
    assert call("generate", "site.yml", "--diff", "written.yml")[:2] == (0, "The plans are the same.\n")
    # Not only does the comparison say so.
    plans = [call("plan", name, "--format", "dot")[1] for name in ("site.yml", "written.yml")]
    assert (
        plans[0]
        .replace("\\nrows 'web2' (nodes.csv:3) and 'web3' (nodes.csv:4) of nodes, pattern web (web.yml:1)", "")
        .replace("\\nrow 'web1' (nodes.csv:2) of nodes, pattern web (web.yml:1)", "")
        == plans[1]
    )


#: What is changed, and the lines that then differ.
CHANGES = {
    "a row more": (
        ("nodes.csv", "web3,south,81\n", "web3,south,81\nweb4,south,81\n"),
        ["+   page on web4", "+   note on web4"],
    ),
    "a row less": (("nodes.csv", "web3,south,81\n", ""), ["-   page on web3", "-   note on web3"]),
    "a play more": (
        ("nodes.csv", "web3,south,81\n", "web3,south,81\nweb4,east,82\n"),
        ["+ play web-east", "+   page on web4", "+   note on web4", "+   needs first"],
    ),
    "another value": (("nodes.csv", "web1,north,80", "web1,north,90"), ["~   port: 80 -> 90"]),
    "another need": (("gen.yml", ", needs: [{plays: first}]", ""), ["-   needs first"]),
    "another keyword": (("gen.yml", "serial: 1", "serial: 2"), ["~   serial: 1 -> 2"]),
    "another task": (("web.yml", "when: port == 81", "when: port == 82"), ["~   task note does something else"]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_that_it_shows_what_a_change_changes_and_nothing_else(call: Call, case: str) -> None:
    Path("before.yml").write_text(call("generate", "site.yml", "--show")[1])
    (name, old, new), expected = CHANGES[case]
    assert old in FILES[name]
    Path(name).write_text(FILES[name].replace(old, new))
    status, out, _ = call("generate", "site.yml", "--diff", "before.yml")
    assert status == 3
    lines = [line.partition(", row")[0] for line in out.splitlines() if not line.startswith("~ play")]
    assert lines == expected * (out.count("~ play") or 1)


def test_that_mistakes_are_those_of_any_playbook(call: Call) -> None:
    Path("nodes.csv").write_text(FILES["nodes.csv"].replace("80", "eighty"))
    status, out, err = call("generate", "site.yml")
    assert (status, out) == (5, "")
    assert "nodes.csv:2:12: error: A parameter has a wrong value" in err


def test_that_options_that_exclude_each_other_are_refused(call: Call) -> None:
    status, _, err = call("generate", "site.yml", "--show", "--diff", "site.yml")
    assert status == 5
    assert "--show, --diff, --diff-run and --diff-revision exclude each other" in err


@pytest.mark.parametrize("shape", ["text", "dot", "mermaid", "svg", "html"])
@pytest.mark.parametrize("by", ["task", "job", "host", "row"])
def test_that_a_graph_is_drawn(call: Call, shape: str, by: str) -> None:
    status, out, _ = call("graph", "site.yml", "--format", shape, "--by", by)
    assert status == 0
    assert ("web1" if by == "host" else "web-north" if by == "row" else "page") in out


def test_that_plan_and_json_name_row_and_pattern(call: Call) -> None:
    assert "  from row 'web1' (nodes.csv:2) of nodes, pattern web (web.yml:1)\n" in call("plan", "site.yml")[1]
    assert (
        '"rows": [{"table": "nodes", "key": "web1", "position": "nodes.csv:2:1"}]'
        in call("plan", "site.yml", "--format", "json")[1]
    )


def test_that_console_and_history_name_row_and_pattern_of_what_failed(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[all]\nweb1\nweb2\n[all:vars]\nansible_connection=local\n")
    (tmp_path / "nodes.csv").write_text(FILES["nodes.csv"])
    (tmp_path / "gen.yml").write_text(
        "tables: {nodes: nodes.csv}\nplays: [{for_each: nodes, when: row.site == 'north', pattern: web}]\n"
        "patterns: {web: web.yml}\n"
    )
    (tmp_path / "web.yml").write_text("- command: 'false'\n")
    origin = "row 'web1' (nodes.csv:2) of nodes, pattern web (web.yml:1)"
    ended = support.program.call(tmp_path, "run", "gen.yml", "-i", "hosts")
    assert ended.status == 2
    said = " ".join(ended.said.split())
    assert f"from {origin}" in said
    assert f"for {origin} at web.yml:1:3" in said
    assert f"for {origin}" in " ".join(support.program.call(tmp_path, "runs", "show").out.split())
    data = json.loads(support.program.call(tmp_path, "runs", "show", "--format", "json").out)
    assert data["origins"]["web-web1"]["rows"] == [{"table": "nodes", "key": "web1", "position": "nodes.csv:2:1"}]


def test_that_what_was_encrypted_is_masked_in_what_is_written() -> None:
    here = Position("nodes.yml")
    entries = {"token": Node("hunter2", here, unsafe=True, secret=True), "mode": Node(Octal(0o640), here)}
    written = dump_node(Node({name: Entry(here, node) for name, node in entries.items()}, here))
    assert written == "token: '********'\nmode: 0640\n"


def test_that_it_compares_with_a_run_and_with_a_revision(call: Call, tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    Path("hosts").write_text(FILES["hosts"] + "[all:vars]\nansible_connection=local\n")
    Path("web.yml").write_text(FILES["web.yml"].replace("/tmp/", f"{tmp_path}/"))  # where nothing is in the way
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in ["init", "-q"], ["add", "."], ["commit", "-qm", "before"]:
        subprocess.run([*git, *words], check=True)
    assert support.program.call(tmp_path, "run", "site.yml", "-i", "hosts", "--check", *state).status == 0
    assert call("generate", "site.yml", "--diff-run", "1", *state)[:2] == (0, "The plans are the same.\n")
    assert call("generate", "site.yml", "--diff-revision", "HEAD")[:2] == (0, "The plans are the same.\n")
    Path("nodes.csv").write_text(FILES["nodes.csv"] + "web4,south,81\n")
    expected = """\
+   page on web4
+   note on web4
"""
    assert call("generate", "site.yml", "--diff-run", "1", *state)[1].partition("\n")[2] == expected
    for path in "site.yml", str(tmp_path / "site.yml"):
        status, out, _ = call("generate", path, "--diff-revision", "HEAD")
        assert (status, out.partition("\n")[2]) == (3, expected)
        assert Path.cwd() == tmp_path
    for more, said in (
        (("--diff-revision", "nope"), "There is no revision 'nope'."),
        (("--diff-revision", "--all"), "There is no revision '--all'."),
        (("--diff-run", "99", *state), "99"),
        (("--diff-run", "1", "--show"), "exclude each other"),
    ):
        status, _, err = call("generate", "site.yml", *more)
        assert (status, said in err) == (5, True), err


def test_that_absolute_paths_are_those_of_the_revision(call: Call, tmp_path: Path) -> None:
    before = {"more": "new1\n", "where.yml": "where: all\n", "limit": "new1\nnew2\nweb1\n"}
    for name, text in {**before, "some.yml": "- hosts: '{{ where }}'\n  tasks: [{command: 'true'}]\n"}.items():
        Path(name).write_text(text)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in ["init", "-q"], ["add", "."], ["commit", "-qm", "before"]:
        subprocess.run([*git, *words], check=True)
    more, where, limit = (tmp_path / name for name in before)
    options = ("-i", str(more), "-e", f"@{where}", "-l", f"@{limit}")
    asked = ("generate", "some.yml", *options, "--diff-revision", "HEAD")
    assert call(*asked)[:2] == (0, "The plans are the same.\n")
    for path, text, said in (
        (more, "new1\nnew2\n", "new2"),
        (where, "where: new1\n", "web1"),
        (limit, "new1\n", "web1"),
    ):
        path.write_text(text)
        status, out, _ = call(*asked)
        assert (status, said in out) == (3, True), (path, out)
        path.write_text(before[path.name])
