"""``drumline doc``: what actions there are, and what each takes and does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.program import call
from support.sections import sections

import drumline_actions
from drumline.plugin import Action, Argument, Platform
from drumline.plugin.kit import section_of
from drumline.survey.describing import as_text


def test_all_of_an_action_is_shown(tmp_path: Path) -> None:
    said = call(tmp_path, "doc", "copy").out
    assert said.startswith("copy\n  ")
    assert "also:   ansible.builtin.copy, win_copy, ansible.windows.win_copy" in said
    assert "hosts:  POSIX and Windows" in said
    assert "in a check, what they would change is known" in said
    assert "dest: path on the host, required" in said
    assert "owner: text" in said
    assert "(POSIX hosts)" in said
    assert "- copy:" in said or "copy:" in said.partition("arguments:")[2]  # an example


def test_it_is_found_by_any_of_its_names_and_several_at_once(tmp_path: Path) -> None:
    said = call(tmp_path, "doc", "ansible.builtin.ping", "win_stat").out
    assert said.startswith("ping\n")
    assert "\n\nstat\n" in said


def test_programs_get_the_same(tmp_path: Path) -> None:
    [found] = json.loads(call(tmp_path, "doc", "file", "--format", "json").out)
    assert found["name"] == "file"
    state = next(one for one in found["arguments"] if one["name"] == "state")
    assert "absent" in state["choices"]
    assert found["page"]


@pytest.mark.parametrize("word", ["sysctl", "SYSCTL"])
def test_actions_are_searched_by_words(tmp_path: Path, word: str) -> None:
    lines = call(tmp_path, "doc", "--list", "--search", word).out.splitlines()
    assert [line.split()[0] for line in lines] == ["sysctl"]
    assert len(call(tmp_path, "doc", "--list").out.splitlines()) > 60


def test_an_action_that_is_not_there(tmp_path: Path) -> None:
    ended = call(tmp_path, "doc", "copyy")
    assert ended.status == 5
    assert "No plugin offers the action 'copyy'. Did you mean 'copy'?" in ended.err
    assert "--list" in call(tmp_path, "doc").err


def test_what_is_open_and_what_excludes_each_other() -> None:
    action = Action(
        name="it",
        perform=lambda _call: iter(()),  # type: ignore[arg-type, return-value]
        help="Does it",
        arguments=(Argument(name="a", choices=("x", "y"), default="x"), Argument(name="b", refused="not yet")),
        exclusive=(("a", "c"),),
        open_arguments=True,
        platforms=(Platform.WINDOWS,),
    )
    said = as_text(action, "")
    assert "a: x | y, default: x" in said
    assert "b:" not in said
    assert "at most one of: a, c" in said
    assert "any others, as they are" in said
    assert "hosts:  Windows" in said


def test_what_it_shows_is_what_the_pages_say() -> None:
    """Write it anew with ``python -m support.tables``."""
    made = sections()
    assert {path: path.read_text(encoding="utf-8") for path in made} == made
    assert "```yaml" in section_of(drumline_actions.__file__, "copy")
    assert "|---|" not in section_of(drumline_actions.__file__, "ping")
