"""Playbooks given as text, with the bundled actions."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.makers import Actions, MakeTask, Mistake, Mistakes, MistakesOf, ReadPlaybook, place

from drumline.diagnostics import Diagnostic
from drumline.errors import FilesError
from drumline.loading.playbook import load_playbooks
from drumline.model.playbook import Playbook, Task
from drumline.plugin.manager import load_plugins


@pytest.fixture(scope="session")
def actions() -> Actions:
    return load_plugins().actions


@pytest.fixture(scope="session")
def mistakes_of() -> MistakesOf:
    """What a step finds wrong with files; nothing where it goes well."""

    def find(step: Callable[[], object]) -> Sequence[Diagnostic]:
        try:
            step()
        except FilesError as error:
            return error.diagnostics
        return ()

    return find


@pytest.fixture
def read_playbook(tmp_path: Path, actions: Actions) -> ReadPlaybook:
    """The playbook that these texts make, each a file of its own: ``0.yml``, ``1.yml``, …"""

    def read(*texts: str) -> Playbook:
        paths = [tmp_path / f"{number}.yml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return load_playbooks(paths, actions)

    return read


@pytest.fixture
def read_task(read_playbook: ReadPlaybook) -> MakeTask:
    """The one task that these lines make."""

    def read(text: str, play: str = "") -> Task:
        lines = "".join(f"      {line}\n" for line in text.strip().splitlines())
        return read_playbook(f"- hosts: app\n{play}  tasks:\n    -\n{lines}").plays[0].tasks[0]

    return read


@pytest.fixture
def mistakes(read_playbook: ReadPlaybook) -> Mistakes:
    """What is wrong with these files: a list of ``(line:column, summary and detail)``."""

    def find(*texts: str) -> list[tuple[str, str]]:
        with pytest.raises(FilesError) as error:
            read_playbook(*texts)
        found = error.value.diagnostics
        return [(place(d), f"{d.summary}. {d.detail}") for d in found]

    return find


@pytest.fixture
def mistake(mistakes: Mistakes) -> Mistake:
    """The only thing that is wrong with a task of these lines; it begins in line 4, column 7, below lines of a play."""

    def find(text: str, play: str = "") -> tuple[str, str]:
        lines = "".join(f"      {line}\n" for line in text.strip().splitlines())
        [found] = mistakes(f"- hosts: app\n{play}  tasks:\n    -\n{lines}")
        return found

    return find
