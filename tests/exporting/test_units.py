"""Which steps can stand alone in another orchestrator, what they wait for, and which are plain commands."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest
from jinja2 import Environment

from drumline.app import Prepared, prepare
from drumline.cli.program import program
from drumline.config import Settings
from drumline.errors import UsageError
from drumline.exporting.airflow import Dag, airflow_files
from drumline.exporting.plain import PlainCommands
from drumline.exporting.units import units_of
from drumline.model.plan import Plan, Step
from drumline.planning.paths import path_of
from drumline.secret import Secret
from drumline.source.vault import Keyring, Password, use_keyring
from drumline.source.vault_format import seal

#: Tasks of a play, and its units: their tasks, and after < those that they need.
UNITS = {
    "nothing shared": ("[{id: a, ping: }, {id: b, ping: }]", ["a", "b < a"]),
    "a wave": (
        "[{id: a, ping: , needs: []}, {id: b, ping: , needs: []}, {id: c, ping: , needs: [a]}]",
        ["a", "b", "c < a b"],
    ),
    "a result": ("[{id: a, command: x, register: r}, {id: b, ping: }, {id: c, debug: {var: r}}]", ["a b c"]),
    "a result that no one uses": ("[{id: a, command: x, register: r}, {id: b, ping: }]", ["a", "b < a"]),
    "a result behind a variable": (
        "[{id: a, command: x, register: r}, {id: b, ping: {data: '{{ v }}'}, vars: {v: '{{ r.rc }}'}}]",
        ["a b"],
    ),
    "the results of others": (
        "[{id: a, command: x, register: r}, {id: b, ping: {data: \"{{ hostvars['h2'].r.rc }}\"}}]",
        ["a b"],
    ),
    "facts": ("[{id: a, set_fact: {v: 1}}, {id: b, ping: {data: '{{ v }}'}}, {id: c, ping: }]", ["a b", "c < a b"]),
    "facts of unknown names": ("[{id: a, ping: }, {id: b, include_vars: v.yml}, {id: c, ping: }]", ["a b c"]),
    "a handler": (
        "[{id: a, command: x, notify: h}, {id: b, ping: }]\n  handlers: [{id: h, name: h, ping: }]",
        ["a b"],
    ),
    "a rescue": ("[{id: x, block: [{id: a, ping: }], rescue: [{id: b, ping: }]}, {id: c, ping: }]", ["a b", "c < a b"]),
    "a block": ("[{id: x, block: [{id: a, ping: }, {id: b, ping: }]}]", ["a", "b < a"]),
    "batches": ("[{id: a, ping: }, {id: b, ping: }]\n  serial: 1", ["a b"]),
    "what asks something of the run": ("[{id: a, ping: }, {meta: noop}, {id: b, ping: }]", None),
    "facts of hosts": ("[{id: a, debug: {var: ansible_distribution}}, {id: b, ping: }]", ["a", "b < a"]),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hosts").write_text(
        "h1 ansible_user=me ansible_password=hunter2 ansible_port=2222\nh2\nw ansible_connection=winrm\n"
    )
    Path("v.yml").write_text("x: 1\n")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("case", UNITS)
def test_units(case: str) -> None:
    tasks, expected = UNITS[case]
    Path("site.yml").write_text(f"- id: play\n  hosts: h1, h2\n  tasks: {tasks}\n")
    prepared = prepare([Path("site.yml")], Settings(inventory=("hosts",)))
    units = units_of(prepared)
    names = [" ".join(path.names[-1] for path in unit.paths) for unit in units]
    said = [
        " < ".join(filter(None, (name, " ".join(names[need] for need in unit.needs))))
        for name, unit in zip(names, units, strict=True)
    ]
    assert said == expected if expected else len(units) == 1


@pytest.mark.usefixtures("files")
def test_that_plays_wait_for_the_ends_of_those_that_they_need() -> None:
    Path("site.yml").write_text(
        "- {id: one, hosts: h1, tasks: [{id: a, ping: , needs: []}, {id: b, ping: , needs: []}]}\n"
        "- {id: empty, hosts: h1, tasks: []}\n"
        "- {id: two, hosts: h2, tasks: [{id: c, ping: }, {id: d, ping: , trigger_rule: all_done}]}\n"
        "- {id: apart, hosts: h2, needs: [], tasks: [{id: e, ping: }]}\n"
    )
    units = units_of(prepare([Path("site.yml")], Settings(inventory=("hosts",))))
    assert [(str(unit.paths[0]), unit.rule.value, unit.needs) for unit in units] == [
        ("one.a", "none_failed", ()),
        ("one.b", "none_failed", ()),
        ("two.c", "none_failed", (0, 1)),
        ("two.d", "all_done", (2,)),
        ("apart.e", "none_failed", ()),
    ]


#: Plays whose units are run one by one: with handlers (one whose notifier has no hosts), roles and blocks.
PARTS = """\
- id: one
  hosts: h1
  handlers:
    - {id: hh, name: restart, command: x, notify: then}
    - {id: then, name: then, command: x}
    - {id: lost, name: lost, command: x}
  tasks:
    - {id: a, command: x, notify: restart}
    - {id: b, ping: }
    - {id: elsewhere, hosts: h2, command: x, notify: lost}
    - {id: x, block: [{id: e, ping: }, {id: f, ping: , notify: then}], rescue: [{id: g, ping: }]}
  post_tasks: [{id: p, ping: }]
- id: two
  hosts: h1
  roles: [r]
  tasks: [{import_role: {name: r}, vars: {v: 1}}, {id: c, ping: , trigger_rule: all_failed}]
- id: three
  hosts: h1
  handlers: [{name: lost, command: x}]
  tasks: [{id: elsewhere, hosts: h2, command: x, notify: lost}]
  post_tasks: [{id: d, ping: }]
- {id: four, hosts: h1, tasks: [{id: e, ping: }]}
"""


@pytest.mark.usefixtures("files")
def test_that_each_unit_is_what_a_run_takes_by_only() -> None:
    Path("site.yml").write_text(PARTS)
    role = {"tasks": "[{name: in r, command: x, notify: rh}]", "handlers": "[{name: rh, command: x}]"}
    for name, text in role.items():
        Path("roles/r", name).mkdir(parents=True)
        Path("roles/r", name, "main.yml").write_text(text)

    def prepared(*only: str) -> Prepared:
        return prepare([Path("site.yml")], Settings(inventory=("hosts",)), limit="h1", only=only)

    def named(plan: Plan, steps: Iterable[Step]) -> set[str]:
        return {str(path_of(plan, step)) for step in steps if not step.task.first and step.task.id != "lost"}

    whole = prepared()
    units = units_of(whole)
    for unit in units:
        plan = prepared(*map(str, unit.paths)).plan
        assert named(plan, plan.steps) == named(whole.plan, unit.steps)
    assert {str(unit.paths[0]): [str(units[need].paths[0]) for need in unit.needs] for unit in units} == {
        "one.a": [],
        "one.p": ["one.a"],
        "two.r.r.in-r": ["one.a", "one.p"],
        "three.d": ["two.r.r.in-r"],
        "four.e": ["two.r.r.in-r", "three.d"],
    }


#: Tasks on h1, and the line that a host's shell is given; None: drumline has to run it.
PLAIN = {
    "command: echo 'a  b' c": "exec echo 'a  b' c",
    "command: {argv: [echo, 'a;b'], chdir: /x y}": "cd '/x y' && exec echo 'a;b'",
    "shell: 'echo $HOME | wc'": "exec /bin/sh -c 'echo $HOME | wc'",
    "raw: echo $HOME": "echo $HOME",
    "command: echo $HOME": None,
    "command: {cmd: echo, creates: /x}": None,
    "shell: {cmd: echo, executable: /bin/bash}": None,
    "command: 'echo {{ 1 }}'": None,
    "file: {path: /x, state: absent}": None,
    **{
        f"raw: x\n      {keyword}": None
        for keyword in (
            *(
                "become: true",
                "loop: [1]",
                "when: false",
                "failed_when: false",
                "ignore_errors: true",
                "run_once: true",
            ),
            *("environment: {a: b}", "delegate_to: h2", "no_log: true", "check_mode: true", "connection: local"),
            *("async: 5", "retries: 2", "debugger: always", "timeout: '{{ 5 }}'"),
        )
    },
}


@pytest.mark.usefixtures("files")
def test_what_is_a_plain_command() -> None:
    tasks = "".join(f"    - id: t{number}\n      {text}\n" for number, text in enumerate(PLAIN))
    Path("site.yml").write_text(f"- hosts: h1\n  tasks:\n{tasks}")
    prepared = prepare([Path("site.yml")], Settings(inventory=("hosts",)))
    commands = PlainCommands(prepared)
    found = {
        text: commands.of(step)
        for text, step in zip(PLAIN, (one for one in prepared.plan.steps if not one.task.first), strict=True)
    }
    assert {text: command and command.line for text, command in found.items()} == PLAIN


@pytest.mark.usefixtures("files")
def test_that_commands_with_secrets_are_left_to_drumline() -> None:
    ring = Keyring([Password("", "", Secret("opens"))])
    use_keyring(ring)

    def vault(text: str) -> str:
        sealed = seal(text.encode(), b"opens").decode()
        return "!vault |\n" + "".join(f"        {line}\n" for line in sealed.splitlines())

    Path("hosts").write_text("h1\nh2\n[all:vars]\ndb_password=swordfish\n")
    Path("group_vars").mkdir()
    Path("group_vars/all.yml").write_text(f"of_db:\n  {vault('opensesame')}")
    Path("host_vars").mkdir()
    Path("host_vars/h2.yml").write_text(f"ansible_user:\n  {vault('geheim')}")
    Path("more.yml").write_bytes(seal(b"- raw: chdir=x echo in a file\n- {name: named, shell: {cmd: y}}\n", b"opens"))
    secret = [
        f"shell: {vault('chdir=/x mysql -phunter2')}",
        f"command:\n       argv:\n       - {vault('it')}",
        "shell: mysql -popensesame",
        "raw: mysql -pswordfish",
        "command: mysql --password=hunter2",
        "command: {argv: [mysql, --password=hunter2]}",
        "raw: x\n      hosts: h2",
        "import_tasks: more.yml",
    ]
    tasks = "".join(f"    - {text}\n" for text in ["raw: plain", *secret])
    Path("site.yml").write_text(f"- hosts: h1\n  gather_facts: false\n  tasks:\n{tasks}")
    try:
        prepared = prepare([Path("site.yml")], Settings(inventory=("hosts",)))
        commands = PlainCommands(prepared)
        found = [commands.of(step) for step in prepared.plan.steps]
    finally:
        use_keyring(Keyring())
    assert [command and command.line for command in found] == ["plain", *(None for _ in range(9))]


@pytest.mark.usefixtures("files")
def test_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("site.yml").write_text(
        "- hosts: h1, h2\n  id: p\n  tasks:\n"
        "  - {id: a, raw: !unsafe 'echo {{{x}}}{%endraw%}{#.sh', throttle: 2, timeout: 90}\n"
        "- hosts: w\n  id: q\n  tasks: [{id: b, win_shell: Get-Date}, {id: c, ping: }]\n"
    )
    prepared = prepare([Path("site.yml")], Settings(inventory=("hosts",)))
    words = ("site.yml", "-i", "hosts", "-e", 'text="""{{ it }}\\"')
    dag = Dag(
        name="d",
        program="/bin/drumline",
        words=words,
        directory="/",
        schedule="0 3 * * *",
        units=units_of(prepared),
        plain=PlainCommands(prepared),
    )
    text, pools, connections = airflow_files(dag).values()
    compile(text, "d.py", "exec")
    literals = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert {"0 3 * * *", " --only q.c", "d.p.a"} <= literals
    rendered = {Environment().from_string(one).render() for one in literals if isinstance(one, str)}
    assert {"echo {{{x}}}{%endraw%}{#.sh", shlex.join(["exec", "/bin/drumline", "run", *words])} <= rendered
    assert not any(one.endswith(".sh") for one in literals if isinstance(one, str))
    for part in (
        ".expand(ssh_conn_id=['drumline_h1', 'drumline_h2'])",
        "timedelta(seconds=90",
        "ps_path='powershell'",
    ):
        assert part in text
    assert json.loads(pools)["d.p.a"]["slots"] == 2
    assert json.loads(connections)["drumline_h1"] == {
        "conn_type": "ssh",
        "host": "h1",
        "login": "me",
        "port": 2222,
        "extra": '{"no_host_key_check": "false"}',
    }
    assert json.loads(json.loads(connections)["drumline_w"]["extra"])["endpoint"] == "https://w:5986/wsman"
    assert "hunter2" not in connections
    # As it is called: printed, or written to a directory; mistakes are said.
    for more, status, said in (
        ((), 0, "ssh_conn_id"),
        (("--all-by-drumline", "--every", "2h"), 0, "schedule='0 */2 * * *'"),
        (("--only", "q"), 0, "site.yml -i hosts'\n"),
        (("--output", "there"), 0, "airflow pools import there/site.pools.json"),
        (("--at", "2030-01-01 03:00"), 5, "A DAG can't run something once"),
        (("-e", "db_password=hunter2"), 5, "A secret can't be"),
        (("--name", "a b"), 5, "Not a valid id of a DAG"),
        (("--output", "hosts/x"), 5, "The DAG can't be written"),
    ):
        with pytest.raises(SystemExit) as ended:
            program.main(["export", "airflow", "site.yml", "-i", "hosts", *more], prog_name="drumline")
        shown = capsys.readouterr()
        assert (ended.value.code, said in shown.out + shown.err, "hunter2" in shown.out + shown.err) == (
            status,
            True,
            False,
        )
    assert sorted(path.name for path in Path("there").iterdir()) == [
        "site.connections.json",
        "site.pools.json",
        "site.py",
    ]


#: Variables of a host, and whether Airflow can reach it in the same way.
REACHED = {
    "ansible_port=2222 ansible_user=me ansible_password=x ansible_host_key_checking=false": True,
    "ansible_ssh_private_key_file=v.yml": True,
    **{
        f"ansible_{option}": False
        for option in (
            *("ssh_common_args='-J bastion'", "ssh_args='-C'", "ssh_extra_args='-v'", "ssh_config_file=none"),
            *("ssh_known_hosts_file=v.yml", "host_key_checking=accept-new", "timeout=60"),
        )
    },
    "ansible_connection=winrm ansible_winrm_scheme=http ansible_winrm_transport=ntlm ansible_winrm_path=x": True,
    "ansible_connection=winrm ansible_winrm_server_cert_validation=ignore": True,
    "ansible_connection=winrm ansible_winrm_ca_trust_path=v.yml": False,
}


@pytest.mark.usefixtures("files")
def test_that_hosts_are_reached_as_drumline_does() -> None:
    Path("hosts").write_text("".join(f"h{number} {said}\n" for number, said in enumerate(REACHED)))
    play = "- {{hosts: h{}, gather_facts: false, tasks: [{}: x]}}\n"
    actions = ("win_shell" if "winrm" in said else "raw" for said in REACHED)
    Path("site.yml").write_text("".join(play.format(number, action) for number, action in enumerate(actions)))
    prepared = prepare([Path("site.yml")], Settings(inventory=("hosts",)))
    found = [PlainCommands(prepared).of(step) is not None for step in prepared.plan.steps]
    assert dict(zip(REACHED, found, strict=True)) == REACHED


@pytest.mark.usefixtures("files")
def test_that_each_way_to_a_host_has_a_connection_of_its_own() -> None:
    Path("hosts").write_text("bär\nbör\nb_r\ntwice\n")
    Path("site.yml").write_text(
        "- {hosts: all, id: p, tasks: [{id: a, raw: x}]}\n"
        "- {hosts: twice, id: q, remote_user: other, tasks: [{id: a, raw: x}]}\n"
    )
    prepared = prepare([Path("site.yml")], Settings(inventory=("hosts",)))
    dag = Dag(
        name="d",
        program="drumline",
        words=(),
        directory="/",
        schedule=None,
        units=units_of(prepared),
        plain=PlainCommands(prepared),
    )
    files = airflow_files(dag)
    connections = json.loads(files["d.connections.json"])
    used = re.findall("drumline_[^']+", files["d.py"])
    assert [(connections[name]["host"], connections[name].get("login")) for name in used] == [
        *(("bär", None), ("bör", None), ("b_r", None), ("twice", None)),
        ("twice", "other"),
    ]
    assert len(connections) == len({*used}) == 5
    assert "drumline_b_r" in used


#: What ``--only`` names, and the tasks that run then, with the rules that are left.
ONLY = {
    ("one.b",): ["b none_failed"],
    ("one.a", "two"): ["a none_failed", "d none_failed"],
    ("one.b", "one.c"): ["b none_failed", "c all_failed"],
    ("one.c",): ["c none_failed"],
    ("one.x.e",): ["e none_failed"],
    ("one.e",): ["e none_failed"],
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("names", ONLY, ids=" ".join)
def test_only(names: tuple[str, ...]) -> None:
    Path("site.yml").write_text(
        "- id: one\n  hosts: h1\n  tasks:\n    - {id: a, ping: }\n    - {id: b, ping: , tags: [always]}\n"
        "    - {id: c, ping: , trigger_rule: all_failed}\n    - {id: x, block: [{id: e, ping: }]}\n"
        "- {id: two, hosts: h1, tasks: [{id: d, ping: }]}\n"
    )
    plan = prepare([Path("site.yml")], Settings(inventory=("hosts",)), only=names).plan
    assert [f"{step.task.id} {step.task.trigger_rule.value}" for step in plan.steps] == ONLY[names]
    with pytest.raises(UsageError, match="No task has this name") as raised:
        prepare([Path("site.yml")], Settings(inventory=("hosts",)), only=("one.bb",))
    assert "Did you mean 'one.b'?" in raised.value.detail
