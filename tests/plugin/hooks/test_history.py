"""``drumline_history``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.program import call

#: Shows the runs of another directory beside one's own, under numbers of their own.
SHARED = """
from pathlib import Path

from msgspec.structs import replace

from drumline.plugin import hookimpl


class Both:
    def __init__(self, own, others):
        self.own, self.others = own, others

    def __getattr__(self, name):
        return getattr(self.own, name)

    def runs(self):
        return [*(replace(run, number=run.number + 1000) for run in self.others.runs()), *self.own.runs()]

    def close(self):
        self.own.close()
        self.others.close()
        Path("closed").write_text("")


@hookimpl(wrapper=True)
def drumline_history(state):
    own = yield
    assert state.name == "state"
    from drumline.built_in import drumline_history
    return Both(own, drumline_history(Path("theirs")))
"""
EMPTY = """
from drumline.plugin import hookimpl

class Empty:
    title, damage = "an empty shelf", {}

    def runs(self):
        return []

    def find(self, name):
        raise LookupError(name)

    def close(self):
        pass

@hookimpl
def drumline_history():
    return Empty()
"""
SILENT = """
from drumline.plugin import hookimpl

@hookimpl
def drumline_history():
    return None
"""
FAILING = """
from drumline.plugin import hookimpl

@hookimpl
def drumline_history():
    raise LookupError("no archive")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for state in ("theirs", "state", "state"):
        assert call(tmp_path, "exec", "all", "-i", "localhost,", "--state", state, "true").status == 0
    (tmp_path / "plugins").mkdir()
    return tmp_path


def numbers(project: Path) -> list[int]:
    ended = call(project, "runs", "list", "--format", "json")
    assert (ended.status, ended.err) == (0, "")
    return [run["number"] for run in json.loads(ended.out)]


def test_without_a_plugin_and_with_one_that_has_none_it_is_the_journal(project: Path) -> None:
    assert numbers(project) == [2, 1]
    (project / "plugins" / "silent.py").write_text(SILENT)
    assert numbers(project) == [2, 1]


def test_a_wrapper_may_show_more_and_is_closed(project: Path) -> None:
    (project / "plugins" / "shared.py").write_text(SHARED)
    assert numbers(project) == [1001, 2, 1]
    assert (project / "closed").exists()
    assert "run 2" in call(project, "runs", "show", "2").out
    assert "run 1" in call(project, "runs", "replay", "1").out


def test_a_plugin_may_give_another_history_and_is_named_where_it_fits_nothing(project: Path) -> None:
    (project / "plugins" / "empty.py").write_text(EMPTY)
    assert numbers(project) == []
    ended = call(project, "runs", "show")
    assert ended.status == 5
    assert "The records of it in an empty shelf contradict each other (LookupError: None)" in ended.err


def test_the_plugin_that_fails_is_named(project: Path) -> None:
    (project / "plugins" / "failing.py").write_text(FAILING)
    ended = call(project, "runs", "list")
    assert ended.status == 1
    told = "Plugin 'failing' (plugins/failing.py): hook drumline_history failed: LookupError: no archive"
    assert told in ended.err
