"""Records what ansible-playbook does with the playbooks in ``cases``: ``python record.py ANSIBLE_PLAYBOOK``.

Of each: whether all went well, and the lines that the tasks wrote on each host, in order.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.json"
HOSTS = ("a", "b", "c")
OPTIONS = ("-i", ",".join((*HOSTS, "")), "-e", "ansible_connection=local")


def written(directory: Path) -> dict[str, list[str]]:
    """What the tasks of a playbook wrote, by host."""
    logs = {host: directory / f"{host}.log" for host in HOSTS}
    return {host: path.read_text().splitlines() if path.exists() else [] for host, path in logs.items()}


def record(program: str, case: Path) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copy(case, directory)
        python = f"ansible_python_interpreter={sys.executable}"
        ended = subprocess.run([program, case.name, *OPTIONS, "-e", python], cwd=directory, capture_output=True)
        return {"ended_well": ended.returncode == 0, "written": written(directory)}


def version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


if __name__ == "__main__":
    cases = sorted((HERE / "cases").glob("*.yml"))
    found = {"recorded of": version(sys.argv[1]), **{case.stem: record(sys.argv[1], case) for case in cases}}
    EXPECTED.write_text(json.dumps(found, indent=1) + "\n")
