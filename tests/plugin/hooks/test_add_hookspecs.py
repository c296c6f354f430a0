"""``drumline_add_hookspecs``."""

from __future__ import annotations

from typing import Any

import pytest

from drumline.plugin import PluginError, hookimpl, hookspec
from drumline.plugin.manager import load_plugins


class Specs:
    @hookspec(firstresult=True)
    def colour(self, host: str) -> str | None:
        """Name a colour."""

    @hookspec
    def size(self) -> int | None:
        """Name a size."""


class Declaring:
    @hookimpl
    def drumline_add_hookspecs(self) -> list[object]:
        return [Specs]


class Silent:
    @hookimpl
    def drumline_add_hookspecs(self) -> None:
        return None


class Colours:
    def __init__(self, colour: str | None) -> None:
        self.answer = colour

    @hookimpl
    def colour(self, host: str) -> str | None:
        return self.answer and f"{self.answer} {host}"

    @hookimpl
    def size(self) -> int:
        return 3


class Failing:
    @hookimpl
    def size(self) -> int:
        raise LookupError("no size")


class Wrapper:
    @hookimpl(wrapper=True)
    def size(self) -> Any:
        sizes = yield
        return [size + 1 for size in sizes]


class Misfit:
    @hookimpl
    def colour(self, planet: str) -> str:
        return planet


def test_a_declared_hook_is_asked_whatever_the_order_of_plugins() -> None:
    plugins = [("none", Colours(None)), ("red", Colours("red")), ("declaring", Declaring()), ("silent", Silent())]
    registry = load_plugins(extra=plugins)
    assert registry.faults == ()
    assert registry.hooks.ask("colour", host="web1") == "red web1"
    assert registry.hooks.ask("size") == [3, 3]
    each = [(owner, call(host="web1")) for owner, call in registry.hooks.each("colour")]
    assert each == [("Plugin 'none' (given)", None), ("Plugin 'red' (given)", "red web1")]


def test_wrappers_are_called_around_all_and_around_each() -> None:
    registry = load_plugins(extra=[("declaring", Declaring()), ("red", Colours("red")), ("wrapper", Wrapper())])
    assert registry.faults == ()
    assert registry.hooks.ask("size") == [4]
    assert [call() for _, call in registry.hooks.each("size")] == [4]
    assert list(registry.hooks.owners("size")) == ["Plugin 'red' (given)", "Plugin 'wrapper' (given)"]


def test_a_plugin_is_checked_against_the_hooks_of_others() -> None:
    registry = load_plugins(extra=[("misfit", Misfit()), ("declaring", Declaring())])
    [fault] = registry.faults
    assert fault.startswith("Plugin 'misfit' (given) was left out: hookimpl definition: colour(planet")


def test_without_the_declaration_there_is_no_such_hook() -> None:
    [fault] = load_plugins(extra=[("red", Colours("red"))]).faults
    assert fault == "Plugin 'red' (given) was left out: there is no hook 'colour'."


def test_a_hook_that_is_declared_twice_stays_with_the_first() -> None:
    registry = load_plugins(extra=[("one", Declaring()), ("two", Declaring()), ("red", Colours("red"))])
    [fault] = registry.faults
    assert fault.startswith("Plugin 'two' (given): hook drumline_add_hookspecs failed: ValueError: ")
    assert registry.hooks.ask("size") == [3]


def test_the_plugin_that_fails_is_named() -> None:
    registry = load_plugins(extra=[("declaring", Declaring()), ("red", Colours("red")), ("bad", Failing())])
    with pytest.raises(PluginError) as raised:
        registry.hooks.ask("size")
    assert str(raised.value) == "A plugin has failed. Plugin 'bad' (given): hook size failed: LookupError: no size"
