"""Filters, tests and lookups are there by name, and imported when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest
from jinja2.filters import FILTERS as JINJA_FILTERS

from drumline.templating.functions import Function, Functions, imported
from drumline.templating.offers import FILTERS, LOOKUPS, TESTS


@pytest.mark.parametrize("where", sorted({*FILTERS.values(), *TESTS.values(), *LOOKUPS.values()}))
def test_what_is_offered_is_there(where: str) -> None:
    assert callable(imported(where))


def test_only_what_a_template_names_is_imported() -> None:
    script = """
import sys
from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.templating.templates import Templating

def show():
    print([name for name in ("filters", "text_filters", "jinja_tests") if f"drumline.templating.{name}" in sys.modules])

templating = Templating()
templating.render(Template("{{ a | upper }}", Position("p")), {"a": 1})
show()
templating.render(Template("{{ a | quote }}", Position("p")), {"a": 1})
show()
templating.check(Template("{{ a is search('x') }}", Position("p")))
show()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['text_filters']", "['text_filters', 'jinja_tests']"]


def of_plugins(name: str) -> Function:
    raise AssertionError(name)


def test_all_are_named_though_none_is_used() -> None:
    functions = Functions(JINJA_FILTERS, FILTERS, of_plugins)
    assert set(functions) == {*JINJA_FILTERS, *FILTERS}
    assert "ansible.builtin.to_json" in functions
    assert "ansible.builtin.upper" in functions
    assert "no_such" not in functions
    assert functions.get("no_such") is None
    with pytest.raises(KeyError):
        functions["ansible.builtin.no_such"]


def test_full_names_are_other_names_of_the_same() -> None:
    functions = Functions(JINJA_FILTERS, FILTERS, of_plugins)
    assert functions["ansible.builtin.upper"] is JINJA_FILTERS["upper"]
    assert functions["ansible.builtin.to_yaml"] is functions["to_yaml"]
