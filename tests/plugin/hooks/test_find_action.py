"""``drumline_find_action``: actions of names that no one offers, and in the place of those that are offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.plugged import run_with

from drumline.built_in import all_plugins
from drumline.errors import FilesError
from drumline.loading.playbook import load_playbooks
from drumline.plugin import Action, ActionPlaces, Call, Result, Steps, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import Actions, Registry


def perform(_call: Call) -> Steps:
    yield from ()
    return Result(changed=True, message="found")


class Finder:
    """Finds actions of names that begin with ``our_``, else says why there is none; it remembers what it was asked."""

    def __init__(self, takes: str = "") -> None:
        self.asked: list[tuple[str, bool, ActionPlaces]] = []
        self._takes = takes

    @hookimpl
    def drumline_find_action(
        self, name: str, offered: bool, places: ActionPlaces, settings: dict[str, Any]
    ) -> Action | str | None:
        assert settings["trace.file"] is None
        self.asked.append((name, offered, places))
        if name.startswith("our_") or name == self._takes:
            return Action(name=name, perform=perform, help="one of ours", open_arguments=True)
        return None if offered else f"We have looked for {name}."


def registry(*plugins: object) -> Registry:
    return load_plugins(extra=[(f"p{number}", plugin) for number, plugin in enumerate(plugins, 1)])


def test_an_action_that_no_one_offers_is_found() -> None:
    found = registry(Finder())
    assert found.actions["our_own"].help == "one of ours"
    assert "our_own" in found.actions
    assert "our_own" not in list(found.actions)


def test_it_may_take_the_place_of_one_that_is_offered() -> None:
    assert registry(Finder(takes="debug")).actions["debug"].help == "one of ours"
    assert registry(Finder()).actions["debug"].help != "one of ours"


def test_each_name_is_asked_for_once_until_there_are_more_places() -> None:
    finder = Finder()
    actions = registry(finder).actions
    for _ in range(3):
        assert "nothing_such" not in actions
        assert "our_own" in actions
    assert [name for name, _, _ in finder.asked] == ["nothing_such", "our_own"]
    assert isinstance(actions, Actions)
    actions.look_in(ActionPlaces(directories=(Path("/somewhere"),)))
    assert "nothing_such" not in actions
    assert "our_own" in actions
    assert [name for name, _, _ in finder.asked][2:] == ["nothing_such"]
    assert finder.asked[-1][2].directories == (Path("/somewhere"),)


def test_the_first_plugin_that_has_one_gives_it() -> None:
    class Nothing:
        @hookimpl
        def drumline_find_action(self) -> None:
            return None

    assert "our_own" in registry(Nothing(), Finder()).actions
    assert registry(Nothing()).actions.get("our_own") is None


def test_why_there_is_none_is_told_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks:\n    - no_such_thing: {}\n")
    with pytest.raises(FilesError) as raised:
        load_playbooks([tmp_path / "site.yml"], registry(Finder()).actions)
    [mistake] = raised.value.diagnostics
    assert "We have looked for no_such_thing." in mistake.detail
    assert mistake.position
    assert mistake.position.line == 3


def test_places_are_those_of_playbooks_and_roles(tmp_path: Path) -> None:
    finder = Finder()
    (tmp_path / "roles" / "r" / "tasks").mkdir(parents=True)
    (tmp_path / "roles" / "r" / "tasks" / "main.yml").write_text("- our_one: {}\n")
    (tmp_path / "site.yml").write_text("- hosts: all\n  collections: [a.b]\n  roles: [r]\n")
    load_playbooks([tmp_path / "site.yml"], registry(finder).actions)
    [places] = [places for name, _, places in finder.asked if name == "our_one"]
    assert places.directories == (tmp_path, tmp_path / "roles" / "r")
    assert places.collections == ("a.b",)


def test_nothing_is_looked_for_without_such_a_plugin() -> None:
    assert all_plugins().actions.get("no_such_thing") is None


def test_it_is_performed(tmp_path: Path) -> None:
    class Taking:
        @hookimpl
        def drumline_find_action(self, name: str, offered: bool) -> Action | None:
            return Action(name=name, perform=perform, help="ours") if name == "ping" else None

    ran = run_with(tmp_path, "- ping:\n", Taking())
    assert ran.exit_status == 0
    assert {event.result["msg"] for event in ran.events if hasattr(event, "result")} == {"found"}
