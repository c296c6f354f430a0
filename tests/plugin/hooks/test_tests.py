"""``drumline_tests``. What holds for filters is tried there."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2.tests import TESTS as JINJA_TESTS
from support.narrowing import expect

from drumline import built_in
from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.plugin import hookimpl
from drumline.plugin.manager import load_plugins
from drumline.templating.failures import TemplateFailed, VariableUndefined
from drumline.templating.offers import TESTS
from drumline.templating.templates import Templating


class Offering:
    def __init__(self, **tests: Any) -> None:
        self.tests = tests

    @hookimpl
    def drumline_tests(self) -> Any:
        return self.tests or None


def odd_letters(text: str, least: int = 1) -> object:
    return text[1::2] if len(text) >= least else ""


TEMPLATING = Templating(
    plugins=load_plugins(built_in=built_in, extra=[("none", Offering()), ("mine", Offering(odd_letters=odd_letters))])
)


def holds(text: str, **variables: Any) -> bool:
    return TEMPLATING.condition([Template(text, Position("play.yml", 3), bare=True)], variables)


def test_what_it_gives_counts_as_true_or_false() -> None:
    assert holds("'ab' is odd_letters")
    assert holds("'a' is not odd_letters")
    assert holds("'abc' is not odd_letters(least=4)")
    assert TEMPLATING.render(Template("{{ ['a', 'ab'] | select('odd_letters') }}", Position("p")), {}) == ["ab"]


def test_it_is_not_called_with_what_is_undefined() -> None:
    with pytest.raises(VariableUndefined, match="'x' is undefined"):
        holds("x is odd_letters")


def test_its_faults_are_the_plugins() -> None:
    with pytest.raises(TemplateFailed, match=r"Plugin 'mine' \(given\) failed in its test 'odd_letters': TypeError"):
        holds("1 is odd_letters")


def test_an_unknown_one_is_told_with_its_place() -> None:
    [found] = TEMPLATING.check(Template("a\n{{ 1 is odd_leters }}", Position("play.yml", 3)))
    assert (found.summary, expect(Position, found.position).line) == ("Unknown test", 4)
    assert found.detail == "There is no test 'odd_leters'. Did you mean 'odd_letters'?"


def test_names_of_jinja_and_drumline_have_their_owner() -> None:
    registry = load_plugins(built_in=built_in, extra=[("mine", Offering(defined=odd_letters, changed=odd_letters))])
    assert registry.faults[0].count("which drumline itself offers already") == 2
    words = {name for name in JINJA_TESTS if name.isidentifier()}
    assert {*words, *TESTS} == set(registry.tests)
