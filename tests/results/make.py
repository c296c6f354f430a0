"""Writes ``ansible.json``: what ansible-core registers for ``cases.yml``.

``python -m results.make ANSIBLE_PLAYBOOK [TEXT]``: with a text only the cases whose names hold it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from results.playbook import RECORDED, results, write_playbook


def main(program: str, only: str = "") -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        playbook = write_playbook(directory, "there", only)
        inventory = "there ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"
        (directory / "hosts").write_text(inventory)
        environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [program, "-i", str(directory / "hosts"), str(playbook)],
            cwd=directory,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(done.stdout[-3000:] + done.stderr)
        found = results(directory, only)
    if only:
        found = json.loads(RECORDED.read_text(encoding="utf-8")) | found
    RECORDED.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
