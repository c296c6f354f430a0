"""A project, and what ansible-playbook and drumline register of its tasks, on the same host reached by SSH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from drumline_lab.sshd import Sshd
from support.program import DRUMLINE, environment

PLUGINS = Path(__file__).parent.parent.parent / "plugins"
#: Of results, what is a time or a number of a file.
_PASSING = {"atime", "ctime", "mtime", "inode", "exception", "start", "end", "delta"}
#: And what is of how Ansible works: a traceback, and the arguments of items.
_PASSING |= {"failed_when_suppressed_exception", "invocation"}


def ansible_python() -> str:
    """The Python that has ansible-core."""
    return str(Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("python"))


def add_plugin(project: Path) -> None:
    """Give a project the plugin, which is a distribution of its own that tests don't install."""
    (project / "plugins").mkdir(exist_ok=True)
    lines = ["import sys", f"sys.path.append({str(PLUGINS)!r})", "from drumline_ansible import *", ""]
    (project / "plugins" / "ansible.py").write_text("\n".join(lines))


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Where both run."""

    server: Sshd
    place: Path
    hosts: int = 1

    def project(self, name: str, files: Mapping[str, str]) -> Path:
        """A directory with these files, the inventory, and a setting that says where Ansible is."""
        directory = self.place / name
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)
        directory.mkdir(exist_ok=True)
        (directory / "hosts.yml").write_text(yaml.safe_dump(self._inventory()))
        (directory / "drumline.toml").write_text(f'[ansible]\npython = "{ansible_python()}"\n')
        add_plugin(directory)
        return directory

    def _inventory(self) -> dict[str, Any]:
        common = f"-F none -o UserKnownHostsFile={self.server.known_hosts} -o GlobalKnownHostsFile=none"
        variables = {
            "ansible_port": self.server.port,
            "ansible_user": self.server.user,
            "ansible_ssh_private_key_file": str(self.server.client_key),
            "ansible_ssh_common_args": common,
            "ansible_python_interpreter": sys.executable,
        }
        hosts = {f"h{number}": {"ansible_host": one} for number, one in enumerate(self.server.addresses[: self.hosts])}
        return {"all": {"hosts": hosts, "vars": variables}}

    def ours(self, project: Path, *options: object) -> subprocess.CompletedProcess[str]:
        """What drumline does with the project's playbook."""
        return _run([*DRUMLINE, "run", "site.yml", "-i", "hosts.yml", *map(str, options)], project, {})

    def theirs(self, project: Path, *options: object) -> subprocess.CompletedProcess[str]:
        """What ansible-playbook does with it."""
        program = Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("ansible-playbook")
        more = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_SSH_CONTROL_PATH_DIR": "/tmp"}
        return _run([str(program), "-i", "hosts.yml", "site.yml", *map(str, options)], project, more)

    def registered(self, name: str, tasks: Sequence[dict[str, Any]], *, by_ansible: bool, **more: Any) -> Any:
        """What tasks register that are run on the host; ``more`` are keywords of the play and files of the project.

        ``w`` is a directory of the project, which the task's host sees too.
        """
        files = more.pop("files", {})
        project = self.project(f"{name}-{'theirs' if by_ansible else 'ours'}", files)
        (project / "w").mkdir(exist_ok=True)
        names = [task["register"] for task in tasks]
        everything = "{{ {" + ", ".join(f"'{one}': {one}" for one in names) + "} | to_json }}"
        last = {"copy": {"dest": str(project / "answer.json"), "content": everything}, "check_mode": False}
        variables = {"w": str(project / "w"), **more.pop("vars", {})}
        play = {"hosts": "all", "gather_facts": False, "vars": variables, "tasks": [*tasks, last], **more}
        (project / "site.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        said = self.theirs(project) if by_ansible else self.ours(project)
        answer = project / "answer.json"
        assert answer.exists(), f"{said}"
        text = answer.read_text().replace(str(project), "PROJECT")
        shutil.rmtree(project / ".ansible", ignore_errors=True)
        return json.loads(text)


def _run(command: list[str], project: Path, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=project,
        env=environment(project, more),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # dozens of tasks, on a machine that may be busy
    )


def lasting(value: Any, without: Sequence[str] = ()) -> Any:
    """What of a result is the same whenever the task is run."""
    if isinstance(value, dict):
        left_out = {*_PASSING, *without}
        if not value.get("failed"):  # of an item, Ansible says it only where that is so
            left_out.add("failed")
        return {key: lasting(item, without) for key, item in value.items() if key not in left_out}
    return [lasting(item, without) for item in value] if isinstance(value, list) else value


def differing(ours: Any, theirs: Any, place: str = "") -> list[str]:
    """Where two results are different, and what each has there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = sorted({*ours, *theirs})
        return [line for name in names for line in differing(ours.get(name), theirs.get(name), f"{place}.{name}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for number, pair in pairs for line in differing(*pair, f"{place}[{number}]")]
    return [] if ours == theirs else [f"{place}: {ours!r}, and with Ansible {theirs!r}"]
