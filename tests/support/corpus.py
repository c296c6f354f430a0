"""The corpus of inventories in ``tests/inventory/corpus``, and what Ansible says of them.

``=== NAME: SOURCES`` begins an inventory, ``--- PATH`` one of its files, with `` +x`` an executable one. Where there is
a file ``pw``, it has the vault password. ``python -m support.corpus``, in ``tests``, asks the ansible-inventory that is
beside the program named by DRUMLINE_ANSIBLE, and writes its answers anew.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "inventory" / "corpus"
ANSWERS = CORPUS / "answers.json"
_ASKS = CORPUS / "ask_ansible.py"


@dataclass(frozen=True, slots=True)
class Case:
    """One inventory: its sources, and its files by path."""

    name: str
    sources: tuple[str, ...]
    files: dict[str, str]

    def unpack(self, directory: Path) -> None:
        """Write its files into a directory."""
        directory.mkdir(exist_ok=True)
        for path, text in self.files.items():
            place = directory / path.removesuffix(" +x")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            if path.endswith(" +x"):
                place.chmod(0o755)


def cases() -> list[Case]:
    """All of them, in the order of the files."""
    found = []
    for path in sorted(CORPUS.glob("*.txt")):
        for text in re.split(r"(?m)^=== ", path.read_text(encoding="utf-8"))[1:]:
            head, _, body = text.partition("\n")
            name, _, sources = head.partition(": ")
            parts = re.split(r"(?m)^--- (.+)\n", body)
            words = tuple(word for word in shlex.split(sources) if word != "-i")
            found.append(Case(name, words, dict(zip(parts[1::2], parts[2::2], strict=True))))
    return found


def ask_ansible() -> dict[str, Any]:
    """Ansible's answers to all of them, from one process: its start takes longer than its answers."""
    program = Path(os.environ["DRUMLINE_ANSIBLE"])
    with tempfile.TemporaryDirectory() as directory:
        for case in cases():
            case.unpack(Path(directory) / case.name)
        questions = {case.name: case.sources for case in cases()}
        settings = Path(directory) / "ansible.cfg"  # an empty one, in the place of this user's
        settings.touch()
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(settings),
            "HOME": directory,
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
        }
        python = program.with_name("python")
        done = subprocess.run(
            [python, _ASKS, directory],
            input=json.dumps(questions),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def recorded() -> dict[str, Any]:
    """The answers that were written down."""
    answers: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return answers


if __name__ == "__main__":
    ANSWERS.write_text(json.dumps(ask_ansible(), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
