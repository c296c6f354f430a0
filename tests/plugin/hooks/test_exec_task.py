"""``drumline_exec_task``."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.program import call

from drumline.plugin import hookimpl
from drumline.plugin.manager import load_plugins

PLUGIN = """
from drumline.plugin import Action, Argument, Result, hookimpl

def perform(call):
    return Result(message=f"{call['words']} by {call['by']}", changed=True)
    yield

@hookimpl
def drumline_actions():
    arguments = (Argument(name="words", type=list), Argument(name="by"))
    return [Action(name="tell", perform=perform, help="Tells.", arguments=arguments)]

@hookimpl(tryfirst=True)
def drumline_exec_task(words, executable, clock):
    if clock:
        return None
    if words and words[0] == "wrong":
        return "nonsense", {}
    return "tell", {"words": list(words), "by": executable} if words else {}
"""


def project(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "tell.py").write_text(PLUGIN)
    (tmp_path / "inventory").write_text("here ansible_connection=local\n")
    return tmp_path


class First:
    @hookimpl(tryfirst=True)
    def drumline_exec_task(self, words: tuple[str, ...], executable: str | None, clock: bool) -> object:
        return ("mine", {"line": words[0]}) if words else None


@pytest.mark.parametrize(
    ("words", "executable", "clock", "meant"),
    [
        (("df -h",), "bash", False, ("shell", {"cmd": "df -h", "executable": "bash"})),
        (("df", "-h"), None, False, ("command", {"argv": ["df", "-h"]})),
        ((), None, True, ("clock", {})),
        ((), None, False, ("command", {})),
    ],
)
def test_the_bundled_answers(words: object, executable: object, clock: bool, meant: object) -> None:
    given = {"words": words, "executable": executable, "clock": clock}
    assert load_plugins().hooks.ask("drumline_exec_task", **given) == meant
    first = load_plugins(extra=[("first", First())]).hooks
    assert (first.ask("drumline_exec_task", **given) == meant) is not bool(words)


def test_the_first_answer_is_run_with_its_templates_rendered(tmp_path: Path) -> None:
    words = ("hello", "{{ inventory_hostname }}")
    ended = call(project(tmp_path), "exec", "all", "-v", "--executable", "hand", "--", *words)
    assert ended.status == 0, ended
    assert "['hello', 'here'] by hand" in ended.out


def test_without_words_it_is_what_arguments_are_for(tmp_path: Path) -> None:
    assert "['a', 'b'] by None" in call(project(tmp_path), "exec", "all", "-v", "-a", "words=a,b").out


def test_none_leaves_it_to_the_next(tmp_path: Path) -> None:
    ended = call(project(tmp_path), "exec", "all", "--clock")
    assert (ended.status, "clock" in ended.out) == (0, True)


def test_an_action_that_is_not_there_is_the_plugins_fault(tmp_path: Path) -> None:
    ended = call(project(tmp_path), "exec", "all", "wrong")
    assert ended.status != 0
    assert "A plugin has failed" in ended.err
    assert "'nonsense' runs commands (drumline_exec_task)" in ended.err
