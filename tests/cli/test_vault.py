"""``drumline vault`` writes what ansible-vault reads, keeps clear text private, and runs read what either wrote."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.program import Ended, call, running, wait_until
from support.terminal import Terminal

#: The real one, beside the program ``ansible``.
ANSIBLE = str(Path(os.environ.get("DRUMLINE_ANSIBLE", "ansible")).with_name("ansible-vault"))
PASSWORD = "correct horse"
CLEAR = "db_login: hunter2-and-more\nport: 80\n"
PLAYBOOK = """
- hosts: all
  tasks:
    - debug: {msg: "got {{ db_login }} {{ inline | default('') }}"}
    - copy: {src: key, dest: "{{ playbook_dir }}/out"}
    - template: {src: tpl, dest: "{{ playbook_dir }}/out2"}
    - debug: {msg: "{{ lookup('file', 'key') }}"}
"""


class Project:
    """A directory with a password file ``pw``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write("pw", f"{PASSWORD}\n")

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        return (self.directory / name).read_text()

    def vault(self, *words: str, status: int = 0, **options: Any) -> Ended:
        ended = call(self.directory, "vault", words[0], "--vault-password-file", "pw", *words[1:], **options)
        assert ended.status == status, ended.said
        assert "Traceback" not in ended.said
        return ended


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_files_are_encrypted_and_decrypted_in_place(project: Project) -> None:
    path = project.write("a.yml", CLEAR)
    path.chmod(0o640)
    project.vault("encrypt", "a.yml")
    assert project.read("a.yml").startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert project.vault("view", "a.yml").out == CLEAR
    assert "already encrypted" in project.vault("encrypt", "a.yml", status=5).err
    project.vault("decrypt", "a.yml")
    assert project.read("a.yml") == CLEAR
    assert sorted(os.listdir(project.directory)) == ["a.yml", "pw"]


def test_nothing_is_written_when_one_of_several_files_cannot_be_opened(project: Project) -> None:
    project.write("a.yml", CLEAR)
    project.vault("encrypt", "a.yml")
    project.write("b.yml", CLEAR)
    ended = project.vault("decrypt", "a.yml", "b.yml", status=5)
    assert "b.yml:1:1: error: Vault data is damaged" in ended.err
    assert project.read("a.yml").startswith("$ANSIBLE_VAULT")


def test_standard_input_and_output(project: Project) -> None:
    written = project.vault("encrypt", input=CLEAR).out
    project.write("a", written)
    assert project.vault("decrypt", input=written).out == CLEAR
    assert project.vault("decrypt", "a", "--output", "-").out == CLEAR
    project.vault("decrypt", "a", "--output", "clear")
    assert stat.S_IMODE((project.directory / "clear").stat().st_mode) == 0o600
    assert project.read("a") == written


def test_another_password_and_its_label(project: Project) -> None:
    project.write("new", "another\n")
    project.write("a", CLEAR)
    project.vault("encrypt", "a")
    project.vault("rekey", "a", "--new-vault-id", "prod@new")
    assert project.read("a").startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert "The vault password is wrong" in project.vault("view", "a", status=5).err
    ended = call(project.directory, "vault", "view", "a", "--vault-id", "prod@new")
    assert ended.out == CLEAR
    assert "several" in project.vault("encrypt", "pw", "--vault-id", "prod@new", status=5).err
    project.vault("encrypt", "new", "--vault-id", "prod@new", "--encrypt-vault-id", "prod")
    assert project.read("new").startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")


def test_a_string_for_yaml(project: Project) -> None:
    text = project.vault("encrypt-string", "hunter2-and-more", "-n", "db_login").out
    assert text.startswith("db_login: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          ")
    assert project.vault("encrypt-string", "--stdin-name", "x", input="a").out.startswith("x: !vault |\n")
    project.write("v.yml", text)
    project.write("p.yml", "- hosts: all\n  tasks:\n    - assert: {that: [db_login == 'hunter2-and-more']}\n")
    ended = run(project, "-e", "@v.yml", "--vault-id", "pw")
    assert ended.status == 0, ended.said


def run(project: Project, *options: str, **more: Any) -> Ended:
    words = ("run", "p.yml", "-i", "h,", "-e", "ansible_connection=local", "-vv", *options)
    return call(project.directory, *words, **more)


def secret_project(project: Project) -> None:
    project.write("group_vars/all", CLEAR)
    project.write("key", "-----KEY-----\nsecret line of a key\n")
    project.write("tpl", "in a template {{ db_login }}\n")
    project.vault("encrypt", "group_vars/all", "key", "tpl")
    project.write("p.yml", PLAYBOOK)


def test_a_run_reads_all_of_it_and_shows_none_of_it(project: Project) -> None:
    secret_project(project)
    inline = project.vault("encrypt-string", "inline-secret", "-n", "inline").out
    project.write("e.yml", inline)
    env = {"ANSIBLE_VAULT_PASSWORD_FILE": "pw"}
    ended = run(project, "-e", "@e.yml", "--events", "events", env=env)
    assert ended.status == 0, ended.said
    assert "got ******** ********" in ended.out
    assert project.read("out") == "-----KEY-----\nsecret line of a key\n"
    assert project.read("out2") == "in a template hunter2-and-more\n"
    shown = call(project.directory, "runs", "show", "-vv").said + ended.said + project.read("events")
    files = b"".join(path.read_bytes() for path in (project.directory / "state").rglob("*") if path.is_file())
    for secret in ("hunter2-and-more", "inline-secret", "secret line of a key"):
        assert secret not in shown
        assert secret.encode() not in files
    listed = call(project.directory, "inventory", "list", "-i", "h,", env=env)
    assert "hunter2" not in listed.said


def test_an_encrypted_playbook_shows_its_names_and_hides_its_values(project: Project) -> None:
    value = "".join(f"    {line}\n" for line in project.vault("encrypt-string", "inline-secret").out.splitlines())
    text = "- hosts: all\n  name: The play\n  vars: {a: whole-secret}\n  tasks:\n  - name: The task\n"
    text += f"    copy:\n     dest: '{{{{ playbook_dir }}}}/out'\n     content: {value.lstrip()}"
    text += "  - debug: {msg: 'it is {{ a }}'}\n"
    project.write("p.yml", text)
    project.write("more.yml", "b: 1\n")
    project.vault("encrypt", "p.yml", "more.yml")
    ended = run(project, "--vault-password-file", "pw")
    assert ended.status == 0, ended.said
    assert project.read("out") == "inline-secret"
    assert "The task" in ended.out
    assert '"msg": "********"' in ended.out
    assert "secret" not in ended.out


def test_encrypted_files_of_vars_files(project: Project) -> None:
    project.write("v.yml", CLEAR)
    project.vault("encrypt", "v.yml")
    project.write("p.yml", "- hosts: all\n  vars_files: v.yml\n  tasks:\n    - debug: {msg: 'it is {{ db_login }}'}\n")
    ended = run(project, "--vault-password-file", "pw")
    assert ended.status == 0, ended.said
    assert "it is ********" in ended.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "A vault password is missing"),
        (("--vault-id", "x@wrong"), "The vault password is wrong"),
        (("--vault-password-file", "nowhere"), "A file with a vault password isn't there"),
        (("-J",), "A vault password can't be asked for"),
    ],
)
def test_a_run_without_the_password_sends_nothing(project: Project, options: tuple[str, ...], message: str) -> None:
    secret_project(project)
    project.write("wrong", "wrong\n")
    ended = run(project, *options)
    assert ended.status == 5
    assert message in ended.err
    assert not (project.directory / "out").exists()


def test_a_plan_does_without_the_password_of_a_value(project: Project) -> None:
    project.write("v.yml", project.vault("encrypt-string", "abc", "-n", "x").out)
    project.write("p.yml", "- hosts: all\n  tasks:\n    - debug: {msg: '{{ x }}'}\n")
    ended = call(project.directory, "plan", "p.yml", "-i", "h,", "-e", "@v.yml")
    assert ended.status == 0, ended.said
    assert "v.yml:2:11: warning: A vault password is missing" in ended.err
    ended = run(project, "-e", "@v.yml")
    assert ended.status == 5
    assert "v.yml:2:11: error: A vault password is missing" in ended.err


def test_a_password_is_typed_at_the_terminal(project: Project) -> None:
    project.write("a", CLEAR)
    project.vault("encrypt", "a")
    with Terminal(project.directory, "vault", "view", "a", "-J") as terminal:
        wait_until(lambda: "Vault password (default):" in terminal.text)
        terminal.type(f"{PASSWORD}\r")
        wait_until(lambda: "hunter2" in terminal.text)
        assert PASSWORD not in terminal.text


EDITOR = """#!/bin/sh
stat -c %a "$(dirname "$1")" >{directory}/mode
echo "$1" >{directory}/where
{work}
"""


def editor(project: Project, work: str) -> dict[str, str]:
    path = project.write("editor", EDITOR.format(directory=project.directory, work=work))
    path.chmod(0o700)
    return {"EDITOR": str(path), "VISUAL": "", "TMPDIR": str(project.directory / "tmp")}


@pytest.mark.parametrize(
    ("work", "status", "after"),
    [('echo more: 1 >>"$1"', 0, f"{CLEAR}more: 1\n"), ("true", 0, CLEAR), ('echo x >"$1"; exit 3', 5, CLEAR)],
)
def test_an_edited_file_is_encrypted_again(project: Project, work: str, status: int, after: str) -> None:
    (project.directory / "tmp").mkdir()
    project.write("a.yml", CLEAR)
    project.vault("encrypt", "a.yml")
    before = project.read("a.yml")
    project.vault("edit", "a.yml", status=status, env=editor(project, work))
    assert project.vault("view", "a.yml").out == after
    assert (project.read("a.yml") == before) == (after == CLEAR)
    assert project.read("mode") == "700\n"
    assert not Path(project.read("where").strip()).exists()
    assert os.listdir(project.directory / "tmp") == []


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"EDITOR": "nowhere/vi"}, "error: The editor can't be started\n  nowhere/vi: No such file or directory."),
        (
            {"EDITOR": "rm"},
            "error: The edited text can't be read\n  rm left none: No such file or directory.",
        ),
    ],
)
def test_an_editor_that_leaves_no_text_is_told_from_one_that_does_not_start(
    project: Project, env: dict[str, str], message: str
) -> None:
    project.write("a.yml", CLEAR)
    project.vault("encrypt", "a.yml")
    before = project.read("a.yml")
    assert message in project.vault("edit", "a.yml", status=5, env={"VISUAL": "", **env}).err
    assert project.read("a.yml") == before


def test_the_clear_text_is_removed_when_the_program_is_ended(project: Project) -> None:
    (project.directory / "tmp").mkdir()
    project.write("a.yml", CLEAR)
    project.vault("encrypt", "a.yml")
    env = editor(project, f"touch {project.directory}/open; exec sleep 60")
    with running(project.directory, "vault", "edit", "--vault-password-file", "pw", "a.yml", env=env) as program:
        wait_until((project.directory / "open").exists)
        assert Path(project.read("where").strip()).read_text() == CLEAR
        program.send(signal.SIGTERM)
        program.wait()
    assert os.listdir(project.directory / "tmp") == []


@pytest.mark.ansible
@pytest.mark.parametrize("label", ["", "prod"])
def test_ansible_vault_reads_what_was_encrypted_here_and_the_other_way_round(project: Project, label: str) -> None:
    options = ["--vault-id", f"{label or 'default'}@pw"]
    project.write("a", CLEAR)
    assert call(project.directory, "vault", "encrypt", "a", *options).status == 0
    view = [ANSIBLE, "view", *options, "a"]
    done = subprocess.run(view, cwd=project.directory, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == CLEAR.strip()
    project.write("b", CLEAR)
    subprocess.run([ANSIBLE, "encrypt", *options, "b"], cwd=project.directory, check=True, capture_output=True)
    assert call(project.directory, "vault", "view", "b", *options).out == CLEAR
    text = [ANSIBLE, "encrypt_string", *options, "-n", "x", "abc"]
    value = subprocess.run(text, cwd=project.directory, capture_output=True, text=True, check=True).stdout
    project.write("v.yml", value)
    listed = call(project.directory, "inventory", "list", "-i", "h,", "--format", "json", *options)
    assert json.loads(listed.out)["_meta"]
