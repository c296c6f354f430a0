"""INI inventories: how values are read, and what is wrong with a line."""

from __future__ import annotations

import pytest

from drumline.diagnostics import Position
from drumline.inventory.draft import Draft
from drumline.inventory.ini_source import read_ini
from drumline.model.value import Template


def draft_of(text: str) -> Draft:
    draft = Draft()
    read_ini(text, "hosts.ini", draft)
    return draft


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", 80),
        ('"80"', "80"),
        ("1.5", 1.5),
        ("10.0.0.1", "10.0.0.1"),
        ("010", "010"),
        ("True", True),
        ("true", "true"),
        ("yes", "yes"),
        ("None", None),
        ("", ""),
        ("[1, 'a', (2, 3)]", [1, "a", [2, 3]]),
        ("{1: 'a'}", {"1": "a"}),
        ("{'b', 'a'}", ["a", "b"]),
        ("b'raw'", "raw"),
        ("...", "..."),
        ("2j", "2j"),
        ("{[]: 1}", "{[]: 1}"),
        ("(" * 500, "(" * 500),
        (r"C:\new\d", r"C:\new\d"),
        (r"'\d'", r"\d"),
        ("a = b", "a = b"),
        ("x # y", "x # y"),
    ],
)
def test_values_are_python_literals_where_they_can_be(text: str, value: object) -> None:
    draft = draft_of(f"[web:vars]\nkey = {text}\n")
    assert draft.groups["web"].variables == {"key": value}
    assert not draft.mistakes


def test_a_host_line_is_split_as_a_shell_would() -> None:
    draft = draft_of("""web1:22 a='x y' b="1" c='"1"' d=e=f  # g=h\n""")
    assert draft.hosts == {"web1": {"ansible_port": 22, "a": "x y", "b": 1, "c": "1", "d": "e=f"}}


def test_templates_inside_literals_keep_their_line() -> None:
    value = draft_of("[web:vars]\nkey = ['{{ a }}']\n").groups["web"].variables["key"][0]
    assert isinstance(value, Template)
    assert value.position == Position("hosts.ini", 2, 7)


@pytest.mark.parametrize(
    ("text", "summary", "where"),
    [
        ("[web:hots]\n", "Unknown kind of section", (1, 1)),
        ("[web:]\n", "Unknown kind of section", (1, 1)),
        ("[my web]\n", "Not a section", (1, 1)),
        ("[]\n", "Not a section", (1, 1)),
        ("web1 port\n", "Not a variable", (1, 6)),
        ("web1 a='b\n", "A host line can't be read", (1, 1)),
        ("  web[1:\n", "Not a host name", (1, 3)),
        ("[web]\n../../../x\n", "Not a host name", (2, 1)),
        ("[web:vars]\nkey\n", "Not a variable", (2, 1)),
        ("[web:children]\na b\n", "Not a group name", (2, 1)),
        ("[we*b]\nh\n", "Not a group name", (1, 1)),
    ],
)
def test_a_wrong_line_is_told_with_its_place(text: str, summary: str, where: tuple[int, int]) -> None:
    (found,) = draft_of(text).mistakes
    assert found.summary == summary
    assert found.position == Position("hosts.ini", *where)


def test_lines_of_an_unknown_section_are_not_complained_about_as_well() -> None:
    assert len(draft_of("[web:oops]\nx y z\n").mistakes) == 1
