"""The action that the documentation writes from start to end: built, installed, and run on every kind of host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from support.documents import all_blocks
from support.narrowing import expect
from support.needs import need
from support.program import DRUMLINE

from drumline_lab.sshd import Sshd

if TYPE_CHECKING:
    from drumline_lab.wsman import Windows

USER, PASSWORD = "user", "password"
SSH_CONFIG = """\
Host practice
    HostName {0.address}
    Port {0.port}
    User {0.user}
    IdentityFile {0.client_key}
    UserKnownHostsFile {0.known_hosts}
"""


@dataclass(frozen=True)
class Project:
    """Where the page's reader works: the package is installed, and ``~/.ssh/config`` has a host ``practice``."""

    directory: Path
    home: Path
    environment: Mapping[str, str]

    def call(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command there, and wait for its end."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run_cases(self, **environment: str) -> dict[str, str]:
        """Run the page's cases; gives what became of each: ``passed``, ``skipped``."""
        report = self.home / "report.xml"
        ended = self.call(
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", "deployed", **environment
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        cases = ElementTree.parse(report).iter("testcase")
        return {case.attrib["name"]: "passed" if case.find("skipped") is None else "skipped" for case in cases}

    def run_playbook(self, hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """Run the page's playbook; gives the results of each host's jobs."""
        (self.home / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        options = ("-i", str(self.home / "hosts.json"), "--events", "-")
        ended = self.call(*DRUMLINE, "run", "deployed.yml", *options)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        results: dict[str, list[dict[str, Any]]] = {}
        for event in map(json.loads, ended.stdout.splitlines()):
            if event["event"] == "JobFinished":
                results.setdefault(event["job"]["host"], []).append(event["result"])
        return results


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, and in ``site`` what pip would make of the package."""
    directory = tmp_path_factory.mktemp("page")
    for block in all_blocks():
        if (block.file_name or "").startswith("deployed"):
            path = directory / str(block.file_name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "deployed"]
    subprocess.run(build, cwd=directory, check=True, capture_output=True)
    [wheel] = (directory / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory / "site")
    return directory


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    need("sshd")
    with Sshd(tmp_path_factory.mktemp("server") / "sshd") as server:
        yield server


@pytest.fixture
def project(page: Path, server: Sshd, tmp_path: Path) -> Project:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh/config").write_text(SSH_CONFIG.format(server))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DRUMLINE_", "SSH_", "XDG_"))}
    own = {"HOME": str(tmp_path), "PYTHONPATH": str(page / "site"), "DRUMLINE_STATE": str(tmp_path / "state")}
    return Project(page, tmp_path, {**kept, **own, "POSIX_HOST": '{"host": "practice"}'})


@pytest.fixture
def windows_options(windows_host: Windows) -> Iterator[dict[str, Any]]:
    """The connection variables of a Windows host."""
    from drumline_lab import wsman

    with wsman.WsmanServer(wsman.Settings(users={USER: PASSWORD}), backend=windows_host) as server:
        yield {"host": server.host, "port": server.port, "scheme": "http", "user": USER, "password": PASSWORD}


def _names(outcomes: Mapping[str, str], outcome: str) -> set[str]:
    """The tests that had this outcome; those on POSIX with their host."""
    return {
        expect(re.Match, re.match(r"\w+(\[(local|ssh))?", name))[0]
        for name, came in outcomes.items()
        if came == outcome
    }


def test_its_cases_pass_on_this_machine_and_over_ssh(project: Project) -> None:
    outcomes = project.run_cases()
    assert _names(outcomes, "passed") == {"test_on_posix[local", "test_on_posix[ssh", "test_played"}
    assert _names(outcomes, "skipped") == {"test_on_windows"}


def test_its_cases_pass_on_windows(project: Project, windows_options: dict[str, Any]) -> None:
    outcomes = project.run_cases(WINDOWS_HOST=json.dumps(windows_options))
    assert "test_on_windows" in _names(outcomes, "passed")
    assert _names(outcomes, "skipped") == set()


def _check_playbook(project: Project, hosts: Mapping[str, Mapping[str, Any]]) -> None:
    first, second = project.run_playbook(hosts), project.run_playbook(hosts)
    assert set(first) == set(hosts)
    for host in hosts:
        assert first[host][0]["changed"]
        assert first[host][0]["previous"] == ""
        assert first[host][1]["msg"] == "nothing was replaced"
        assert not second[host][0]["changed"]
        assert second[host][0]["previous"] == "1.4.2"


def test_its_playbook_runs_on_this_machine_and_over_ssh(project: Project) -> None:
    hosts = {name: {"ansible_connection": name, "records": str(project.home / name)} for name in ("local", "ssh")}
    hosts["ssh"]["ansible_host"] = "practice"
    _check_playbook(project, hosts)
    assert [(project.home / name / "shop").read_text() for name in hosts] == ["1.4.2\n", "1.4.2\n"]


def test_its_playbook_runs_on_windows(project: Project, windows_options: dict[str, Any], windows_host: Windows) -> None:
    hosts = {"win": {"ansible_connection": "winrm", "records": r"C:\deployed-test"}}
    hosts["win"] |= {
        f"ansible_winrm_{name}" if name == "scheme" else f"ansible_{name}": value
        for name, value in windows_options.items()
    }
    _check_playbook(project, hosts)
    assert (windows_host.path(r"C:\deployed-test") / "shop").read_text() == "1.4.2\n"


def test_its_mistakes_are_found_before_anything_is_sent(project: Project) -> None:
    (project.home / "wrong.yml").write_text("- hosts: all\n  tasks:\n    - deployed: {app: ../shop, version: 1}\n")
    ended = project.call(*DRUMLINE, "run", str(project.home / "wrong.yml"), "-i", "localhost,")
    assert ended.returncode == 5
    assert "wrong.yml:3:18" in ended.stderr
    assert "must be a letter or digit" in ended.stderr
