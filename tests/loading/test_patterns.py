"""Host patterns (``test_inventory_reference.py`` has what Ansible selects; this has what it leaves open)."""

from __future__ import annotations

import pytest

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.loading.patterns import select
from drumline.model.host import Group, Host, Inventory

PLACE = Position("play.yml", 3, 10)
NAMES = ("web1", "web2", "db1", "fe80::1", "db")
INVENTORY = Inventory(
    hosts={name: Host(name=name) for name in NAMES},
    groups={
        "all": Group(name="all", children=("ungrouped", "web", "db", "empty")),
        "ungrouped": Group(name="ungrouped", hosts=("fe80::1",)),
        "web": Group(name="web", hosts=("web1", "web2")),
        "db": Group(name="db", hosts=("db1", "db")),
        "empty": Group(name="empty"),
    },
)


def mistake(pattern: str) -> Diagnostic:
    with pytest.raises(FilesError) as caught:
        select(pattern, INVENTORY, position=PLACE)
    (found,) = caught.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("web", ("web1", "web2")),
        ("db", ("db",)),
        ("db*", ("db1", "db")),
        ("fe80::1,web1", ("fe80::1", "web1")),
        ("all,!fe80::1", ("web1", "web2", "db1", "db")),
        ("web:db1,!web1", ("web2", "db1")),
        ("web1 web2", ("web1", "web2")),
        ("web:!web[0]", ("web2",)),
        ("web:!empty", ("web1", "web2")),
        ("web[0:0]", ("web1",)),
        ("web[-2]", ("web1",)),
    ],
)
def test_patterns(pattern: str, hosts: tuple[str, ...]) -> None:
    assert select(pattern, INVENTORY) == hosts


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("wbe", "Did you mean 'web'?"),
        ("web:dbb", "'dbb'"),
        ("web:!wbe", "'wbe'"),
        ("web:&wbe", "'wbe'"),
        ("empty", "has no hosts"),
        ("x*", "No host is left"),
        ("web:!web", "No host is left"),
        ("web:&db1", "No host is left"),
        ("web[2]", "there are hosts: 2"),
        ("web[5:]", "No host is left"),
    ],
)
def test_a_pattern_that_matches_nothing(pattern: str, words: str) -> None:
    found = mistake(pattern)
    assert found.summary == "A host pattern matches nothing"
    assert found.position == PLACE
    assert words in found.detail


@pytest.mark.parametrize("pattern", ["", " ", ",", ":", "web:!", "&", "web[", "web]", "~web(", "web:[x"])
def test_a_pattern_that_cannot_be_read(pattern: str) -> None:
    found = mistake(pattern)
    assert found.summary == "A host pattern can't be read"
    assert found.position == PLACE


def test_nothing_is_in_an_empty_inventory() -> None:
    empty = Inventory(groups={"all": Group(name="all"), "ungrouped": Group(name="ungrouped")})
    assert select("localhost", empty) == ("localhost",)
    with pytest.raises(FilesError, match="has no hosts"):
        select("all", empty)
