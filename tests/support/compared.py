"""Comparisons with ansible-core: the same uses of an action on the same kind of host, answers and files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from drumline.errors import HostError
from drumline.plugin import ActionFailed
from drumline.testing import ActionHost
from drumline.testing.hosts import HostEntries
from drumline_lab.sshd import Sshd

#: What is of how Ansible works, not of what it did.
PASSING = {"diff", "invocation", "warnings", "deprecations", "failed", "exception", "secontext", "stdout_lines"}
PASSING |= {"stderr_lines", "ansible_facts"}
HERE = "HERE"


@dataclass(frozen=True)
class Use:
    """One use of an action, in a directory of its own."""

    name: str
    arguments: Mapping[str, Any]
    _: KW_ONLY
    before: HostEntries = field(default_factory=dict)
    #: Of Ansible's result, what is left out of the comparison, beside ``PASSING``.
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A host that both reach by SSH."""

    host: ActionHost
    server: Sshd
    place: Path  #: For files of ansible-playbook.
    #: What runs its modules: some need packages that only this one may have.
    python: str = "/usr/bin/python3"

    def compare(
        self, action: str, uses: Sequence[Use], module: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        """Both do the same with each, twice: what they say of it, and what is there afterwards."""
        theirs = _by_ansible(self, module or action, uses, environment or {})
        ours = [_by_drumline(self.host, action, use, environment or {}) for use in uses]
        wrong = [
            line for use, our, their in zip(uses, ours, theirs, strict=True) for line in _differences(use, our, their)
        ]
        assert not wrong, "\n".join(wrong)

    def both(self, use: Use) -> tuple[dict[str, Any], dict[str, Any]]:
        """What each says of one use, whose name is that of the action."""
        [theirs] = _by_ansible(self, use.name, [use], {})
        return _by_drumline(self.host, use.name, use, {})[0], theirs[0]


def _differences(use: Use, ours: list[Any], theirs: list[Any]) -> Iterator[str]:
    for number in (0, 1):
        our, their = ours[number], theirs[number]
        said = {name: value for name, value in their.items() if name not in PASSING | use.without}
        if bool(their.get("failed")) != bool(our.get("failed")):
            yield f"{use.name}, {number + 1}: {our} instead of {their}"
        elif not their.get("failed"):  # messages are worded for our own people
            found = {name: our.get(name) for name in said}
            if found != said:
                yield f"{use.name}, {number + 1}: {found} instead of {said}"
    if ours[2] != theirs[2]:
        yield f"{use.name}: left {ours[2]} instead of {theirs[2]}"


def _by_drumline(host: ActionHost, action: str, use: Use, environment: Mapping[str, str]) -> list[Any]:
    with host.directory() as there:
        host.settings = {"environment": _filled(environment, there.path)}
        there.fill(use.before)
        arguments = _filled(use.arguments, there.path)
        results = [_replaced(_once(host, action, arguments), there.path) for _ in range(2)]
        return [*results, _replaced(_names(there.entries()), there.path)]


def _once(host: ActionHost, action: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        result = host(action, **arguments)
    except (ActionFailed, HostError) as error:
        return {"failed": True, "msg": str(error), **getattr(error, "values", {})}
    return {"changed": result.changed, "msg": result.message, **result.values}


def _by_ansible(
    reference: Reference, module: str, uses: Sequence[Use], environment: Mapping[str, str]
) -> list[list[Any]]:
    tasks: list[dict[str, Any]] = []
    with ExitStack() as stack:
        places = [stack.enter_context(reference.host.directory()) for _ in uses]
        for number, (there, use) in enumerate(zip(places, uses, strict=True)):
            there.fill(use.before)
            done = {module: _filled(use.arguments, there.path), "ignore_errors": True}
            done["environment"] = _filled(environment, there.path)
            tasks += [{**done, "register": f"r{number}_{time}"} for time in (0, 1)]
        results = run_ansible(reference.server, reference.place, tasks, reference.python)
        return [
            [
                *(_replaced(results[f"r{number}_{time}"], there.path) for time in (0, 1)),
                _replaced(_names(there.entries()), there.path),
            ]
            for number, there in enumerate(places)
        ]


def run_ansible(
    server: Sshd, place: Path, tasks: list[dict[str, Any]], python: str = "/usr/bin/python3"
) -> dict[str, Any]:
    """What these tasks register by ansible-core."""
    names = [task["register"] for task in tasks]
    answer = place / "answer.json"
    everything = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} | to_json }}"
    last = {"copy": {"dest": str(answer), "content": everything}, "delegate_to": "localhost"}
    text = yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [*tasks, last]}], allow_unicode=True)
    (place / "play.yml").write_text(text)
    variables = {
        "ansible_host": server.address,
        "ansible_port": server.port,
        "ansible_user": server.user,
        "ansible_ssh_private_key_file": str(server.client_key),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={server.known_hosts} -o GlobalKnownHostsFile=none",
        "ansible_python_interpreter": python,
    }
    words = " ".join(f"{name}={json.dumps(str(value))}" for name, value in variables.items())
    (place / "hosts").write_text(f"reference {words}\n")
    program = Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("ansible-playbook")
    command = [str(program), "-i", str(place / "hosts"), str(place / "play.yml")]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place, env=environment)
    assert answer.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


def _filled(value: Any, place: str) -> Any:
    if isinstance(value, str):
        return value.replace(HERE, place)
    if isinstance(value, Mapping):
        return {name: _filled(item, place) for name, item in value.items()}
    return [_filled(item, place) for item in value] if isinstance(value, (list, tuple)) else value


def _replaced(value: Any, place: str) -> Any:
    if isinstance(value, str):
        return value.replace(place, HERE)
    if isinstance(value, Mapping):
        return {_replaced(name, place): _replaced(item, place) for name, item in value.items()}
    return [_replaced(item, place) for item in value] if isinstance(value, list) else value


def _names(entries: dict[str, Any]) -> dict[str, Any]:
    """What is there; copies that were kept have a time in their names."""
    return {
        (name.split("@")[0].rsplit(".", 2)[0] + "~" if name.endswith("~") else name): entry
        for name, entry in entries.items()
    }
