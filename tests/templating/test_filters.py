"""Filters and tests beyond the table of ``test_templating``: their errors, and what has no fixed result."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.templating.failures import TemplateFailed
from drumline.templating.offers import FILTERS, TESTS
from drumline.templating.templates import Templating

TEMPLATING = Templating()


def render(text: str, **variables: Any) -> Any:
    return TEMPLATING.render(Template(text, Position("play.yml")), variables)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 'x' | from_json }}", "This is no JSON"),
        ("{{ '[a' | from_yaml }}", "YAML"),
        ("{{ 'x' | hash('nope') }}", "no checksum 'nope'"),
        ("{{ 'x' | comment('nope') }}", "no style of comment 'nope'"),
        ("{{ 'x' | regex_escape('nope') }}", "'python' or 'posix_basic'"),
        ("{{ 'x' | regex_search('x', 'y') }}", "'y' is no group"),
        ("{{ 'x' | regex_replace('y', 'z', mandatory_count=1) }}", "matches 0 times"),
        ("{{ 'lots' | human_to_bytes }}", "'lots' is no size"),
        ("{{ 'http://h' | urlsplit('nope') }}", "no part 'nope'"),
        ("{{ {} | combine('x') }}", "takes dictionaries, not a string"),
        ("{{ {} | combine({}, list_merge='nope') }}", "not 'nope'"),
        ("{{ [] | dict2items }}", "takes a dictionary, not a list"),
        ("{{ {} | items2dict }}", "takes a list, not a dictionary"),
        ("{{ [1] | items2dict }}", "'key' and 'value'"),
        ("{{ [{'a': 1}] | subelements('b') }}", "finds no 'b'"),
        ("{{ [{'a': 1}] | subelements('a') }}", "needs a list at 'a'"),
        ("{{ [{'a': 1}] | rekey_on_member('b') }}", "finds no 'b'"),
        ("{{ [{'a': 1}, {'a': 1}] | rekey_on_member('a') }}", "twice"),
        ("{{ [1] | random(start=1) }}", "with a number only"),
        ("{{ 'x' is failed }}", "asks about a task's result"),
        ("{{ 'x' is regex('(') }}", "not a regular expression"),
        ("{{ 'x' is regex('x', match_type='nope') }}", "not 'nope'"),
        ("{{ '1' is version('2', 'nope') }}", "'nope' doesn't compare"),
        ("{{ '1' is version('2', version_type='nope') }}", "no kind of version 'nope'"),
        ("{{ '1' is version('2', strict=true) }}", "no strict version"),
        ("{{ '1' is version('2', version_type='semver') }}", "no semantic version"),
        ("{{ '' is version('2') }}", "no version to compare"),
    ],
)
def test_a_wrong_use_is_explained(text: str, message: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        render(text)
    assert message in caught.value.summary


def test_every_filter_and_test_has_its_full_name_too() -> None:
    for name in FILTERS:
        assert TEMPLATING.check(Template(f"{{{{ 1 | ansible.builtin.{name} }}}}", Position("p"))) == []
    for name in TESTS:
        assert TEMPLATING.check(Template(f"{{{{ 1 is ansible.builtin.{name} }}}}", Position("p"))) == []


def test_a_seed_makes_chance_repeatable() -> None:
    assert render("{{ range(100) | shuffle(seed='a') }}") == render("{{ range(100) | shuffle(seed='a') }}")
    assert render("{{ range(100) | shuffle(seed='a') }}") != render("{{ range(100) | shuffle(seed='b') }}")
    assert sorted(render("{{ range(100) | shuffle }}")) == list(range(100))
    assert render("{{ 1000000 | random(seed='a') }}") == render("{{ 1000000 | random(seed='a') }}")
    assert render("{{ 10 | random(start=4, step=3) }}") in (4, 7)
    assert render("{{ ['x', 'x'] | random }}") == "x"


def test_moments_are_written_as_text_in_json_and_kept_elsewhere() -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5)
    assert render("{{ t | to_json }}", t=moment) == '"2024-01-02T03:04:05"'
    assert render("{{ t }}", t=moment) == moment
    assert render("{{ now() - t }}", t=moment).days > 0


def test_sets_and_tuples_become_lists() -> None:
    assert render("{{ x }}", x={"b", "a"}) == ["a", "b"]
    assert render("{{ x }}", x=(1, (2,))) == [1, [2]]


def test_unhashable_items_in_set_operations() -> None:
    one, other = [{"a": 1}, {"b": 2}, {"a": 1}], [{"b": 2}, {"c": 3}]
    assert render("{{ x | unique }}", x=one) == [{"a": 1}, {"b": 2}]
    assert render("{{ x | union(y) }}", x=one, y=other) == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert render("{{ x | intersect(y) }}", x=one, y=other) == [{"b": 2}]
    assert render("{{ x | difference(y) }}", x=one, y=other) == [{"a": 1}]
    assert render("{{ x | symmetric_difference(y) }}", x=one, y=other) == [{"a": 1}, {"c": 3}]


def test_combine_leaves_its_arguments_alone() -> None:
    one, other = {"a": {"x": [1]}}, {"a": {"x": [2]}}
    assert render("{{ x | combine(y, recursive=true, list_merge='append') }}", x=one, y=other) == {"a": {"x": [1, 2]}}
    assert (one, other) == ({"a": {"x": [1]}}, {"a": {"x": [2]}})


def test_tests_of_files_ask_this_machine(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.symlink("nowhere", tmp_path / "link")
    directory = str(tmp_path)
    assert render("{{ (f ~ '/file') is file }}", f=directory)
    assert render("{{ (f ~ '/link') is link }}", f=directory)
    assert render("{{ (f ~ '/link') is link_exists }}", f=directory)
    assert not render("{{ (f ~ '/link') is exists }}", f=directory)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("change", "changed"),
        ("failure", "failed"),
        ("is_abs", "abs"),
        ("is_dir", "directory"),
        ("is_file", "file"),
        ("is_link", "link"),
        ("is_mount", "mount"),
        ("is_same_file", "same_file"),
        ("isnan", "nan"),
        ("issubset", "subset"),
        ("issuperset", "superset"),
        ("skip", "skipped"),
        ("successful", "succeeded"),
    ],
)
def test_some_tests_have_two_names(other: str, name: str) -> None:
    assert TESTS[other] == TESTS[name]


def test_files_and_mounts_and_numbers_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.link(tmp_path / "file", tmp_path / "same")
    (tmp_path / "other").write_text("")
    directory = str(tmp_path)
    assert render("{{ (f ~ '/file') is same_file(f ~ '/same') }}", f=directory)
    assert not render("{{ (f ~ '/file') is same_file(f ~ '/other') }}", f=directory)
    assert render("{{ ['/' is mount, f is mount] }}", f=directory) == [True, False]
    assert render("{{ [('nan' | float) is nan, 1.5 is nan] }}") == [True, False]


def test_paths_of_this_machines_user_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/joe")
    assert render("{{ '~/app' | expanduser }}") == "/home/joe/app"
    assert render("{{ '$HOME/app' | expandvars }}") == "/home/joe/app"


def test_versions_of_odd_shapes_can_be_compared() -> None:
    assert render("{{ '1.2.a' is version('1.2.3', '<') }}")
    assert render("{{ 1.5 is version(1.10, '>') }}")
    assert render("{{ '1.0.0+build' is version('1.0.0', '==', version_type='semantic') }}")


def test_from_yaml_gives_data() -> None:
    text = "a: 1\nb: !!str 2\nc: '{{ x }}'\n"
    assert render("{{ t | from_yaml }}", t=text) == {"a": 1, "b": "2", "c": "{{ x }}"}
    assert render("{{ t | from_yaml_all }}", t="# c\n---\na\n---\n") == ["a", None]


def test_index_of_calls_tests_as_templates_do() -> None:
    assert render("{{ ['upper', 'nope'] | index_of('filter') }}") == 0
    with pytest.raises(TemplateFailed, match="nope"):
        render("{{ [1] | index_of(name) }}", name="nope")
