"""The playbook of ``cases.yml``, for ansible-playbook and drumline alike, and what it registers in comparable form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("cases.yml").read_text(encoding="utf-8"))
RECORDED = Path(__file__).with_name("ansible.json")

#: Numbers and texts that differ from run to run or from user to user.
_VARYING = frozenset(
    [
        "start",
        "end",
        "delta",
        "elapsed",
        "stop",
        "atime",
        "mtime",
        "ctime",
        "inode",
        "dev",
        "blocks",
        "block_size",
        "device_type",
        "uid",
        "gid",
        "owner",
        "group",
        "pw_name",
        "gr_name",
        "generation_id",
        "version",
        "nlink",
        "readable",
        "writeable",
        "executable",
        "backup_file",
        "size",
    ]
)


def write_playbook(directory: Path, host: str, only: str = "") -> Path:
    """Write it, with the files that it needs; results go to ``directory/out``, the host's files to ``directory/host``.

    ``only`` is part of the names of the cases that are meant.
    """
    (directory / "out").mkdir()
    (directory / "host").mkdir()
    tasks: list[dict[str, Any]] = []
    for number, case in _chosen(only):
        work = f"{directory}/host/{number}"
        (directory / "host" / str(number)).mkdir()
        for name, text in case.get("files", {}).items():
            path = directory / "files" / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        variables = {"w": work, "here": str(directory), **case.get("vars", {})}
        for task in case.get("before", []):
            tasks.append({**_with_files(task, number), "vars": variables})
        result = case["task"].get("register", "r")
        counting = {"register": result, **_with_files(case["task"], number), "vars": variables, "ignore_errors": True}
        kept = {"content": f"{{{{ {result} | to_json }}}}", "dest": f"{directory}/out/{number}.json"}
        tasks += [counting, {"copy": kept, "delegate_to": "localhost", "vars": {"ansible_connection": "local"}}]
    path = directory / "site.yml"
    path.write_text(yaml.safe_dump([{"hosts": host, "gather_facts": False, "tasks": tasks}], sort_keys=False))
    return path


def _chosen(only: str) -> list[tuple[int, dict[str, Any]]]:
    return [(number, case) for number, case in enumerate(CASES) if only in case["name"]]


def _with_files(task: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The task, its files named with the case's number."""
    found: dict[str, Any] = json.loads(json.dumps(task))
    for action, place in (("copy", f"{number}/"), ("template", f"files/{number}/")):
        source = found.get(action, {}).get("src", "")
        if source and not source.startswith(("/", "{{")):
            found[action]["src"] = place + source
    if "script" in found:
        found["script"] = f"files/{number}/{found['script']}"
    return found


def results(directory: Path, only: str = "") -> dict[str, Any]:
    """What each case has registered, without what varies."""
    return {
        case["name"]: _plain(json.loads((directory / "out" / f"{number}.json").read_text()), f"{directory}", number)
        for number, case in _chosen(only)
    }


def _plain(value: Any, directory: str, number: int, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _plain(item, directory, number, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, directory, number) for item in value]
    if key in _VARYING and not isinstance(value, bool):
        return f"<{type(value).__name__}>"
    if isinstance(value, str):
        value = (
            value.replace(f"{directory}/host/{number}", "W")
            .replace(f"{directory}/files/{number}", "F")
            .replace(directory, "HERE")
        )
        return re.sub(r"\S*ansible-tmp-[^/\s]*|\S*/\.ansible/tmp/[^/\s]*", "TEMPORARY", value)
    return value
