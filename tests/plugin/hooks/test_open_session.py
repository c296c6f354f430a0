"""``drumline_open_session``."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from support.plugged import run_with

from drumline.plugin import (
    Connection,
    ConnectionLost,
    Emit,
    Exit,
    Run,
    Session,
    Target,
    hookimpl,
)
from drumline.plugin.runs import RunView

TASKS = "- {id: one, command: echo 1}\n- {id: two, command: echo 2}"


class Recording:
    """A session that notes what it is sent."""

    def __init__(self, session: Session, notes: list[str]) -> None:
        self.session = session
        self.notes = notes

    def run(self, request: Run, emit: Emit) -> Exit:
        self.notes.append(request.text)
        return self.session.run(request, emit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


class Recorder:
    def __init__(self) -> None:
        self.opened: list[str] = []
        self.notes: list[str] = []

    @hookimpl(wrapper=True)
    def drumline_open_session(self, run: RunView, target: Target) -> Generator[None, Session, Recording]:
        self.opened.append(f"{run.number} {target.host}")
        session = yield
        return Recording(session, self.notes)


class Own:
    """Opens sessions of one host itself."""

    @hookimpl
    def drumline_open_session(self, target: Target, connection: Connection) -> Session | None:
        return Recording(connection.open_session(), []) if target.host == "a" else None


class Refusing:
    @hookimpl
    def drumline_open_session(self, target: Target) -> None:
        raise ConnectionLost("Unplugged", "Somebody tests what happens.")


class Broken:
    @hookimpl
    def drumline_open_session(self) -> None:
        raise LookupError("no recorder")


class Losing:
    @hookimpl(wrapper=True)
    def drumline_open_session(self) -> Generator[None, Session, None]:
        yield


def test_a_wrapper_may_give_a_session_that_records(tmp_path: Path) -> None:
    recorder = Recorder()
    assert run_with(tmp_path, TASKS, recorder, Own(), hosts="a").exit_status == 0
    assert recorder.opened == ["1 a"]
    assert [text.split()[-1] for text in recorder.notes] == ["1", "2"]


def test_what_a_plugin_leaves_is_opened_by_the_transport(tmp_path: Path) -> None:
    ran = run_with(tmp_path, TASKS, Own())
    assert [ran.status("two", host) for host in "ab"] == ["changed", "changed"]


def test_an_error_of_the_host_makes_it_unreachable(tmp_path: Path) -> None:
    ran = run_with(tmp_path, TASKS, Refusing(), hosts="a")
    assert ran.status("one") == "unreachable"
    assert "Unplugged" in ran.result("one")["msg"]


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Broken(), "Plugin 'p1' (given): hook drumline_open_session failed: LookupError: no recorder"),
        (Losing(), "A wrapper of hook drumline_open_session gave no session."),
    ],
    ids=["raises", "gives none"],
)
def test_any_other_fault_fails_the_job_and_names_the_plugin(tmp_path: Path, plugin: object, told: str) -> None:
    ran = run_with(tmp_path, TASKS, plugin, hosts="a")
    assert ran.exit_status == 2
    assert ran.result("one")["msg"] == f"A plugin has failed. {told}"
