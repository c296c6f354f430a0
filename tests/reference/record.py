"""Records what ansible-playbook does with the cases, all of them or those that are named.

In ``tests``: ``python -m reference.record ANSIBLE_PLAYBOOK [NAME…]``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from reference.sides import HERE, HOSTS, cases, effects, prepare

EXPECTED = HERE / "expected"
#: On this machine, without connections.
LOCALLY = ("-i", ",".join((*HOSTS, "")), "-e", "ansible_connection=local")


def record(program: str, name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        options = [*prepare(name, directory, ours=False), *LOCALLY]
        options += ["-e", f"ansible_python_interpreter={sys.executable}"]
        ended = subprocess.run([program, *options], cwd=directory, capture_output=True, check=False)
        return effects(directory, ended.returncode)


def version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


if __name__ == "__main__":
    for name in sys.argv[2:] or cases():
        found = {"recorded of": version(sys.argv[1]), **record(sys.argv[1], name)}
        (EXPECTED / f"{name}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
