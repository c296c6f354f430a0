"""Actions that break their contract: the job fails, and its message names the action, the place and who is at fault."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from support.running import run_tasks

FAULT = ". This is a fault in the plugin, not in the playbook."


def fails_with(directory: Path, body: str) -> str:
    """The message of a job whose action has this body."""
    head = """\
        from drumline.plugin import Action, Language, Result, Run, hookimpl

        @hookimpl
        def drumline_actions():
            return [Action(name="odd", perform=perform, help="Does what it must not.")]

        def perform(call):
        """
    (directory / "plugins").mkdir()
    (directory / "plugins" / "odd.py").write_text(dedent(head) + body)
    ran = run_tasks(directory, "- {id: one, odd: {}}")
    assert ran.status("one") == "failed"
    assert ran.exit_status == 2
    return str(ran.result("one")["msg"])


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("thing", "called"),
    [("'hostname'", "a value of type 'str'"), ("None", "None"), ("perform", "a value of type 'function'")],
)
def test_what_is_no_request_is_named(tmp_path: Path, thing: str, called: str) -> None:
    body = f"    yield Run(language=Language.SH, text='true')\n    yield {thing}\n    return Result()\n"
    assert fails_with(tmp_path, body) == f"Action 'odd' yielded {called}, which is no request (odd.py:9){FAULT}"


def test_what_is_no_request_is_not_shown_since_it_may_hold_secrets(tmp_path: Path) -> None:
    assert "hunter2" not in fails_with(tmp_path, "    yield 'echo hunter2'\n")


def test_an_action_may_not_hide_the_fault(tmp_path: Path) -> None:
    body = "    try:\n        yield 1\n    except BaseException:\n        return Result()\n"
    assert "which is no request" in fails_with(tmp_path, body)


def test_what_is_no_result_is_named(tmp_path: Path) -> None:
    body = "    yield Run(language=Language.SH, text='true')\n"
    assert fails_with(tmp_path, body) == f"Action 'odd' returned None, which is no Result (odd.py:7){FAULT}"


def test_an_action_that_yields_nothing_is_named(tmp_path: Path) -> None:
    given = "gave a value of type 'Result' instead of yielding requests"
    assert fails_with(tmp_path, "    return Result()\n") == f"Action 'odd' {given} (odd.py:7){FAULT}"
