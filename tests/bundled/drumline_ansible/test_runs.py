"""What holds for tasks that Ansible's own modules carry out as for all others, in real runs."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from support.bridged import Sides
from support.bridged_project import FILES
from support.program import call, needs_sudo, running, wait_until

pytestmark = pytest.mark.ansible

#: No file that lies about has it.
_SECRET = f"s3cr3t-{secrets.token_hex(8)}"


def made(sides: Sides, name: str, tasks: Sequence[Mapping[str, Any]], **play: Any) -> Path:
    """A project with these tasks."""
    project = sides.project(name, FILES)
    text = yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [*tasks], **play}], sort_keys=False)
    (project / "site.yml").write_text(text)
    return project


def ended(done: subprocess.CompletedProcess[str]) -> list[Mapping[str, Any]]:
    """The ends of jobs in a run's events."""
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == "JobFinished"]


def results(sides: Sides, project: Path, *options: object) -> list[Mapping[str, Any]]:
    return [event["result"] for event in ended(sides.ours(project, "--events", "-", *options))]


def test_secrets_pass_by_pipes_alone(sides: Sides) -> None:
    """Not in a command line, not in a file, and not in the journal."""
    tasks: list[dict[str, Any]] = [
        {"snoop": {"word": "{{ password }}"}},
        {"greet": {"name": "x", "secret": "{{ password }}"}},
    ] * 2
    project = made(sides, "secrets", tasks, vars={"password": _SECRET})
    found = results(sides, project)
    assert [(one["processes"], one["files"]) for one in found if "files" in one] == [([], []), ([], [])]
    journal = b"".join(path.read_bytes() for path in (project / "state").rglob("*") if path.is_file())
    assert _SECRET.encode() not in journal


def test_what_a_check_says_and_what_it_cannot_say(sides: Sides) -> None:
    project = made(sides, "check", [{"greet": {"name": "Ada"}}, {"no_check": {}}])
    done = sides.ours(project, "--check", "--diff")
    assert "+Ada" in done.stdout
    greeted, unclear = results(sides, project, "--check")
    assert (greeted["changed"], greeted["checked"]) == (True, True)
    assert unclear["unclear"]
    assert unclear["msg"] == "remote module (no_check) does not support check mode"


def test_a_hidden_result_stays_hidden(sides: Sides) -> None:
    [hidden] = results(sides, made(sides, "hidden", [{"greet": {"name": "Ada"}, "no_log": True}]))
    assert "greeting" not in hidden
    assert "no_log" in hidden["censored"]


def test_a_time_out_ends_the_module_on_its_host(sides: Sides) -> None:
    there = sides.place / "pid-of-late"
    tasks: list[dict[str, Any]] = [{"greet": {"name": "warm"}}, {"slow": {"path": str(there)}, "timeout": 3}]
    [_, late] = results(sides, made(sides, "late", tasks))
    assert late["timedout"] == {"period": 3}
    wait_until(lambda: not psutil.pid_exists(int(there.read_text())))


def test_an_interrupt_ends_the_module_on_its_host(sides: Sides) -> None:
    there = sides.place / "pid-of-interrupted"
    project = made(sides, "interrupted", [{"greet": {"name": "warm"}}, {"slow": {"path": str(there)}}])
    with running(project, "run", "site.yml", "-i", "hosts.yml") as program:
        pid = int(wait_until(lambda: there.exists() and there.read_text()))
        program.send(signal.SIGTERM)
        assert program.end().status != 0
    wait_until(lambda: not psutil.pid_exists(pid))


def test_nothing_is_left_on_the_host(sides: Sides) -> None:
    before, open_before = set(Path("/tmp").glob(".drumline-*")), _sockets()
    project = made(sides, "left", [{"greet": {"name": "a"}}, {"colour_facts": {}}])
    assert sides.ours(project).returncode == 0
    assert set(Path("/tmp").glob(".drumline-*")) <= before
    wait_until(lambda: _sockets() <= open_before)


def _sockets() -> set[str]:
    """The sockets of processes that modules have left on the host."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return {line.split()[-1] for line in lines if "/.drumline-" in line}


def test_another_user_carries_it_out(sides: Sides) -> None:
    needs_sudo()
    python = {"ansible_python_interpreter": "/usr/bin/python3"}  # which others may run
    tasks: list[dict[str, Any]] = [
        {"greet": {"name": "a"}, "become": True, "become_user": "nobody", "vars": python}
    ] * 2
    done = sides.ours(made(sides, "becoming", tasks), "--events", "-")
    assert [one["status"] for one in ended(done)] == ["changed", "changed"], done.stdout + done.stderr


def test_nothing_of_several_users_is_left(sides: Sides) -> None:
    """Each has a directory of its own on the host."""
    needs_sudo()
    others = "nobody", "daemon"
    tasks = [
        {
            "greet": {"name": "a"},
            "become": True,
            "become_user": name,
            "vars": {"ansible_python_interpreter": "/usr/bin/python3"},
        }
        for name in others
    ]
    done = sides.ours(made(sides, "several", tasks), "--events", "-")
    assert [one["status"] for one in ended(done)] == ["changed", "changed"], done.stdout + done.stderr
    assert [path for path in Path("/tmp").glob(".drumline-*") if path.owner() in others] == []


def test_no_fragment_of_documentation_runs_in_what_is_only_looked_at(sides: Sides) -> None:
    documented = (
        '#!/usr/bin/python\nDOCUMENTATION = """\nmodule: documented\nextends_documentation_fragment: [mark]\n"""\n'
    )
    project = made(sides, "fragments", [{"documented": {}}])
    (project / "library/documented.py").write_text(documented)
    (project / "doc_fragments").mkdir()
    (project / "doc_fragments/mark.py").write_text(
        f"open({str(project / 'ran')!r}, 'w')\nclass ModuleDocFragment:\n    DOCUMENTATION = 'options: {{}}'\n"
    )
    assert "carried out by Ansible" in call(project, "plan", "site.yml", "-i", "hosts.yml").out
    assert not (project / "ran").exists()


def test_the_plan_marks_such_tasks(sides: Sides) -> None:
    project = made(sides, "planned", [{"greet": {"name": "a"}}, {"debug": {"msg": "a"}}])
    lines = call(project, "plan", "site.yml", "-i", "hosts.yml").out.splitlines()
    assert [line.split("  ")[-1] for line in lines if "carried out by Ansible" in line] == [
        "on h0; carried out by Ansible"
    ]
    data = json.loads(call(project, "plan", "site.yml", "-i", "hosts.yml", "--format", "json").out)
    tasks = [task for wave in data["plays"][0]["batches"][0]["waves"] for task in wave["tasks"]]
    assert [task["by"] for task in tasks] == ["Ansible", None]


def test_arguments_of_documented_modules_are_checked_before_anything_is_sent(sides: Sides) -> None:
    wrong = {"nme": "a", "scope": "nowhere"}
    done = sides.ours(made(sides, "wrong", [{"community.general.git_config": wrong}]))
    assert done.returncode == 5
    assert "'community.general.git_config' has no argument 'nme'. Did you mean 'name'?" in done.stderr
    assert "is one of file, local, global, system, not 'nowhere'" in done.stderr
    assert "needs 'name'" in done.stderr


def _set(project: Path, lines: str) -> None:
    with (project / "drumline.toml").open("a") as file:
        file.write(lines)


def test_a_setting_turns_it_off(sides: Sides) -> None:
    project = made(sides, "off", [{"greet": {"name": "a"}}])
    _set(project, "use = false\n")
    assert "No plugin offers the action 'greet'." in sides.ours(project).stderr


def test_a_setting_prefers_it_for_named_modules(sides: Sides) -> None:
    uses: list[dict[str, Any]] = [{"ping": {}}, {"ansible.builtin.ping": {}}, {"stat": {"path": "/"}}]
    project = made(sides, "preferred", uses)
    _set(project, 'prefer = ["ansible.builtin.ping"]\n')
    text = call(project, "plan", "site.yml", "-i", "hosts.yml").out
    assert text.count("carried out by Ansible") == 2
    assert results(sides, project)[:2] == [{"changed": False, "failed": False, "ping": "pong"}] * 2


def test_without_ansible_the_message_names_the_package(sides: Sides) -> None:
    project = made(sides, "without", [{"community.general.git_config": {"name": "a"}}])
    (project / "drumline.toml").write_text('[ansible]\npython = "/usr/bin/python3"\n')
    said = sides.ours(project).stderr
    assert "/usr/bin/python3 has no ansible-core: install the package ansible-core there" in said


def test_a_module_that_ansible_has_not_either_is_told_of(sides: Sides) -> None:
    said = sides.ours(made(sides, "neither", [{"no.such.thing": {}}])).stderr
    assert "'no.such.thing' is not there yet. Nor has Ansible one." in said
    assert "ansible-galaxy collection install no.such" in said


def test_its_documentation_is_shown(sides: Sides) -> None:
    said = call(made(sides, "documented", []), "doc", "--trust", "community.general.git_config").out
    assert said.startswith("community.general.git_config\n  Update git configuration\n")
    assert "by:     carried out by Ansible" in said
    assert "hosts:  POSIX" in said
    assert "scope: file | local | global | system" in said
    assert "It rests on:\n\n- git" in said
    assert "```yaml\n- name:" in said
