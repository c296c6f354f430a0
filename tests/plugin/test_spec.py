"""Every hook says all that its users need to know, has a bundled user, a test and a heading in the docs."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest
from support.hooks import HOOKS, PARTS, parameters, parts, summary

from drumline.built_in import all_plugins
from drumline.plugin import spec

ROOT = Path(__file__).parent.parent.parent

on_every_hook = pytest.mark.parametrize("name", HOOKS)


def test_there_are_hooks() -> None:
    assert "drumline_transports" in HOOKS


@on_every_hook
def test_its_docstring_has_a_summary_and_all_parts_in_order(name: str) -> None:
    assert summary(name).endswith(".")
    assert tuple(parts(name)) == PARTS
    assert all(text.strip() for text in parts(name).values())


@on_every_hook
def test_it_explains_exactly_its_parameters(name: str) -> None:
    explained = parameters(name)
    assert list(explained) == list(inspect.signature(HOOKS[name]).parameters)
    assert explained or parts(name)["Parameters"].strip() == "none."


@on_every_hook
def test_its_bundled_users_are_those_that_implement_it(name: str) -> None:
    named = re.findall(r"``([\w.]+)``", parts(name)["Bundled user"])
    assert named
    assert [module for module in named if not _implements(importlib.import_module(module), name)] == []
    assert {_module(plugin) for plugin in all_plugins().hooks.owners(name).values()} <= set(named)


def _implements(module: ModuleType, hook: str) -> bool:
    """Whether the module, or a class of it, has an implementation of the hook."""
    places = [module, *(thing for thing in vars(module).values() if inspect.isclass(thing))]
    return any(hasattr(getattr(place, hook, None), f"{spec.PROJECT}_impl") for place in places)


def _module(plugin: object) -> str:
    return plugin.__name__ if inspect.ismodule(plugin) else type(plugin).__module__


@on_every_hook
def test_it_has_a_heading_in_the_docs(name: str) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert re.search(rf"^### `{name}\(", page, re.MULTILINE)


@on_every_hook
def test_a_module_of_tests_implements_it(name: str) -> None:
    path = ROOT / "tests" / "plugin" / "hooks" / f"test_{name.removeprefix('drumline_')}.py"
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"^ *@hookimpl.*\n *def {name}\(", text, re.MULTILINE)
    assert re.search(r"^def test_", text, re.MULTILINE)
