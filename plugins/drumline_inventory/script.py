"""Inventory from a program that prints JSON, as Ansible's inventory scripts do.

``PROGRAM --list`` prints an object: group names to ``{"hosts": […], "vars": {…}, "children": […]}`` or to a list of
hosts, and ``_meta`` with ``hostvars``, the variables of each host. Without ``_meta`` the program is asked for every
host with ``PROGRAM --host NAME``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from drumline.plugin import Diagnostic, FilesError, SourceData, did_you_mean

#: Programs that are asked for a host at the same time.
_AT_ONCE = 8
#: Seconds to wait for the last words of a program that was killed.
_GRACE = 5
#: Lines of a program's stderr, and characters of its output, that an error shows.
_SHOWN_LINES = 20
_SHOWN_CHARACTERS = 200
_KEYS = ("hosts", "vars", "children")


class ScriptSource(Struct, frozen=True, kw_only=True):
    """An executable file, or one that begins with ``#!``."""

    name: str = "script"
    timeout: float = 300.0  #: Seconds that one call may take.

    def claims(self, source: str) -> bool:
        """Executable text without ``#!`` isn't claimed: on some file systems every file is executable."""
        path = Path(source)
        try:
            if not path.is_file():
                return False
            with path.open("rb") as file:
                head = file.read(1024)
        except (OSError, ValueError):
            return False
        return head.startswith(b"#!") or (b"\0" in head and os.access(path, os.X_OK))

    def read(self, source: str) -> SourceData:
        """Run it, and check what it says. Raises ``FilesError``."""
        if not os.access(source, os.X_OK):
            raise _failure(source, f"It begins with '#!', but isn't executable. Do: chmod +x {source}")
        groups = self._ask(source, "--list")
        meta = groups.pop("_meta", None)
        _check_groups(source, groups)
        members = {name: group["hosts"] for name, group in _normal(groups) if "hosts" in group}
        hosts = list(dict.fromkeys(host for names in members.values() for host in names))
        return SourceData(
            groups={name: group.get("vars") or {} for name, group in _normal(groups)},
            members=members,
            children={name: group["children"] for name, group in _normal(groups) if "children" in group},
            hosts=self._variables(source, hosts, meta),
        )

    def _variables(self, source: str, hosts: list[str], meta: object) -> dict[str, Mapping[str, Any]]:
        if meta is None:
            from concurrent.futures import ThreadPoolExecutor  # it brings logging

            with ThreadPoolExecutor(_AT_ONCE) as pool:
                answers = pool.map(lambda host: self._ask(source, "--host", host, empty_is_none=True), hosts)
                return dict(zip(hosts, answers, strict=True))
        known = meta.get("hostvars", {}) if isinstance(meta, dict) else None
        if not isinstance(known, dict):
            raise _failure(source, "_meta has to be an object with an object 'hostvars'.")
        for host, variables in known.items():
            if not isinstance(variables, dict):
                raise _failure(source, f"The variables of host '{host}' have to be an object.")
        return {host: known.get(host, {}) for host in hosts}

    def _ask(self, source: str, *arguments: str, empty_is_none: bool = False) -> dict[str, Any]:
        """The JSON object that the program prints."""
        call = " ".join([source, *arguments])
        import json  # most inventories are files

        output = self._run(call, [os.path.abspath(source), *arguments])
        if empty_is_none and not output.strip():
            return {}
        try:
            answer = json.loads(output)
        except (ValueError, RecursionError) as error:
            shown = output[:_SHOWN_CHARACTERS].decode(errors="replace")
            raise _failure(call, f"Its output isn't JSON: {error}. It begins: {shown!r}") from None
        if not isinstance(answer, dict):
            raise _failure(call, "It has to print a JSON object.")
        return answer

    def _run(self, call: str, command: list[str]) -> bytes:
        try:
            # A group of its own, so that its children end with it when its time is up.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise _failure(call, f"It can't be started: {error.strerror}.") from None
        with process:
            try:
                output, errors = process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired:
                errors = _end(process)
                raise _failure(call, f"It took longer than {self.timeout:g} s and was ended.", errors) from None
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise _failure(call, _ending(process.returncode), errors)
        return output


def _end(process: subprocess.Popen[bytes]) -> bytes:
    """Kill the program and its children; what it said on stderr."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
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


def _check_groups(source: str, groups: Mapping[str, Any]) -> None:
    mistakes = [sentence for name, group in _normal(groups) for sentence in _mistakes(name, group)]
    if mistakes:
        raise _failure(source, "\n".join(mistakes))


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


def _failure(call: str, reason: str, errors: bytes = b"") -> FilesError:
    lines = errors.decode(errors="replace").splitlines()[-_SHOWN_LINES:]
    said = ["It said:", *(f"  {line}" for line in lines)] if lines else []
    return FilesError([Diagnostic(summary="An inventory program failed", detail="\n".join([call, reason, *said]))])
