"""Host patterns (``test_inventory_reference.py`` has what Ansible selects; this has what it leaves open)."""

from __future__ import annotations

import pytest

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.inventory.patterns import select
from drumline.inventory.sources import load_inventory
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
        ("wbe:dbb", "No host and no group is called 'wbe'. Did you mean 'web'? No host and no group is called 'dbb'."),
        ("web:&wbe", "'wbe'"),
        ("empty", "has no hosts"),
        ("x*", "No host and no group matches 'x*'."),
        ("web:!web", "No host is left"),
        ("web:&db1", "No host is left"),
        ("web[2]", "there are 2"),
        ("web[5:]", "No host is left"),
    ],
)
def test_a_pattern_that_matches_nothing(pattern: str, words: str) -> None:
    found = mistake(pattern)
    assert found.summary == "A host pattern matches nothing"
    assert found.position == PLACE
    assert words in found.detail


@pytest.mark.parametrize(
    ("pattern", "hosts", "detail"),
    [
        ("web:dbb", ("web1", "web2"), "No host and no group is called 'dbb'."),
        ("web:!wbe", ("web1", "web2"), "No host and no group is called 'wbe'. Did you mean 'web'?"),
        ("x*,web1", ("web1",), "No host and no group matches 'x*'."),
        ("web[7]:web1", ("web1",), "'web[7]' is beyond the last of its hosts: there are 2."),
        ("nope[0]:web1", ("web1",), "No host and no group is called 'nope'."),
    ],
)
def test_a_part_that_matches_nothing_is_a_warning(pattern: str, hosts: tuple[str, ...], detail: str) -> None:
    warnings = Diagnostics()
    assert select(pattern, INVENTORY, position=PLACE, warnings=warnings) == hosts
    [found] = warnings
    assert found.summary == "Part of a host pattern matches nothing"
    assert found.detail.startswith(detail)
    assert found.position == PLACE


@pytest.mark.parametrize("listed", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_is_one_host_by_all_its_names(listed: str) -> None:
    inventory = load_inventory([f"{listed},web1"])
    assert select("127.0.0.1,localhost,::1", inventory) == (listed,)
    assert inventory.hosts["localhost"].name == inventory.hosts["127.0.0.1"].name == listed


def test_this_machine_is_called_as_it_is_named_first_where_no_inventory_lists_it() -> None:
    inventory = load_inventory(["web1,"])
    assert select("127.0.0.1", inventory) == ("127.0.0.1",)
    assert select("localhost:web1", inventory) == ("127.0.0.1", "web1")


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
