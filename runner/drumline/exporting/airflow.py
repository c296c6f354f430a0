"""A DAG for Airflow, from 2.10 on, with the pools and connections that it needs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain, count
from typing import Any

from msgspec import Struct

from drumline.exporting.plain import PlainCommand, PlainCommands
from drumline.exporting.units import ExportUnit
from drumline.model.target import Target

_HEAD = '''\
"""Written by 'drumline export airflow'; write it anew when the playbook or the inventory changes."""

from datetime import datetime, timedelta

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
{imports}{constants}
with DAG(
    dag_id={name},
    description={description},
    schedule={schedule},
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["drumline"],
) as dag:
'''
_TAIL = """
if __name__ == "__main__":
    dag.test()
"""
#: What of Airflow each kind of task needs.
_IMPORTS = {
    "": """
try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator
""",
    "ssh": "from airflow.providers.ssh.operators.ssh import SSHOperator\n",
    "winrm": "from airflow.providers.microsoft.winrm.operators.winrm import WinRMOperator\n",
}
#: By transport: the operator, and what it is told besides the command.
_OPERATORS = {
    "ssh": ("SSHOperator", {"cmd_timeout": "None"}),
    "winrm": ("WinRMOperator", {"ps_path": "'powershell'"}),
}
#: Operators read texts that end so from files.
_FILES_OF_TEMPLATES = (".sh", ".bash", ".csh", ".zsh", ".dash", ".ksh")
#: The most characters of an id in Airflow, with room for a number.
_LONGEST = 240
_LONGEST_HOST = 200  #: In an id of a connection.
_HTTP, _HTTPS = 5985, 5986


class Dag(Struct, frozen=True, kw_only=True):
    """What is exported."""

    name: str
    program: str  #: drumline, as the workers of Airflow find it.
    words: tuple[str, ...]  #: Playbooks and options of each run.
    directory: str
    schedule: str | None  #: As cron's five fields.
    units: Sequence[ExportUnit]
    plain: PlainCommands | None  #: None: drumline runs everything.


def airflow_files(dag: Dag) -> dict[str, str]:
    """The files by their names, the DAG first."""
    return dict(_DagFiles(dag).written())


class _DagFiles:
    def __init__(self, dag: Dag) -> None:
        self._dag = dag
        self._commands = [self._plain(unit) for unit in dag.units]
        self._ids = _ids(dag.units)
        self._connections = _Connections(one for command in self._commands if command for one in command.targets)
        self._pools: dict[str, dict[str, Any]] = {}

    def written(self) -> Iterator[tuple[str, str]]:
        name = self._dag.name
        tasks = [self._task(number, unit) for number, unit in enumerate(self._dag.units)]
        needs = [
            f"    [{', '.join(f't{need}' for need in unit.needs)}] >> t{number}\n"
            for number, unit in enumerate(self._dag.units)
            if unit.needs
        ]
        yield f"{name}.py", "".join([self._head(), *tasks, *needs, _TAIL])
        if self._pools:
            yield f"{name}.pools.json", json.dumps(self._pools, indent=2) + "\n"
        if self._connections.written:
            yield f"{name}.connections.json", json.dumps(self._connections.written, indent=2) + "\n"

    def _plain(self, unit: ExportUnit) -> PlainCommand | None:
        return self._dag.plain.of(unit.steps[0]) if self._dag.plain and len(unit.steps) == 1 else None

    def _head(self) -> str:
        dag = self._dag
        kinds = {command.transport if command else "" for command in self._commands}
        run = _text("exec " + shlex.join([dag.program, "run", *dag.words]))
        return _HEAD.format(
            imports="".join(text for kind, text in _IMPORTS.items() if kind in kinds),
            constants=f"\nRUN = {run}\nDIRECTORY = {dag.directory!r}\n" if "" in kinds else "",
            name=repr(dag.name),
            description=repr(shlex.join(["drumline", "run", *dag.words])),
            schedule=repr(dag.schedule),
        )

    def _task(self, number: int, unit: ExportUnit) -> str:
        command = self._commands[number]
        said = {"task_id": repr(self._ids[number]), "trigger_rule": repr(unit.rule.value)}
        if command is None:
            only = shlex.join(word for path in unit.paths for word in ("--only", str(path)))
            said |= {"bash_command": f"RUN + {' ' + only!r}", "cwd": "DIRECTORY"}
            return _call(f"t{number}", "BashOperator", said)
        if command.seconds is not None:
            said["execution_timeout"] = f"timedelta(seconds={command.seconds!r})"
        if unit.steps[0].task.throttle:
            said["pool"] = repr(self._pool(number, unit.steps[0].task.throttle))
        return _on_hosts(f"t{number}", command, [self._connections.id_of(one) for one in command.targets], said)

    def _pool(self, number: int, slots: int) -> str:
        name = f"{self._dag.name}.{self._ids[number]}"
        self._pools[name] = {"slots": slots, "description": "throttle of a task", "include_deferred": False}
        return name


def _on_hosts(name: str, command: PlainCommand, hosts: Sequence[str], said: Mapping[str, str]) -> str:
    """One task, of which Airflow makes one for each host, by its connection."""
    operator, more = _OPERATORS[command.transport]
    said = {**said, **more, "command": _text(command.line)}
    if len(hosts) == 1:
        return _call(name, operator, {**said, "ssh_conn_id": repr(hosts[0])})
    return _call(name, f"{operator}.partial", said, f".expand(ssh_conn_id={hosts!r})")


def _call(name: str, function: str, said: Mapping[str, str], after: str = "") -> str:
    lines = "".join(f"        {key}={value},\n" for key, value in said.items())
    return f"    {name} = {function}(\n{lines}    ){after}\n"


def _text(text: str) -> str:
    """A literal that Airflow takes as it is: neither as a template nor as the name of a file with one."""
    text = re.sub(r"\{(?=[{%#])", "{{ '{' }}", text)
    return repr(text + "{{ '' }}" if text.endswith(_FILES_OF_TEMPLATES) else text)


def _ids(units: Sequence[ExportUnit]) -> list[str]:
    """Ids of tasks: as in the playbook, and for several together that of the first."""
    found: dict[str, None] = {}
    for unit in units:
        more = f"_and_{len(unit.paths) - 1}_more" if len(unit.paths) > 1 else ""
        name = _only_letters(f"{unit.paths[0]}")[:_LONGEST] + more
        others = (f"{name}_{number}" for number in count(2))
        found[next(one for one in chain([name], others) if one not in found)] = None
    return list(found)


def _only_letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


# Connections.


class _Connections:
    """The connections by their ids. An id stays the same from one export to the next, as passwords are kept by it."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._of_hosts: dict[str, list[str]] = {}
        targets = tuple(targets)
        for target in targets:
            known = self._of_hosts.setdefault(target.host, [])
            if (said := json.dumps(_connection(target))) not in known:
                known.append(said)
        self.written = {self.id_of(target): _connection(target) for target in targets}

    def id_of(self, target: Target) -> str:
        """The host's name; with a number of its own where that has other letters, or is reached in several ways."""
        name = _only_letters(target.host)[:_LONGEST_HOST]
        ways = self._of_hosts[target.host]
        way = json.dumps(_connection(target)) if len(ways) > 1 else ""
        more = f"-{sha256(f'{target.host} {way}'.encode()).hexdigest()[:12]}" if way or name != target.host else ""
        return f"drumline_{name}{more}"


def _connection(target: Target) -> dict[str, Any]:
    """A connection as ``airflow connections import`` reads it. Passwords are left to Airflow's own secrets."""
    options = target.options
    found = {"conn_type": target.transport, "host": options["host"], "login": options["user"], "port": options["port"]}
    said = {key: value for key, value in found.items() if value is not None}
    return {**said, "extra": json.dumps(_EXTRAS[target.transport](options))}


def _extra_of_ssh(options: Mapping[str, Any]) -> dict[str, Any]:
    is_off = str(options["host_key_checking"]).lower() in ("off", "false", "no")
    extra = {"no_host_key_check": str(is_off).lower()}
    return extra | ({"key_file": options["private_key_file"]} if options["private_key_file"] else {})


def _extra_of_winrm(options: Mapping[str, Any]) -> dict[str, Any]:
    scheme = options["scheme"] or ("http" if options["port"] == _HTTP else "https")
    port = options["port"] or (_HTTP if scheme == "http" else _HTTPS)
    return {
        "endpoint": f"{scheme}://{options['host']}:{port}/{options['path']}",
        "transport": options["transport"],
        "server_cert_validation": options["cert_validation"],
    }


_EXTRAS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {"ssh": _extra_of_ssh, "winrm": _extra_of_winrm}
