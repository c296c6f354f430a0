"""``drumline_filters``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2.filters import FILTERS as JINJA_FILTERS
from support.installed import install
from support.narrowing import expect
from support.program import call

from drumline import built_in
from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.plugin import Secret, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import Registry
from drumline.templating.failures import TemplateEnded, TemplateFailed, VariableUndefined
from drumline.templating.offers import FILTERS
from drumline.templating.templates import Templating

PLUGIN = """
    from drumline.plugin import hookimpl

    def shout(text, mark="!"):
        if not text:
            raise ValueError("there is nothing to shout")
        return text.upper() + mark

    @hookimpl
    def drumline_filters():
        return {"shout": shout, "mine.own.shout": "shouting:shout"}
"""
PLAYBOOK = """
- hosts: localhost
  vars: {db_password: hunter2-horse}
  tasks:
    - debug: {msg: "{{ 'hi' | shout }} {{ 'hi' | mine.own.shout('?') }} {{ ['a', 'b'] | map('shout') | list }}"}
    - debug: {msg: "{{ db_password | shout }}"}
    - debug: {msg: "{{ '' | shout }}"}
      ignore_errors: true
    - debug: {msg: "{{ 1 | shout }}"}
      ignore_errors: true
"""


UPPER_OF_A_NUMBER = "AttributeError: 'int' object has no attribute 'upper'"


class Offering:
    def __init__(self, **filters: Any) -> None:
        self.filters = filters

    @hookimpl
    def drumline_filters(self) -> Any:
        return self.filters or None


def offered(**filters: Callable[..., Any] | str) -> Registry:
    return load_plugins(built_in=built_in, extra=[("none", Offering()), ("mine", Offering(**filters))])


def render(registry: Registry, text: str, seconds: float = 20.0, **variables: Any) -> Any:
    return Templating(seconds, registry).render(Template(text, Position("play.yml", 3)), variables)


def failure(registry: Registry, text: str, **variables: Any) -> str:
    with pytest.raises(TemplateFailed) as raised:
        render(registry, text, **variables)
    return raised.value.summary


def test_an_installed_package_adds_filters(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "shouting", PLUGIN)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    ended = call(tmp_path, "run", "site.yml", "-i", "localhost,", "--events", "-", env=env)
    said = [event["result"]["msg"] for event in ended.events() if event["event"] == "JobFinished"]
    assert said == [
        "HI! HI? ['A!', 'B!']",
        "********!",
        "'shout': there is nothing to shout.",
        f"Plugin 'shouting' (shouting 1.0) failed in its filter 'shout': {UPPER_OF_A_NUMBER}.",
    ]
    listed = json.loads(call(tmp_path, "plugins", "--format", "json", env=env).out)
    assert [plugin["offers"]["filters"] for plugin in listed if plugin["name"] == "shouting"] == [
        ["shout", "mine.own.shout"]
    ]


def test_an_unknown_filter_is_told_with_its_place_before_anything_is_sent(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "shouting", PLUGIN)
    (tmp_path / "site.yml").write_text("- hosts: localhost\n  tasks:\n    - debug: {msg: \"{{ 'x' | shoot }}\"}\n")
    ended = call(tmp_path, "run", "site.yml", "-i", "localhost,", env=env)
    assert ended.status == 5
    assert "site.yml:3:20: error: Unknown filter" in ended.err
    assert "There is no filter 'shoot'. Did you mean 'shout'?" in ended.err


@pytest.mark.parametrize("name", ["upper", "to_json"])
def test_names_of_jinja_and_drumline_stay_theirs(name: str) -> None:
    registry = offered(**{name: lambda value: "mine"})
    [fault] = registry.faults
    assert fault.startswith(f"Plugin 'mine' (given) offers '{name}', which drumline itself offers already")
    assert render(registry, f"{{{{ 'a' | {name} }}}}") in ("A", '"a"')


def test_every_name_of_jinja_has_its_owner() -> None:
    registry = load_plugins(built_in=built_in)
    assert set(registry.filters) == {*JINJA_FILTERS, *FILTERS}
    assert Templating(plugins=registry).check(Template("{{ 1 | upper | to_json }}", Position("p"))) == []


def test_it_is_given_plain_data() -> None:
    registry = offered(kind=lambda value, **more: f"{type(value).__name__} {value} {more}")
    assert render(registry, "{{ range(3) | map('string') | kind(x=(1, 2)) }}") == "list ['0', '1', '2'] {'x': [1, 2]}"


@pytest.mark.parametrize(
    "text", ["{{ x | kind }}", "{{ 1 | kind(x) }}", "{{ [x] | kind }}", "{{ 1 | kind(y={'a': x}) }}"]
)
def test_it_is_not_called_with_what_is_undefined(text: str) -> None:
    registry = offered(kind=lambda value, *_more, **_named: "called")
    with pytest.raises(VariableUndefined) as raised:
        render(registry, text)
    assert raised.value.summary == "'x' is undefined."
    assert expect(Position, raised.value.position).line == 3
    assert render(registry, "{{ x | default('y') | kind }}") == "called"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (object(), "This gives object, which is no data."),
        (Secret("hunter2"), "This gives Secret, which is no data."),
        ([print], "This gives 'print', a builtin_function_or_method, which is no data."),
    ],
    ids=["object", "secret", "function"],
)
def test_what_is_no_data_is_the_plugins_fault(given: object, told: str) -> None:
    summary = failure(offered(bad=lambda _value: given), "{{ 1 | bad | string }}")
    assert summary.startswith(f"Plugin 'mine' (given) failed in its filter 'bad': {told}")


def test_it_may_not_make_more_than_a_template_may() -> None:
    assert "more than a template may" in failure(offered(much=lambda _value: [0] * 2_000_000), "{{ (1 | much)[0] }}")


def test_it_is_ended_when_the_time_is_up() -> None:
    def endless(_value: Any) -> Any:
        while True:
            pass

    began = time.monotonic()
    with pytest.raises(TemplateEnded, match=r"took longer than 0\.3 s"):
        render(offered(endless=endless), "{{ 1 | endless }}", 0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("offer", "told"),
    [
        ("no_such_module:f", "can't be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("math:no_such", "can't be imported: AttributeError: module 'math' has no attribute 'no_such'"),
        ("math:pi", "is no function"),
    ],
)
def test_one_that_is_not_there_is_told_before_anything_is_sent(offer: str, told: str) -> None:
    registry = offered(gone=offer)
    assert registry.faults == ()
    [mistake] = Templating(plugins=registry).check(Template("{{ 1 | gone }}", Position("play.yml", 3)))
    assert mistake.position == Position("play.yml", 3)
    assert mistake.detail.startswith("Plugin 'mine' (given) offers the filter 'gone', which ")
    assert told in mistake.detail
