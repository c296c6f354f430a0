"""What is told of a run's jobs before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drumline.app import Prepared, prepare
from drumline.config import Settings
from drumline.diagnostics import Diagnostic
from drumline.errors import FilesError
from drumline.source.vault import opened
from drumline.source.vault_format import seal

HOSTS = """
[linux]
l[1:3]
[windows]
w1
[windows:vars]
ansible_connection=winrm
[here]
h1 ansible_connection=local
"""
Make = Callable[..., Prepared]
Mistakes = Callable[..., list[Diagnostic]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Prepares a play of one task, in a directory with a file ``there``, an encrypted one and a template."""
    (tmp_path / "there").write_text("x")
    (tmp_path / "secret").write_bytes(seal(b"x", b"pw"))
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "t.j2").write_text("x")

    def make(task: str, hosts: str = "l1", *, inventory: str = "", before: str = "", **options: Any) -> Prepared:
        (tmp_path / "hosts").write_text(HOSTS + inventory)
        lines = "".join(f"      {line}\n" for line in task.splitlines())
        (tmp_path / "p.yml").write_text(f"- hosts: {hosts}\n  tasks:\n{before}    -\n{lines}")
        return prepare(
            [tmp_path / "p.yml"], Settings(inventory=(str(tmp_path / "hosts"),), state=tmp_path / "state"), **options
        )

    return make


@pytest.fixture
def mistakes(make: Make) -> Mistakes:
    def find(*arguments: str, **options: object) -> list[Diagnostic]:
        with pytest.raises(FilesError) as error:
            make(*arguments, sends=True, **options)
        return list(error.value.diagnostics)

    return find


@pytest.mark.parametrize(
    ("task", "hosts", "column", "message"),
    [
        ("copy: {src: nope, dest: /x}", "l1", 14, "A file isn't there. There is no file 'nope' on this machine."),
        ("copy: {src: nope/, dest: /x}", "w1", 14, "There is no file 'nope/' on this machine."),
        ("template: {src: nope.j2, dest: /x}", "l1", 18, "There is no file 'nope.j2' on this machine."),
        ("script: nope.sh {{ inventory_hostname }}", "l1", 15, "There is no file 'nope.sh' on this machine."),
        ("script: C:\\no\\pe.ps1 -a", "w1", 15, "There is no file 'C:\\no\\pe.ps1' on this machine."),
        ("copy: {src: secret, dest: /x}", "l1", 14, "A vault password is missing."),
        ("copy: {src: there, content: b, dest: /x}", "l1", 26, "'copy': 'src' and 'content' exclude each other."),
        ("copy: {dest: /x}", "l1", 7, "'copy': it needs 'src' or 'content'."),
        ("copy: {content: a, dest: /x, mode: '0644'}", "w1", 36, "Windows hosts have no such thing as 'mode'"),
        ("copy: {content: a, dest: /x, validate: visudo}", "l1", 36, "'validate' must contain %s"),
        ("template: {src: t.j2, dest: /x, newline_sequence: x}", "l1", 39, "'newline_sequence' is one of"),
        ("command: it's", "l1", 16, "the text can't be split into words: no closing quotation."),
        ("command: {chdir: /x}", "l1", 7, "it needs 'cmd' or 'argv'."),
        ("shell: {chdir: /x}", "l1", 7, "there is nothing to run."),
        ("file: {path: /x, recurse: true, state: absent}", "l1", 24, "'recurse' needs state: directory."),
        ("file: {path: /x, src: /y}", "l1", 24, "'src' needs state: link or hard."),
        ("stat: {path: /x, get_md5: true}", "l1", 24, "'get_md5' is gone, from Ansible too."),
        ("debug: {msg: a, var: b}", "l1", 23, "'msg' and 'var' exclude each other."),
        ("set_fact: {cacheable: true}", "l1", 7, "it sets nothing."),
        (
            "command: a\nbecome: true",
            "w1",
            7,
            "Windows hosts can't run tasks as another user yet. Host w1: become_method",
        ),
    ],
)
def test_what_can_not_work(mistakes: Mistakes, task: str, hosts: str, column: int, message: str) -> None:
    [found] = mistakes(task, hosts)
    assert message in f"{found.summary}. {found.detail}"
    assert found.position is not None
    assert found.position.column == column


@pytest.mark.parametrize(
    ("task", "hosts"),
    [
        ("copy: {src: there, dest: /x}", "l1"),
        ("copy: {src: nope, dest: /x, remote_src: true}", "l1"),
        ("copy: {src: '{{ x }}', dest: /x}\nvars: {x: nope}", "l1"),
        ("copy: {src: secret, dest: /x, decrypt: false}", "l1"),
        ("copy: {src: nope, dest: /x}\nwhen: false", "l1"),
        ("script: '{{ x }}.sh'\nvars: {x: nope}", "l1"),
        ("template: {src: t.j2, dest: /x}", "l1"),
        ("command: it's", "w1"),
        ("command: a\nbecome: true\ndelegate_to: l1", "w1"),
        ("command: a\nbecome: true\nvars: {ansible_become: false}", "w1"),
        ("copy: {content: a, dest: /x, mode: '0644'}", "l1:w1"),
    ],
)
def test_what_may_work(make: Make, task: str, hosts: str) -> None:
    assert make(task, hosts).warnings == ()


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("copy: {src: nope, dest: /x}\nwhen: inventory_hostname == 'l1'", {}, "where its condition holds"),
        ("copy: {src: nope, dest: /x}\nfailed_when: false", {}, "as it may"),
        ("block: [{copy: {src: nope, dest: /x}}]\nrescue: [{debug: }]", {}, "as it may"),
        (
            "block: [{block: [{copy: {src: nope, dest: /x}}], always: [{debug: }]}]\nrescue: [{debug: }]",
            {},
            "as it may",
        ),
        (
            "copy: {src: nope, dest: /x}",
            {"hosts": "h1", "before": "    - command: make\n"},
            "unless 'command' makes it",
        ),
    ],
)
def test_a_file_that_may_not_be_needed_or_may_still_be_made(
    make: Make, task: str, options: dict[str, str], words: str
) -> None:
    [warning] = make(task, **options).warnings
    assert warning.summary == "A file isn't there"
    assert words in warning.detail


def test_an_encrypted_file_that_is_too_large_to_be_decrypted(mistakes: Mistakes, make: Make, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.write(b"$ANSIBLE_VAULT;1.1;AES256\n")
        file.truncate(64 * 1024 * 1024 + 1)
    [found] = mistakes("copy: {src: large, dest: /x}")
    assert found.summary == "A file is too large"
    assert f"{tmp_path / 'large'} is larger than 64 MiB, and encrypted as a whole" in found.detail
    [warning] = make("copy: {src: large, dest: /x}\nwhen: x is defined").warnings
    assert warning.detail.endswith("The task fails where its condition holds.")


def test_an_encrypted_file_is_read_once_and_told_of_at_each_task(
    mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def noted(path: Path, content: bytes) -> bytes:
        read.append(path)
        return opened(path, content)

    monkeypatch.setattr("drumline.execution.preflight.opened", noted)
    found = mistakes("copy: {src: secret, dest: /y}", before="    - copy: {src: secret, dest: /x}\n")
    assert [one.position.line for one in found if one.position] == [3, 5]
    assert len(read) == 1


def test_a_way_to_become_somebody_is_refused_where_a_host_can_not_have_it(mistakes: Mistakes, make: Make) -> None:
    inventory = "[linux:vars]\nansible_become_method=runas\n[windows:vars]\nansible_become_method=su\n"
    assert make("command: a", "all", inventory=inventory).plan.steps
    [found] = mistakes("command: a\nbecome: true", "linux", inventory=inventory)
    assert f"{found.summary}. {found.detail}" == (
        "runas is for Windows hosts. Hosts l[1-3]: ansible_become_method is 'runas', which is for Windows. Leave it"
        " out, or name one for POSIX hosts, such as sudo."
    )
    [found] = mistakes("command: a\nbecome: true", "windows", inventory=inventory)
    assert found.summary == "Windows hosts can't run tasks as another user yet"
    [found] = mistakes("command: a\nbecome: true\nbecome_method: runas", "l1")
    assert found.position is not None
    assert (found.summary, found.position.line) == ("runas is for Windows hosts", 6)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("community.general.machinectl", "is not supported. Hosts l[1-3]: ansible_become_method is 'community.general"),
        ("sodu", "Unknown way to become another user. Hosts l[1-3]: ansible_become_method is 'sodu': known are doas, "),
        ("sduo", "Did you mean 'sudo'?"),
    ],
)
def test_a_variable_that_names_no_way_to_become_somebody(mistakes: Mistakes, method: str, message: str) -> None:
    inventory = f"[linux:vars]\nansible_become_method={method}\n"
    [found] = mistakes("command: a\nbecome: true", "linux", inventory=inventory)
    assert message in f"{found.summary}. {found.detail}"


@pytest.mark.parametrize("method", ["su", "community.general.doas", "ansible.builtin.sudo", "pfexec"])
def test_ways_to_become_somebody_with_a_password(make: Make, method: str) -> None:
    inventory = f"[linux:vars]\nansible_become_password=x\nansible_become_method={method}\n"
    assert make("command: a\nbecome: true", "linux", inventory=inventory).plan.steps
    assert make(f"command: a\nbecome: true\nbecome_method: {method}\nbecome_flags: -x\nbecome_exe: /y", "l1").plan


def test_a_missing_key_file_is_told_for_hosts_that_are_reached(mistakes: Mistakes, make: Make) -> None:
    inventory = "[linux:vars]\nansible_ssh_private_key_file=~/no/such/key\n"
    [found] = mistakes("command: a", "linux", inventory=inventory)
    assert found.detail == (
        "Hosts l[1-3]: ansible_ssh_private_key_file is '~/no/such/key', and there is no such file on this machine."
    )
    assert make("command: a", "h1", inventory=inventory).plan.steps


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ansible_prot", "ansible_port"),
        ("ansible_hst", "ansible_host"),
        ("ansible_usr", "ansible_user"),
        ("ansible_pasword", "ansible_password"),
        ("ansible_conection", "ansible_connection"),
        ("ansible_ssh_privat_key_file", "ansible_ssh_private_key_file"),
        ("ansible_become_usr", "ansible_become_user"),
        ("drumline_pport", "drumline_port"),
    ],
)
def test_a_connection_variable_with_a_typo(mistakes: Mistakes, name: str, meant: str) -> None:
    [found] = mistakes("command: a", inventory=f"[linux:vars]\n{name}=2222\n")
    assert found.summary == "Unknown connection variable"
    assert found.detail == f"Host l1: nothing reads '{name}'. Did you mean '{meant}'?"


def test_a_typo_in_vars_or_extra_vars(mistakes: Mistakes) -> None:
    [found] = mistakes("command: a\nvars: {ansible_prot: 1}")
    assert found.detail.startswith("'vars' or -e: nothing reads 'ansible_prot'.")
    assert mistakes("command: a", extra_vars=["ansible_prot=1"]) == [found]


@pytest.mark.parametrize(
    "name",
    ["ansible_os_family", "ansible_python_interpreter", "ansible_site", "port", "ansible_psrp_port"],
)
def test_other_names_are_left_alone(make: Make, name: str) -> None:
    assert make("command: a", inventory=f"[linux:vars]\n{name}=x\n").warnings == ()


def test_a_name_that_a_template_uses_is_left_alone_and_a_like_one_warned_about(make: Make) -> None:
    inventory = "[linux:vars]\nansible_prot=1\n"
    assert make("command: a {{ ansible_prot }}", inventory=inventory).warnings == ()
    [warning] = make("command: a", inventory="[linux:vars]\nansible_ssh_privat_keyfile=x\n").warnings
    assert "Did you mean 'ansible_ssh_private_key_file'?" in warning.detail
    [warning] = make("command: a", inventory="[linux:vars]\nansible_hosts=x\n").warnings
    assert "Did you mean 'ansible_host'?" in warning.detail
