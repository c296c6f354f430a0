"""Fleets of another size keep their proportions and their groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.errors import UsageError
from drumline.forecast.fleet import resized
from drumline.inventory.patterns import select
from drumline.inventory.sources import load_inventory
from drumline.model.host import Group, Host, Inventory


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    (tmp_path / "hosts.ini").write_text("[web]\nweb[1:6]\n[db]\ndb1 size=9\ndb2\n[site:children]\nweb\ndb\n")
    return load_inventory([str(tmp_path / "hosts.ini")])


def test_groups_grow_in_proportion(inventory: Inventory) -> None:
    found, origin = resized(inventory, 20)
    assert len(found.hosts) == 20
    assert len(select("web", found)) == 15
    assert select("db", found) == ("db1", "db1-2", "db1-3", "db2", "db2-2")
    assert set(select("site", found)) == set(found.hosts)
    assert origin["db1-3"] == "db1"
    assert origin.keys() == found.hosts.keys() - inventory.hosts.keys()
    assert found.hosts["db1-3"].variables == inventory.hosts["db1"].variables


def test_a_smaller_fleet_leaves_hosts_out_and_no_kind(inventory: Inventory) -> None:
    found, origin = resized(inventory, 3)
    assert tuple(found.hosts) == ("web1", "web2", "db1")
    assert not origin


def test_as_many_as_there_are_changes_nothing(inventory: Inventory) -> None:
    found, origin = resized(inventory, 8)
    assert (found, origin) == (inventory, {})


def test_fewer_hosts_than_kinds_are_refused(inventory: Inventory) -> None:
    with pytest.raises(UsageError, match="2 kinds of hosts"):
        resized(inventory, 1)


def test_no_clone_has_the_name_of_a_host(inventory: Inventory) -> None:
    hosts = {name: Host(name=name) for name in ("a", "a-2", "a-3")}
    own = Inventory(
        hosts=hosts, groups={"all": Group(name="all"), "ungrouped": Group(name="ungrouped", hosts=tuple(hosts))}
    )
    found, origin = resized(own, 6)
    assert len(found.hosts) == 6
    assert origin["a-4"] == "a"


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6), count=st.integers(1, 500))
def test_every_size_is_met_and_every_kind_near_its_share(sizes: list[int], count: int) -> None:
    hosts = {
        f"g{kind}h{number}": Host(name=f"g{kind}h{number}", groups=(f"g{kind}",))
        for kind, size in enumerate(sizes)
        for number in range(size)
    }
    groups = {
        f"g{kind}": Group(name=f"g{kind}", hosts=tuple(n for n in hosts if n.startswith(f"g{kind}h")))
        for kind in range(len(sizes))
    }
    if count < len(sizes):
        return
    found, _ = resized(Inventory(hosts=hosts, groups=groups), count)
    assert len(found.hosts) == count
    for kind, size in enumerate(sizes):
        share = count * size / sum(sizes)
        assert len(found.groups[f"g{kind}"].hosts) >= 1
        if min(count * other / sum(sizes) for other in sizes) >= 1:
            assert abs(len(found.groups[f"g{kind}"].hosts) - share) < 1
