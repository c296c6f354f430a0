"""What runs on the public forge and before a commit is there, and covers what ``setup.cfg`` promises."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.documents import ROOT

#: Programs that every machine has on which these files are used.
_SYSTEM = {"git"}


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return content


JOBS: dict[str, dict[str, Any]] = _read(".github/workflows/ci.yml")["jobs"]
HOOKS = [hook for repo in _read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]


def _commands(job: dict[str, Any]) -> list[list[str]]:
    """The words of each line that a job runs."""
    return [shlex.split(line) for step in job["steps"] for line in step.get("run", "").splitlines()]


@pytest.mark.parametrize(
    "words",
    [*(words for job in JOBS.values() for words in _commands(job)), *(shlex.split(hook["entry"]) for hook in HOOKS)],
    ids=" ".join,
)
def test_every_command_is_there(words: list[str]) -> None:
    program = ROOT / words[0]
    assert words[0] in _SYSTEM or (program.is_file() and os.access(program, os.X_OK))


def test_every_change_is_tested_on_all_pythons_and_both_systems() -> None:
    testing = {name: job for name, job in JOBS.items() if [".ci/run"] in _commands(job)}
    setup = configparser.RawConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    promised = re.findall(r"Python :: (\d+\.\d+)$", setup.get("metadata", "classifiers"), re.MULTILINE)
    assert {name: job["strategy"]["matrix"]["python"] for name, job in testing.items()} == {
        "debian": promised,
        "ubuntu": promised,
    }
    assert testing["debian"]["container"] == "python:${{ matrix.python }}-bookworm"
    assert testing["ubuntu"]["steps"][1]["with"] == {"python-version": "${{ matrix.python }}"}


def test_the_wheel_is_tried() -> None:
    assert ["scripts/try-wheel"] in _commands(JOBS["wheel"])


def test_what_is_checked_before_a_commit_is_what_is_checked_after_it() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [hook["entry"] for hook in HOOKS if hook["entry"] in run] == ["scripts/lint"]


# changelog.d/

KINDS = [
    kind["directory"] for kind in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
]
FRAGMENTS = sorted(path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md")


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda path: path.name)
def test_a_change_is_named_and_written_as_towncrier_reads_it(fragment: Path) -> None:
    assert re.fullmatch(rf"(\+[a-z0-9-]+|\d+)\.({'|'.join(KINDS)})\.md", fragment.name)
    text = fragment.read_text(encoding="utf-8")
    assert text[0] not in "#-* "
    assert text.endswith(".\n")


def test_the_kinds_of_changes_are_explained() -> None:
    explained = (ROOT / "changelog.d" / "README.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in explained] == []


# decisions/

_DECISIONS = ROOT / "decisions"
RECORDS = sorted(path for path in _DECISIONS.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_says_what_why_and_at_what_price(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading != "Open"] == ["Decided", "Because", "The price"]
    title = text.partition("\n")[0].removeprefix("# ")
    assert f"- [{title}]({record.name})\n" in (_DECISIONS / "README.md").read_text(encoding="utf-8")


def test_decisions_are_numbered() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("page", [*RECORDS, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_what_a_page_names_by_its_path_is_there(page: Path) -> None:
    """Files and directories of this repository, in code marks."""
    named = re.findall(r"`((?:\.ci|runner|plugins|scripts|tests|benchmarks|requirements)/[\w./-]*)", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
