"""Wrong files, options and surroundings: a clear error with its place, exit status 5, and nothing sent anywhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.program import DRUMLINE, call, processes_with, running, shell, wait_until

_START = shlex.join(DRUMLINE)
INVENTORY = """
all:
  vars: {ansible_connection: local}
  hosts: {web1: , web2: }
  children:
    db: {hosts: {db1: }}
"""


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Runs a project whose files or options are wrong; gives what was said, after looking that nothing happened.

    The playbook's first task leaves a file on any host that it reaches.
    """
    (tmp_path / "inventory.yml").write_text(INVENTORY)

    def run(playbook: str | bytes | None = None, *options: str, env: Mapping[str, str] | None = None) -> str:
        sent = tmp_path / "sent"
        if isinstance(playbook, bytes):
            (tmp_path / "site.yml").write_bytes(playbook)
        else:
            first = f"- hosts: all\n  tasks:\n    - shell: touch {sent}\n"
            (tmp_path / "site.yml").write_text(first + textwrap.indent(textwrap.dedent(playbook or ""), "    "))
        inventory = () if "-i" in options else ("-i", "inventory.yml")
        ended = call(tmp_path, "run", "site.yml", *inventory, *options, env=env)
        assert not sent.exists()
        assert _runs(tmp_path) == 0
        assert "Traceback" not in ended.said
        assert (ended.status, ended.out) == (5, "")
        return ended.err

    return run


def _runs(directory: Path) -> int:
    path = directory / "state" / "journal.sqlite3"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as database:
        found: int = database.execute("SELECT count(*) FROM runs").fetchone()[0]
    database.close()
    return found


# The task list goes on in line 4 of site.yml, four columns in.
@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ("- name: a: b\n", "site.yml:4:14: error: This file isn't valid YAML"),
        ("- ping: {\n", "site.yml:5:1: error: This file isn't valid YAML"),
        ("- ping:\n\twhen: x\n", "site.yml:5:5: error: A tab"),
        ("- ping:\n  name: a\n  name: b\n", "site.yml:6:7: error: A key is given twice"),
        ("- ping:\n  whne: x\n", "site.yml:5:7: error: Unknown keyword|Did you mean 'when'?"),
        ("- ping:\n  validate_argspec: true\n", "site.yml:5:7: error: |'validate_argspec' is not supported yet."),
        ("- comand: ls\n", "site.yml:4:7: error: Unknown action|Did you mean 'command'?"),
        ("- file: {path: a, ownr: b}\n", "site.yml:4:23: error: Unknown argument|Did you mean 'owner'?"),
        ("- debug: {msg: '{{ 1 | defualt(2) }}'}\n", "site.yml:4:|Did you mean 'default'?"),
        ("- debug: {msg: '{{ 1 is defind }}'}\n", "site.yml:4:|Did you mean 'defined'?"),
        ("- debug: {msg: '{{ inventory_hostnam }}'}\n", "site.yml:4:|Did you mean 'inventory_hostname'?"),
        ("- ping:\n  timeout: soon\n", "site.yml:5:16: error: |soon"),
        ("- ping:\n  retries: [1]\n", "site.yml:5:16: error: |a list"),
        ("- copy: {src: a, dest: [b]}\n", "site.yml:4:22: error: |'dest' of 'copy' takes text, but this is a list."),
        (
            "- {id: a, needs: [c], ping: }\n- {id: b, needs: [a], ping: }\n- {id: c, needs: [b], ping: }\n",
            "site.yml:4:|cycle|a|b|c",
        ),
        ("- {id: a, needs: [nothing], ping: }\n", "site.yml:4:|nothing"),
        ("- {id: stop, ping: }\n- {needs: [stpo], ping: }\n", "site.yml:5:|Did you mean 'stop'?"),
        ("- {id: a, ping: }\n- {id: a, ping: }\n", "site.yml:5:|'a'"),
        ("- {hosts: wbe1, ping: }\n", "site.yml:4:|matches nothing|Did you mean 'web1'?"),
        ("- debug: {msg: 'x {{ 1 + }}'}\n", "site.yml:4:|template"),
        ("- debug:\n    msg: |\n      first\n      {{ second\n", "site.yml:7:|template"),
    ],
    ids=[
        "yaml",
        "yaml that ends too soon",
        "tab",
        "duplicate key",
        "keyword",
        "keyword of another version",
        "action",
        "argument",
        "filter",
        "test",
        "variable",
        "type of a keyword",
        "type of retries",
        "type of an argument",
        "cycle",
        "unknown need",
        "misspelt need",
        "duplicate id",
        "pattern",
        "template",
        "template in a block of text",
    ],
)
def test_a_mistake_in_a_playbook(refused: Callable[..., str], tasks: str, words: str) -> None:
    said = refused(tasks)
    for word in words.split("|"):
        assert word in said, said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            """
            - hosts: db
              strategy: free
              barrier: {quorum: 0, deadline: 10, late: catch_up}
              serial: 150%
              keep_available: {db: most}
              tasks:
                - {command: a, start: {at: 2026-12-01T02:00}}
                - {command: b, start: {together: true}, loop: [1]}
            """,
            [
                "7:3: error: These keywords exclude each other|'strategy: free'",
                "7:21: error: A keyword has a wrong value|'quorum' has to be 1 at least, or a share above 0%.",
                "7:34: error: A keyword has a wrong value|A duration has a unit: write 10m",
                "8:11: error: A keyword has a wrong value|150% is more than all of it.",
                "9:24: error: A keyword has a wrong value|'keep_available: db' takes a whole number or a share",
                "11:32: error: A keyword has a wrong value|This time has no zone.",
                "12:20: error: These keywords exclude each other|that leaves nothing to 'loop'.",
            ],
        ),
        (
            """
            - hosts: db
              serial: "{{ nowhere }}"
              canary: "{{ 200 }}%"
              vars: {at: soon}
              tasks:
                - {command: a, start: {at: "{{ at }}"}}
                - {command: b, throttle: "{{ 1 | no_filter }}"}
            """,
            [
                "6:11: error: A keyword can't be rendered|'serial': 'nowhere' is undefined. It is fixed before the run",
                "7:11: error: A keyword has a wrong value|200% is more than all of it.",
                "10:32: error: A keyword has a wrong value|'at' can't be 'soon'. A time has a date and a zone",
                "11:30: error: Unknown filter|There is no filter 'no_filter'.",
            ],
        ),
    ],
    ids=["as they are written", "as templates give them"],
)
def test_mistakes_in_keywords_of_timing(
    refused: Callable[..., str], tmp_path: Path, lines: str, said: list[str]
) -> None:
    first = f"- hosts: all\n  tasks:\n    - shell: touch {tmp_path / 'sent'}\n"
    text = refused((first + textwrap.dedent(lines)).encode())
    assert text.count("error: ") == len(said), text
    for words in said:
        place, *others = words.split("|")
        assert f"site.yml:{place}" in text
        assert all(word in text for word in others), (words, text)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "site.yml|empty"),
        (b"---\n# nothing here\n", "site.yml|empty"),
        (b"\x7fELF\x02\x01\x00\x00\xff\xfe", "site.yml|isn't text"),
        ("- hosts: all\n".encode("utf-16"), "site.yml|isn't"),
        (b"- hosts: all\n  tasks:\n" + b"    - comand: x\n" * 20_000 + b"#" * 5_000_000, "comand"),
        (b"x" * 5_000_000, "site.yml:1:1"),
        (b"hosts: all\ntasks: []\n", "site.yml:1:1|list"),
        (b"[[[[", "site.yml:2:1: error: This file isn't valid YAML"),
    ],
    ids=["nothing", "comments", "binary", "utf-16", "5 MB", "5 MB of x", "no list", "open brackets"],
)
def test_a_file_that_is_no_playbook(refused: Callable[..., str], content: bytes, words: str) -> None:
    said = refused(content)
    for word in words.split("|"):
        assert word in said, said[:2000]
    assert len(said) < 50_000


def test_a_playbook_of_5_mb_is_planned(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("web1\n")
    task = "    - {{name: '{:05d}{}', debug: {{msg: x}}}}\n"
    text = "- hosts: all\n  tasks:\n" + "".join(task.format(number, "x" * 2000) for number in range(2500))
    (tmp_path / "site.yml").write_text(text)
    assert len(text) > 5_000_000
    ended = call(tmp_path, "plan", "site.yml", "--format", "json")
    assert (ended.status, ended.err) == (0, "")


def test_a_playbook_that_is_missing_or_a_directory(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "directory.yml").mkdir()
    said = refused("", "nowhere.yml", "directory.yml")
    assert "nowhere.yml doesn't exist" in said
    assert "directory.yml is a directory" in said


def test_mistakes_of_several_files_are_told_at_once(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("- hosts: all\n  tasks:\n    - pign:\n    - ping: {dta: 1}\n")
    (tmp_path / "broken.yml").write_text("all:\n  hosts:\n    web 1:\n    web;2: {a: 1}\n")
    said = refused("- comand: x\n- ping:\n  whne: y\n", "other.yml", "-i", "broken.yml", "-i", "nowhere")
    for place in ("site.yml:4:7", "site.yml:6:7", "other.yml:3:7", "other.yml:4:", "broken.yml:3:5", "broken.yml:4:5"):
        assert place in said, said
    assert "There is no 'nowhere'" in said


# Inventories.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[web]\nweb 1\n", "inv:2:"),
        ("[web]\nweb1;reboot\n", "inv:2:|web1;reboot"),
        ("[web]\n$(reboot)\n", "inv:2:|$(reboot)"),
        ("[web]\n-oProxyCommand=x\n", "inv:2:"),
        ("[web]\nweb1 ansible_port=x\n", "ansible_port is 'x'; it has to be a whole number."),
        ("[web]\nweb1 ansible_connection=shh\n", "Did you mean 'ssh'?"),
        ("[web:childen]\nweb1\n", "inv:1:|Did you mean 'children'?"),
        ("[web\nweb1\n", "inv:1:"),
        ("[web]\nweb[01:200]\n", "inv:2:"),
        ("", "The inventory has no hosts"),
        ("[web]\n", "The inventory has no hosts"),
    ],
)
def test_an_inventory_that_is_wrong(refused: Callable[..., str], tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "inv").write_text(text)
    said = refused("", "-i", "inv")
    for word in words.split("|"):
        assert word in said, said


@pytest.mark.parametrize("source", ["nowhere", "no/where.yml", "a b,", "web1;reboot,", "$(reboot),"])
def test_a_source_that_is_not_there_or_no_list_of_hosts(refused: Callable[..., str], source: str) -> None:
    assert "error: " in refused("", "-i", source)


def test_a_directory_without_sources(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "inv").mkdir()
    (tmp_path / "inv" / "group_vars").mkdir()
    assert "The inventory has no hosts" in refused("", "-i", "inv")


def test_a_source_that_is_a_circle_of_links(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "inv").symlink_to("inv")
    assert "'inv'" in refused("", "-i", "inv")


def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "inv").write_text("web1\n")
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks: [{ping: }]\n")
    for path in tmp_path.iterdir():
        path.chmod(0o000)
    ended = shell(tmp_path, f'exec {_as_anybody()} {_START} "$@"', "run", "site.yml", "-i", "inv")
    assert ended.status == 5
    assert ended.err.count("Permission denied") == 2, ended.err


def _as_anybody() -> str:
    """A command before which root loses its right to read everything."""
    if os.getuid() != 0:
        return ""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv isn't installed, and root may read everything")
    return "setpriv --bounding-set -dac_override,-dac_read_search"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo broken >&2; exit 3", "exit status 3|broken"),
        ("echo '[1'", "isn't JSON|[1"),
        ("echo '[]'", "a JSON object"),
        ("kill -9 $$", "signal 9"),
        ('echo \'{"web": {"hosts": ["a b"]}}\'', "a b"),
        ('echo \'{"web": {"hots": []}}\'', "Did you mean 'hosts'?"),
    ],
)
def test_an_inventory_program_that_fails(refused: Callable[..., str], tmp_path: Path, script: str, words: str) -> None:
    program = tmp_path / "hosts.sh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    said = refused("", "-i", "hosts.sh")
    assert "hosts.sh" in said
    for word in words.split("|"):
        assert word in said, said


# Options and settings.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-l", "wbe1"], "Did you mean 'web1'?"),
        (["-l", "web1:!web1"], "No host is left of 'web1:!web1'"),
        (["-e", "plain"], "isn't KEY=VALUE"),
        (["-e", "{a"], "-e"),
        (["-e", "@nowhere.yml"], "nowhere.yml"),
        (["-e", "1a=2"], "'1a'"),
        (["-f", "0"], "--forks"),
        (["-f", "many"], "--forks"),
        (["--fork", "2"], "--forks"),
        (["--events", "/nowhere/events"], "/nowhere/events"),
        (["-t", "nothing-has-it"], "nothing-has-it"),
    ],
    ids=" ".join,
)
def test_an_option_that_is_wrong(refused: Callable[..., str], options: list[str], words: str) -> None:
    assert words in refused("", *options)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("fork = 3\n", "drumline.toml:1:1: error: Unknown setting|Did you mean 'forks'?"),
        ("\nforks = 0\n", "drumline.toml:2:1: error: |a whole number from 1"),
        ("forks = \n", "drumline.toml:1:9: error: This isn't valid TOML"),
    ],
)
def test_settings_that_are_wrong(refused: Callable[..., str], tmp_path: Path, settings: str, words: str) -> None:
    (tmp_path / "drumline.toml").write_text(settings)
    said = refused("")
    for word in words.split("|"):
        assert word in said, said


def test_an_environment_variable_that_is_wrong(refused: Callable[..., str]) -> None:
    assert "DRUMLINE_FORKS" in refused("", env={"DRUMLINE_FORKS": "-1"})


@pytest.mark.parametrize("arguments", [["rnu"], ["run"], ["exec", "all"], ["runs", "show", "7"], ["runs", "show"]])
def test_a_command_line_that_means_nothing(tmp_path: Path, arguments: list[str]) -> None:
    ended = call(tmp_path, *arguments)
    assert (ended.status, ended.out) == (5, "")
    assert "rror: " in ended.err


# The surroundings.


def test_a_state_directory_that_cannot_be_written(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("", "--state", str(tmp_path / "file" / "state"))
    assert "file/state" in said
    assert "--state" in said
    assert "Nothing was sent" in said


def test_a_disk_that_is_full_from_the_start(refused: Callable[..., str], tmp_path: Path) -> None:
    said = refused("", "--state", "/proc/self/task")
    assert "Nothing was sent" in said


@pytest.mark.skipif(sys.platform != "linux", reason="the limit ends the process elsewhere")
def test_a_disk_that_fills_in_the_middle_of_a_run(tmp_path: Path) -> None:
    marker = f"{tmp_path}/one"
    (tmp_path / "inventory").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n")
    (tmp_path / "site.yml").write_text(
        f"""
- hosts: all
  strategy: free
  tasks:
    - {{id: long, needs: [], shell: "sleep 60 & sleep 60; : {marker}"}}
    - {{id: much, needs: [], shell: "head -c 300000 /dev/zero | tr '\\\\0' x", hosts: web1}}
    - {{id: next, needs: [much], shell: "touch {tmp_path}/next"}}
"""
    )
    # The journal can hold the plan, and not the output of "much"; Python ignores the signal that would say so.
    ended = shell(tmp_path, f'ulimit -f 400; exec {_START} "$@"', "run", "site.yml")
    assert ended.status == 1, ended.said
    assert "error: The journal can't be written any more" in ended.err
    assert "Nothing more is sent" in ended.err
    assert "Free some space" not in ended.err  # the disk has room: it is the file that may not grow
    assert "Traceback" not in ended.said
    assert not (tmp_path / "next").exists()
    assert processes_with(marker) == []


# Plugins of the project.

_OFFER = """
from drumline.plugin import Action, Result, hookimpl

def perform(call):
    yield from ()
    return Result(message="from {name}")

@hookimpl
def drumline_actions():
    return [Action(name="{action}", perform=perform, help="Says where it is from.")]
"""


def test_plugins_that_are_wrong_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "broken.py").write_text("import drumline_no_such_module\n")
    (plugins / "first.py").write_text(_OFFER.format(name="first", action="dance"))
    (plugins / "second.py").write_text(_OFFER.format(name="second", action="dance"))
    (plugins / "third.py").write_text(_OFFER.format(name="third", action="copy"))
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "site.yml").write_text("- hosts: web1\n  tasks:\n    - dance:\n    - debug: {msg: went on}\n")
    ended = call(tmp_path, "run", "site.yml", "-i", "inventory.yml", "-v")
    assert ended.status == 0, ended.said
    warnings = [line for line in ended.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 3, ended.err
    assert "'broken'" in warnings[0]
    assert "drumline_no_such_module" in warnings[0]
    assert re.search(r"'second'.*'dance'.*'first'", warnings[1])
    assert re.search(r"'third'.*'copy'.*'actions'", warnings[2])
    assert "from first" in ended.out
    assert "went on" in ended.out


# Text that came from a host.


def test_braces_from_a_host_are_never_evaluated(tmp_path: Path) -> None:
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.j2").write_text("said {{ said.stdout }}, fact {{ fact }}\n")
    (tmp_path / "site.yml").write_text(
        """
- hosts: web1
  vars: {secret_word: "evaluated!", derived: "{{ said.stdout }}"}
  tasks:
    - {shell: "printf '%s%s' '{' '{ secret_word }}'", register: said}
    - set_fact: {fact: "{{ said.stdout }}", nested: {inner: ["{{ said.stdout }}"]}}
    - debug: {msg: "{{ fact }} {{ derived }} {{ nested.inner[0] }} {{ hostvars['web1'].fact }}"}
    - template: {src: page.j2, dest: "{{ out }}/page"}
    - copy: {content: "{{ fact }}", dest: "{{ out }}/{{ fact }}"}
    - {shell: "cat > \\"$OUT/echoed\\"", args: {stdin: "{{ fact }}"}, environment: {OUT: "{{ out }}"}}
    - {command: "touch {{ out }}/never", when: fact == 'evaluated!'}
    - assert: {that: ["fact == said.stdout", "fact | length == 17"]}
""".replace("args: {stdin", "args: {stdin_add_newline: false, stdin")
    )
    ended = call(tmp_path, "run", "site.yml", "-i", "inventory.yml", "-e", f"out={tmp_path}", "-v")
    assert ended.status == 0, ended.said
    braces = "{" + "{ secret_word }" + "}"
    assert f"{braces} {braces} {braces} {braces}" in ended.out
    assert "evaluated!" not in ended.said
    assert (tmp_path / "page").read_text() == f"said {braces}, fact {braces}\n"
    assert (tmp_path / braces).read_text() == braces
    assert (tmp_path / "echoed").read_text() == braces
    assert not (tmp_path / "never").exists()


def test_an_inventory_that_is_a_pipe_nobody_writes_to_can_be_interrupted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "inv")
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks: [{ping: }]\n")
    with running(tmp_path, "run", "site.yml", "-i", "inv") as program:
        wait_until(lambda: "wait_for_partner" in Path(f"/proc/{program.pid}/wchan").read_text() or _sleeps(program.pid))
        program.ctrl_c()
        ended = program.end(20)
    assert ended.status == 130
    assert _runs(tmp_path) == 0


def _sleeps(pid: int) -> bool:
    """The process waits, and has its modules loaded."""
    status = Path(f"/proc/{pid}/status").read_text()
    return "State:\tS" in status and int(re.findall(r"voluntary_ctxt_switches:\t(\d+)", status)[0]) > 0
