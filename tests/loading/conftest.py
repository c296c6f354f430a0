"""Playbooks given as text, with the bundled actions."""

from pathlib import Path

import pytest

from drumline.errors import FilesError
from drumline.loading.playbook import load_playbooks
from drumline.plugin.manager import load_plugins


@pytest.fixture(scope="session")
def actions():
    return load_plugins().actions


@pytest.fixture(scope="session")
def mistakes_of():
    """What a step finds wrong with files; nothing where it goes well."""

    def find(step):
        try:
            step()
        except FilesError as error:
            return error.diagnostics
        return ()

    return find


@pytest.fixture
def read_playbook(tmp_path: Path, actions):
    """The playbook that these texts make, each a file of its own: ``0.yml``, ``1.yml``, …"""

    def read(*texts):
        paths = [tmp_path / f"{number}.yml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return load_playbooks(paths, actions)

    return read


@pytest.fixture
def read_task(read_playbook):
    """The one task that these lines make."""

    def read(text, play: str = ""):
        lines = "".join(f"      {line}\n" for line in text.strip().splitlines())
        return read_playbook(f"- hosts: app\n{play}  tasks:\n    -\n{lines}").plays[0].tasks[0]

    return read


@pytest.fixture
def mistakes(read_playbook):
    """What is wrong with these files: a list of ``(line:column, summary and detail)``."""

    def find(*texts):
        with pytest.raises(FilesError) as error:
            read_playbook(*texts)
        found = error.value.diagnostics
        assert all(diagnostic.position for diagnostic in found)
        return [(f"{d.position.line}:{d.position.column}", f"{d.summary}. {d.detail}") for d in found]

    return find


@pytest.fixture
def mistake(mistakes):
    """The only thing that is wrong with a task of these lines; it begins in line 4, column 7, below lines of a play."""

    def find(text, play: str = ""):
        lines = "".join(f"      {line}\n" for line in text.strip().splitlines())
        [found] = mistakes(f"- hosts: app\n{play}  tasks:\n    -\n{lines}")
        return found

    return find
