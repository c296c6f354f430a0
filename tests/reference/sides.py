"""What a playbook of ``cases`` does, whichever program runs it: how it ended, what it wrote, which variables it left.

A case is a file ``NAME.yml``, or a directory with a ``playbook.yml`` and what that needs. Its tasks write lines into
``{{ playbook_dir }}/{{ inventory_hostname }}.log``, which is how their order shows. Two comments say more:
``# options:`` holds further arguments for both programs, and ``# not compared:`` is followed by what differs on
purpose, as ``differences`` names it, and the reason in brackets.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOSTS = ("a", "b", "c")
#: The playbook that is run: the case, and a play that writes down what variables the hosts have in the end.
WHOLE = "whole.yml"
_WHOLE = """
- import_playbook: playbook.yml
- name: What is left
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - %s
      check_mode: false
      copy:
        dest: "{{ playbook_dir }}/variables.json"
        content: "{{ dict(groups.all | zip(groups.all | map('extract', hostvars))) | to_json }}"
"""
#: Variables that every host has, whatever was run.
_MAGIC = re.compile(r"ansible_.*|group_names|groups|inventory_.*|omit|playbook_dir|play_hosts|environment")
#: What of a result is a time, the name of a temporary file, or internal.
_PASSING = {"start", "end", "delta", "ansible_facts", "invocation", "exception", "atime", "ctime", "mtime", "inode"}
_PASSING |= {"warnings", "deprecations", "ansible_job_id", "results_file"}


def cases() -> list[str]:
    """The names of all cases."""
    return sorted(path.stem for path in (HERE / "cases").iterdir())


def prepare(name: str, directory: Path, *, ours: bool) -> list[str]:
    """Put the case into the directory; its own arguments for the command line, the playbook first.

    A host that the plays of the case don't have takes part in a later play, as with Ansible, only if that says so.
    """
    source = HERE / "cases" / name
    directory.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, directory, dirs_exist_ok=True)
    else:
        shutil.copy(source.with_suffix(".yml"), directory / "playbook.yml")
    (directory / WHOLE).write_text(_WHOLE % ("trigger_rule: all_done" if ours else "name: Write them down"))
    return [WHOLE, *shlex.split(" ".join(_comments(directory, "options")))]


def effects(directory: Path, status: int) -> dict[str, Any]:
    """What a run in the directory left, as it is recorded and compared."""
    return {"ended_well": status == 0, "written": _written(directory), "variables": _variables(directory)}


def differences(directory: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """What is otherwise than expected, which is what the reference left; keys beyond the reference's are allowed.

    ``ansible-playbook`` doesn't come to the last play where all hosts have failed.
    """
    wanted = {name: value for name, value in expected.items() if value is not None and name in found}
    on_purpose = tuple(text.split(" (")[0] for text in _comments(directory, "not compared"))
    return [text for text in _differ("", found, wanted) if not on_purpose or not text.startswith(on_purpose)]


def _comments(directory: Path, kind: str) -> list[str]:
    return re.findall(rf"^# {kind}: (.*)$", (directory / "playbook.yml").read_text(), re.MULTILINE)


def _written(directory: Path) -> dict[str, list[str]]:
    logs = {host: directory / f"{host}.log" for host in HOSTS}
    return {host: path.read_text().splitlines() if path.exists() else [] for host, path in logs.items()}


def _variables(directory: Path) -> dict[str, Any] | None:
    """By host; None where the run ended before they were written down. The directory's own name is left out."""
    path = directory / "variables.json"
    if not path.exists():
        return None
    of_hosts = json.loads(path.read_text().replace(str(directory), "DIRECTORY"))
    return {
        host: {name: _lasting(value) for name, value in of_hosts[host].items() if not _MAGIC.fullmatch(name)}
        for host in HOSTS
        if host in of_hosts
    }


def _lasting(value: Any) -> Any:
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if key not in _PASSING and not key.startswith("_ansible")}
    return {key: _lasting(item) for key, item in kept.items()}


def _differ(place: str, found: Any, expected: Any) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key, value in expected.items():
            if key in found:
                yield from _differ(f"{place}.{key}".lstrip("."), found[key], value)
            else:
                yield f"{place}.{key}: missing, expected {value!r}"
    elif _is_row(found) and _is_row(expected) and len(found) == len(expected):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _differ(f"{place}[{number}]", one, other)
    elif found != expected:
        yield f"{place}: {found!r}, expected {expected!r}"


def _is_row(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
