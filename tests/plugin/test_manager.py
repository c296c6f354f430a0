"""Plugins are found, checked one by one, and one that fails doesn't stop the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from support.makers import no_steps

from drumline.plugin import Action, Call, CommandSpec, Platform, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import PluginInfo, Registry


def make_action(name: str, *aliases: str) -> Action:
    return Action(name=name, perform=no_steps, help="Does nothing.", aliases=aliases)


class Offering:
    """A plugin that offers these actions."""

    def __init__(self, *actions: Any) -> None:
        self.actions = actions

    @hookimpl
    def drumline_actions(self) -> tuple[Any, ...]:
        return self.actions


class Misspelt:
    @hookimpl
    def drumline_action(self) -> list[Action]:
        return []


class WrongParameters:
    @hookimpl
    def drumline_actions(self, inventory: object) -> list[Action]:
        return []


class Failing:
    @hookimpl
    def drumline_actions(self) -> Iterator[Action]:
        yield make_action("first")
        raise RuntimeError("no more")

    @hookimpl
    def drumline_commands(self) -> list[CommandSpec]:
        return [CommandSpec(name="still", help="Offered all the same.", load="x:y")]


class Unmarked:
    def drumline_actions(self) -> list[Action]:
        return [make_action("forgotten")]


def load(*plugins: tuple[str, object]) -> Registry:
    return load_plugins(extra=plugins)


def info(registry: Registry, name: str) -> PluginInfo:
    return next(plugin for plugin in registry.plugins if plugin.name == name)


def write(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(dedent(text))
    return path


@pytest.fixture(autouse=True)
def _forget_project_plugins() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("drumline_project_")]:
        del sys.modules[name]


GOOD = """
    from __future__ import annotations
    from dataclasses import KW_ONLY, dataclass
    from drumline.plugin import Action, Result, hookimpl

    @dataclass
    class Greeting:
        _: KW_ONLY
        text: str = "hello"

    def perform(call):
        yield from ()
        return Result(message=Greeting().text)

    @hookimpl
    def drumline_actions():
        return [Action(name="greet", perform=perform, help="Says hello.")]
"""


def test_installed_plugins_are_found_with_their_origin() -> None:
    registry = load()
    assert registry.faults == ()
    assert {"local", "ssh", "winrm"} <= set(registry.transports)
    local = info(registry, "local")
    assert local.origin.startswith("drumline ")
    assert local.offers["transports"] == ("local",)


def test_an_installed_plugin_that_cannot_be_imported_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info_directory = tmp_path / "stranger-2.0.dist-info"
    info_directory.mkdir()
    (info_directory / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 2.0\n")
    (info_directory / "entry_points.txt").write_text("[drumline]\nodd = drumline_no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = load()
    assert info(registry, "odd").origin == "stranger 2.0"
    (fault,) = registry.faults
    assert fault.startswith("Plugin 'odd' (stranger 2.0) can't be imported and was left out: ModuleNotFoundError: ")
    assert "drumline_no_such_module" in fault
    assert "local" in registry.transports


def test_actions_are_found_by_name_and_alias() -> None:
    registry = load(("mine", Offering(make_action("dance", "win_dance"))))
    assert registry.actions["dance"] is registry.actions["win_dance"]
    assert info(registry, "mine").offers["actions"] == ("dance", "win_dance")


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Misspelt(), "drumline_action"),
        (WrongParameters(), "inventory"),
        (Unmarked(), "@hookimpl"),
    ],
    ids=["misspelt", "wrong parameters", "unmarked"],
)
def test_a_plugin_that_breaks_the_contract_is_named_and_left_out(plugin: object, told: str) -> None:
    registry = load(("bad", plugin), ("good", Offering(make_action("dance"))))
    (fault,) = registry.faults
    assert fault.startswith("Plugin 'bad' (given) was left out: ")
    assert told in fault
    assert "dance" in registry.actions


def test_a_hook_that_fails_keeps_what_it_gave_and_the_other_hooks() -> None:
    registry = load(("bad", Failing()))
    assert registry.faults == ("Plugin 'bad' (given): hook drumline_actions failed: RuntimeError: no more",)
    assert "first" in registry.actions
    assert "still" in registry.commands


def test_an_offer_that_is_no_offer_is_a_fault_of_its_hook() -> None:
    (fault,) = load(("bad", Offering("dance"))).faults
    assert fault.startswith("Plugin 'bad' (given): hook drumline_actions failed: AttributeError")


def test_a_name_offered_twice_names_both_owners_and_the_rest_goes_on() -> None:
    first, second = make_action("dance"), make_action("dance", "jump")
    registry = load(("one", Offering(first)), ("two", Offering(second)))
    assert registry.faults == (
        "Plugin 'two' (given) offers 'dance', which plugin 'one' (given) offers already (actions).",
    )
    assert registry.actions["dance"] is first
    assert registry.actions["jump"] is second
    assert info(registry, "two").offers["actions"] == ("jump",)


def test_an_alias_that_repeats_its_name_is_no_fault() -> None:
    assert load(("one", Offering(make_action("dance", "dance")))).faults == ()


def test_plugins_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path, "local.py", GOOD)
    registry = load_plugins(tmp_path)
    ours, theirs = [plugin for plugin in registry.plugins if plugin.name == "local"]
    assert registry.faults == ()
    assert ours.offers["transports"] == ("local",)
    assert theirs.origin == str(path)
    assert theirs.offers["actions"] == ("greet",)
    assert theirs.offers["transports"] == ()


def test_a_project_plugin_may_hold_dataclasses(tmp_path: Path) -> None:
    write(tmp_path, "greeting.py", GOOD)
    write(tmp_path, "_helper.py", "raise RuntimeError('not a plugin')")
    registry = load_plugins(tmp_path)
    assert registry.faults == ()
    with pytest.raises(StopIteration) as stop:
        next(registry.actions["greet"].perform(Call(host="h", platform=Platform.POSIX, arguments={})))
    assert stop.value.value.message == "hello"


@pytest.mark.parametrize(
    "text",
    ["1 / 0", "import drumline_no_such_module", "def broken(:", "import sys; sys.exit(3)", "\0"],
    ids=["raises", "import", "syntax", "exits", "binary"],
)
def test_a_project_plugin_that_cannot_be_imported_is_left_out(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "bad.py", text)
    write(tmp_path, "good.py", GOOD)
    registry = load_plugins(tmp_path)
    (fault,) = registry.faults
    assert fault.startswith(f"Plugin 'bad' ({path}) can't be imported and was left out: ")
    assert "greet" in registry.actions
    assert "drumline_project_bad" not in sys.modules


def test_a_project_without_a_plugins_directory_is_fine(tmp_path: Path) -> None:
    assert load_plugins(tmp_path / "plugins").faults == ()
