"""Inventory from a program that prints JSON, as Ansible's inventory scripts do.

``PROGRAM --list`` prints an object: group names to ``{"hosts": […], "vars": {…}, "children": […]}`` or to a list of
hosts, and ``_meta`` with ``hostvars``, the variables of each host. Without ``_meta`` the program is asked for every
host with ``PROGRAM --host NAME``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from drumline.plugin import Argument, InventorySource, SourceCall, SourceData, SourceUnavailable, did_you_mean

#: Programs that are asked for a host at the same time.
_AT_ONCE = 8
#: Seconds to wait for the last words of a program that was killed.
_GRACE = 5
#: Lines of a program's stderr, and characters of its output, that an error shows.
_SHOWN_LINES = 20
_SHOWN_CHARACTERS = 200
_KEYS = ("hosts", "vars", "children")


def _read(call: SourceCall) -> SourceData:
    """Run the program, and check what it prints."""
    program = str(Path(call.source).parent / call["path"]) if call.plugin else call.source
    if not os.access(program, os.X_OK):
        call.refuse("An inventory program isn't executable", f"Do: chmod +x {program}", "path")
    given = call.options.get("args") or []
    asking = _Program([os.path.abspath(program), *map(str, given)], " ".join([program, *map(str, given)]), call)
    groups = asking.ask("--list")
    return data_of(program, groups, asking.variables_of)


def data_of(
    source: str, groups: dict[str, Any], variables_of: Callable[[list[str]], dict[str, Mapping[str, Any]]]
) -> SourceData:
    """What is printed as hosts and groups; ``variables_of`` asks for those of hosts that ``_meta`` lacks.

    Raises ``SourceUnavailable``.
    """
    meta = groups.pop("_meta", None)
    mistakes = [sentence for name, group in _normal(groups) for sentence in _mistakes(name, group)]
    if mistakes:
        raise SourceUnavailable("\n".join([source, *mistakes]))
    members = {name: group["hosts"] for name, group in _normal(groups) if "hosts" in group}
    hosts = list(dict.fromkeys(host for names in members.values() for host in names))
    return SourceData(
        groups={name: group.get("vars") or {} for name, group in _normal(groups)},
        members=members,
        children={name: group["children"] for name, group in _normal(groups) if "children" in group},
        hosts=variables_of(hosts) if meta is None else _in_meta(source, hosts, meta),
    )


def _in_meta(source: str, hosts: list[str], meta: object) -> dict[str, Mapping[str, Any]]:
    known = meta.get("hostvars", {}) if isinstance(meta, dict) else None
    if not isinstance(known, dict):
        raise SourceUnavailable(f"{source}\n_meta has to be an object with an object 'hostvars'.")
    for host, variables in known.items():
        if not isinstance(variables, dict):
            raise SourceUnavailable(f"{source}\nThe variables of host '{host}' have to be an object.")
    return {host: known.get(host, {}) for host in hosts}


class _Program:
    """Calls one program, and ends it where the reading is ended."""

    def __init__(self, command: list[str], said: str, call: SourceCall) -> None:
        self._command = command
        self._said = said
        self._call = call

    def variables_of(self, hosts: list[str]) -> dict[str, Mapping[str, Any]]:
        """Those of all hosts, asked one by one."""
        from concurrent.futures import ThreadPoolExecutor  # it brings logging

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = pool.map(lambda host: self.ask("--host", host, empty_is_none=True), hosts)
            return dict(zip(hosts, answers, strict=True))

    def ask(self, *arguments: str, empty_is_none: bool = False) -> dict[str, Any]:
        """The JSON object that the program prints."""
        call = " ".join([self._said, *arguments])
        output = run(call, [*self._command, *arguments], self._call)
        if empty_is_none and not output.strip():
            return {}
        return json_object(call, output)


def json_object(call: str, output: bytes) -> dict[str, Any]:
    """The JSON object that a program printed. Raises ``SourceUnavailable``."""
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError) as error:
        shown = output[:_SHOWN_CHARACTERS].decode(errors="replace")
        raise _failure(call, f"Its output isn't JSON: {error}. It begins: {shown!r}") from None
    if not isinstance(answer, dict):
        raise _failure(call, "It has to print a JSON object.")
    return answer


def run(said: str, command: list[str], call: SourceCall, environment: Mapping[str, str] | None = None) -> bytes:
    """What a program prints; ``said`` is what messages call it. Raises ``SourceUnavailable``."""
    try:
        # A group of its own, so that its children end with it when its time is up.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=None if environment is None else {**os.environ, **environment},
        )
    except OSError as error:
        raise _failure(said, f"It can't be started: {error.strerror}.") from None
    with process:
        call.undo.append(lambda: _kill(process))
        try:
            output, errors = process.communicate(timeout=call.timeout)
        except subprocess.TimeoutExpired:
            errors = _end(process)
            raise _failure(said, f"It took longer than {call.timeout:g} s and was ended.", errors) from None
    if process.returncode:
        raise _failure(said, _ending(process.returncode), errors)
    return output


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> bytes:
    """Kill the program and its children; what it said on stderr."""
    _kill(process)
    try:
        return process.communicate(timeout=_GRACE)[1]
    except subprocess.TimeoutExpired:  # a child that left the group holds the pipe open
        return b""


def _ending(code: int) -> str:
    if code < 0:
        return f"It was ended by signal {-code}."
    return f"It ended with exit status {code}."


def _normal(groups: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The groups, those that are a list of hosts written out."""
    return ((name, {"hosts": group} if isinstance(group, list) else group) for name, group in groups.items())


def _mistakes(name: str, group: Any) -> Iterable[str]:
    if not isinstance(group, dict):
        yield f"Group '{name}' has to be an object or a list of hosts."
        return
    for key in group:
        if key not in _KEYS:
            yield f"Group '{name}' has 'hosts', 'vars' and 'children', not '{key}'.{did_you_mean(key, _KEYS)}"
    for key in ("hosts", "children"):
        names = group.get(key, [])
        if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
            yield f"'{key}' of group '{name}' has to be a list of names."
    if not isinstance(group.get("vars") or {}, dict):
        yield f"'vars' of group '{name}' has to be an object."


def _failure(call: str, reason: str, errors: bytes = b"") -> SourceUnavailable:
    lines = errors.decode(errors="replace").splitlines()[-_SHOWN_LINES:]
    said = ["It said:", *(f"  {line}" for line in lines)] if lines else []
    return SourceUnavailable("\n".join([call, reason, *said]))


SOURCE = InventorySource(
    name="script",
    read=_read,
    waits=True,
    options=(
        Argument(name="path", required=True, help="The program, relative to the directory of the file that names it."),
        Argument(name="args", type=list, help="Arguments before `--list`."),
    ),
)
