"""Ctrl-C at any time: first the running wave ends, then what runs is stopped on the hosts; always exit status 130."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.needs import need
from support.program import at_import, below, call, environment, processes_with, running, wait_until

from drumline_lab.sshd import Sshd

LOCAL = "[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n"
#: Each task writes a line when it begins; the second word of it is the host.
WAVES = """
- hosts: web
  tasks:
    - {{id: one, shell: "echo one {{{{ inventory_hostname }}}} >> {log}; while ! [ -e {gate} ]; do sleep 0.05; done"}}
    - {{id: two, shell: "echo two {{{{ inventory_hostname }}}} >> {log}"}}
    - {{id: three, shell: "echo three {{{{ inventory_hostname }}}} >> {log}"}}
"""


class Project:
    """A directory with an inventory and a playbook whose first wave lasts until ``gate`` is there."""

    def __init__(self, directory: Path, inventory: str) -> None:
        self.directory = directory
        self.log = directory / "log"
        self.gate = directory / "gate"
        (directory / "inventory").write_text(inventory)

    def write(self, playbook: str) -> None:
        (self.directory / "site.yml").write_text(textwrap.dedent(playbook).format(log=self.log, gate=self.gate))

    def lines(self) -> list[str]:
        return sorted(self.log.read_text().splitlines()) if self.log.exists() else []

    def started(self, *lines: str) -> Callable[[], bool]:
        return lambda: self.lines() == list(lines)

    def run(self, *options: str) -> Any:
        return running(self.directory, "run", "site.yml", *options)

    def journal(self) -> dict[str, Any]:
        """What ``runs show`` tells of the newest run."""
        ended = call(self.directory, "runs", "show", "--format", "json")
        assert ended.status == 0, ended.err
        found: dict[str, Any] = json.loads(ended.out)
        return found

    def statuses(self) -> dict[tuple[str, str], str]:
        return {(job["task"], job["host"]): job["status"] for job in self.journal()["jobs"]}


@pytest.fixture(params=["local", "ssh"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """Hosts web1 to web3, on this machine itself and behind a real OpenSSH server."""
    if request.param == "local":
        yield Project(tmp_path, LOCAL)
        return
    need("sshd")
    with Sshd(tmp_path / "sshd", addresses=["127.0.0.2", "127.0.0.3", "127.0.0.4"]) as server:
        hosts = "".join(f"web{n} ansible_host={host}\n" for n, host in enumerate(server.addresses, 1))
        settings = {
            "port": server.port,
            "user": server.user,
            "ssh_private_key_file": server.client_key,
            "ssh_common_args": f"'-o UserKnownHostsFile={server.known_hosts}'",
        }
        variables = "".join(f"ansible_{name}={value}\n" for name, value in settings.items())
        yield Project(tmp_path, f"[web]\n{hosts}[all:vars]\n{variables}")


@pytest.fixture
def local(tmp_path: Path) -> Project:
    return Project(tmp_path, LOCAL)


def test_the_first_lets_the_running_wave_end_with_what_is_queued_in_it(project: Project) -> None:
    project.write(WAVES)
    with project.run("-f", "1") as program:
        wait_until(project.started("one web1"))
        program.ctrl_c()
        wait_until(lambda: _interrupts(project.directory))
        project.gate.touch()
        ended = program.end()
    assert ended.status == 130, ended.said
    assert project.lines() == ["one web1", "one web2", "one web3"]
    assert "the running wave finishes" in ended.out
    assert ended.out.splitlines()[-1].startswith("interrupted: 3 changed, 6 cancelled; 3 hosts")
    run = project.journal()["run"]
    assert run["exit_status"] == 130
    assert set(project.statuses().values()) == {"changed", "cancelled"}


def test_the_second_ends_processes_and_their_children_on_the_hosts(project: Project) -> None:
    marker = f"{project.directory}/marker"
    project.write(
        f"""
        - hosts: web
          tasks:
            - id: long
              shell: >-
                sh -c 'sleep 300; : {marker}' & echo long {{{{{{{{ inventory_hostname }}}}}}}} >> {{log}}; sleep 300
            - {{{{id: after, shell: "echo after >> {{log}}"}}}}
        """
    )
    with project.run() as program:
        wait_until(project.started("long web1", "long web2", "long web3"))
        wait_until(lambda: len(processes_with(marker)) >= 3)
        program.ctrl_c()
        wait_until(lambda: _interrupts(project.directory) == 1)
        assert processes_with(marker)  # the first stops nothing
        began = time.monotonic()
        program.ctrl_c()
        ended = program.end()
    assert ended.status == 130, ended.said
    assert time.monotonic() - began < 10
    assert processes_with(marker) == []
    assert "stopping the commands on the hosts" in ended.out
    assert project.lines() == ["long web1", "long web2", "long web3"]
    statuses = project.statuses()
    assert statuses == {(task, f"web{n}"): "cancelled" for task in ("long", "after") for n in (1, 2, 3)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_to_be_ended_by_others_means_now(project: Project, number: signal.Signals) -> None:
    marker = f"{project.directory}/marker"
    project.write(f'- hosts: web\n  tasks:\n    - shell: "echo x >> {{log}}; sleep 300; : {marker}"\n')
    with project.run() as program:
        wait_until(project.started("x", "x", "x"))
        program.send(number)
        ended = program.end()
    assert ended.status == 130, ended.said
    assert processes_with(marker) == []
    assert set(project.statuses().values()) == {"cancelled"}


def test_a_hangup_that_is_ignored_stays_ignored(local: Project) -> None:
    local.write('- hosts: web1\n  tasks:\n    - shell: "echo x >> {log}; while ! [ -e {gate} ]; do sleep 0.05; done"\n')
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with local.run() as program:
            wait_until(local.started("x"))
            program.send(signal.SIGHUP)
            local.gate.touch()
            assert program.end().status == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_command_that_is_deaf_to_signals_is_ended_all_the_same(local: Project) -> None:
    marker = f"{local.directory}/marker"
    local.write(
        "- hosts: web1\n  tasks:\n"
        f"    - shell: \"trap '' INT TERM HUP; echo x >> {{log}}; while :; do sleep 1; : {marker}; done\"\n"
    )
    with local.run() as program:
        wait_until(local.started("x"))
        program.ctrl_c()
        wait_until(lambda: _interrupts(local.directory))
        program.ctrl_c()
        assert program.end().status == 130
    assert processes_with(marker) == []


@pytest.mark.parametrize(
    "task",
    [
        "pause: {{seconds: 300}}",
        "wait_for: {{path: /nowhere/at/all, timeout: 300}}",
        'command: "false"\n      retries: 5\n      delay: 300',
        'command: "true"\n      loop: [1, 2]\n      loop_control: {{pause: 300}}',
    ],
    ids=["pause", "wait_for", "delay", "loop"],
)
def test_what_only_waits_is_ended(local: Project, task: str) -> None:
    local.write(f'- hosts: web1\n  tasks:\n    - {task}\n    - command: "true"\n')
    with local.run() as program:
        wait_until(lambda: _kinds(local.directory).count("JobsStarted"))
        program.ctrl_c()
        wait_until(lambda: _interrupts(local.directory))
        program.ctrl_c()
        ended = program.end(15)
    assert ended.status == 130, ended.said
    assert set(local.statuses().values()) == {"cancelled"}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        held: list[socket.socket] = []
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    held.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield int(server.getsockname()[1])
        over.set()
        thread.join()
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    "variables",
    [
        "ansible_connection=ssh ansible_ssh_common_args='-o StrictHostKeyChecking=no' ansible_password=x",
        "ansible_connection=winrm ansible_winrm_scheme=http ansible_user=u ansible_password=pw-of-nobody",
    ],
    ids=["ssh", "winrm"],
)
def test_a_host_that_never_answers_holds_nobody_up(tmp_path: Path, silent_port: int, variables: str) -> None:
    project = Project(tmp_path, f"web1 ansible_host=127.0.0.1 ansible_port={silent_port} {variables}\n")
    project.write("- hosts: web1\n  tasks:\n    - ping:\n    - ping:\n")
    with project.run() as program:
        wait_until(lambda: _kinds(tmp_path).count("JobsStarted"))
        program.ctrl_c()
        wait_until(lambda: _interrupts(tmp_path))
        began = time.monotonic()
        program.ctrl_c()
        ended = program.end(20)
    assert time.monotonic() - began < 4
    assert ended.status == 130, ended.said
    assert set(project.statuses().values()) == {"cancelled"}


def test_while_the_files_are_read(tmp_path: Path) -> None:
    program_file = tmp_path / "inventory"
    program_file.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nsleep 300; : {tmp_path}/marker\n")
    program_file.chmod(0o755)
    project = tmp_path / "site.yml"
    project.write_text("- hosts: all\n  tasks:\n    - ping:\n")
    with running(tmp_path, "run", "site.yml") as program:
        wait_until((tmp_path / "asked").exists)
        program.ctrl_c()
        ended = program.end(20)
    assert (ended.status, ended.out) == (130, "")
    assert ended.err.split() == ["interrupted"]
    assert not (tmp_path / "state").exists()
    assert processes_with(f"{tmp_path}/marker") == []


@pytest.mark.parametrize("after", [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4])
def test_at_whatever_moment_there_is_no_traceback(local: Project, after: float) -> None:
    local.write("- hosts: web\n  tasks:\n    - ping:\n    - ping:\n    - ping:\n")
    with local.run() as program:
        program.wait_for_start()
        time.sleep(after)
        program.ctrl_c()
        ended = program.end()
    assert ended.status in (0, 130), ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize("module", ["drumline.cli.entry", "threading", "drumline.cli.program"])
def test_while_it_loads_its_parts_there_is_no_traceback(local: Project, module: str) -> None:
    local.write("- hosts: web\n  tasks:\n    - ping:\n")
    ended = subprocess.run(
        [sys.executable, "-c", at_import(module, f"os.kill(os.getpid(), {signal.SIGINT:d})"), "run", "site.yml"],
        cwd=local.directory,
        env=environment(local.directory),
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


def test_a_loop_that_was_stopped_half_way_is_not_well(local: Project) -> None:
    local.write(
        "- hosts: web1\n  tasks:\n"
        "    - shell: 'echo {{{{ item }}}} >> {log}; sleep 300'\n"
        "      loop: [a, b, c]\n"
        "      failed_when: false\n"
    )
    with local.run() as program:
        wait_until(local.started("a"))
        program.send(signal.SIGTERM)
        assert program.end().status == 130
    assert local.lines() == ["a"]
    assert set(local.statuses().values()) == {"cancelled"}


def test_a_third_waits_for_nobody(tmp_path: Path, silent_port: int) -> None:
    """A session that is stuck: the connection is there, and the host has stopped answering."""
    need("sshd")
    with Sshd(tmp_path / "sshd") as server:
        project = Project(
            tmp_path,
            f"web1 ansible_host=127.0.0.1 ansible_port={server.port} ansible_user={server.user} "
            f"ansible_ssh_private_key_file={server.client_key} "
            f"ansible_ssh_common_args='-o UserKnownHostsFile={server.known_hosts}'\n",
        )
        project.write('- hosts: web1\n  tasks:\n    - shell: "echo x >> {log}; sleep 300"\n')
        with project.run() as program:
            wait_until(project.started("x"))
            frozen = _connections(server)
            assert frozen
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            try:
                for count in (1, 2):
                    program.ctrl_c()
                    wait_until(lambda count=count: _interrupts(tmp_path) == count)  # type: ignore[misc]  # a default of a lambda has no type
                program.ctrl_c()
                ended = program.end(20)
            finally:
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)
    assert ended.status == 130, ended.said
    assert "no longer waiting" in ended.out
    assert set(project.statuses().values()) == {"unknown"}


def _connections(server: Sshd) -> list[int]:
    """The processes of sshd that carry the connections to it."""
    (listener,) = [pid for pid in processes_with(f"{server.directory}/") if b"[listener]" in _command_line(pid)]
    return [pid for pid in below(listener) if _command_line(pid).startswith((b"sshd: ", b"sshd-session: "))]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kinds(directory: Path) -> list[str]:
    """The kinds of events in the journal so far."""
    path = directory / "state" / "journal.sqlite3"
    if not path.exists():
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [kind for (kind,) in database.execute("SELECT kind FROM events ORDER BY run, seq")]
    except sqlite3.OperationalError:
        return []  # its tables are just being made
    finally:
        database.close()


def _interrupts(directory: Path) -> int:
    return _kinds(directory).count("InterruptRequested")


#: One host's text takes an expression of the author's for ever.
STUCK = """
- hosts: web
  tasks:
    - shell: "echo {{{{ 'a' * 40 }}}}!"
      register: text
    - shell: "echo two {{{{ inventory_hostname }}}} >> {log}"
      when: inventory_hostname != 'web1' or text.stdout is match('^(a+)+$')
      {more}
    - shell: "echo three {{{{ inventory_hostname }}}} >> {log}"
"""


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGINT)], ids=["TERM", "INT twice"])
def test_a_template_without_an_end_does_not_keep_the_run_from_its_own(
    local: Project, signals: tuple[signal.Signals, ...]
) -> None:
    local.write(STUCK.replace("{more}", ""))
    with local.run() as program:
        wait_until(local.started("two web2", "two web3"))
        [worker] = wait_until(lambda: {*below(program.pid)} & {*processes_with("regex_worker")})
        began = time.monotonic()
        for number in signals:
            program.send(number)
            wait_until(lambda: _interrupts(local.directory))
        ended = program.end()
    assert ended.status == 130, ended.said
    assert time.monotonic() - began < 10
    [ended_job] = [job for job in local.journal()["jobs"] if job["task"] == "shell-2" and job["host"] == "web1"]
    assert "was stopped while a template was rendered" in ended_job["result"]["msg"]
    wait_until(lambda: not Path(f"/proc/{worker}").exists())


def test_the_time_out_of_a_task_ends_its_template_and_other_hosts_go_on(local: Project) -> None:
    local.write(STUCK.replace("{more}", "timeout: 1"))
    with local.run() as program:
        ended = program.end()
    assert ended.status == 2, ended.said
    assert "The time-out of 1 s was up while a template was rendered." in ended.out
    assert local.lines() == ["three web2", "three web3", "two web2", "two web3"]
    found = {job["host"]: job for job in local.journal()["jobs"] if job["task"] == "shell-2"}
    assert found["web1"]["status"] == "failed"
    assert "time-out of 1 s" in found["web1"]["result"]["msg"]
