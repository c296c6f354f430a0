"""Batches against everything that could have been chosen, on small fleets, and against what Ansible does."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import groupby, product
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.built_in import all_plugins
from drumline.inventory.sources import load_inventory
from drumline.loading.playbook import load_playbooks
from drumline.model.plan import Keep, Plan, PlannedPlay
from drumline.model.playbook import Amount, Order
from drumline.planning.batches import in_batches, put_in_order
from drumline.planning.expand import make_plan

#: ``serial``: for each value the sizes of the batches of fleets of some sizes ("3x2 1" is 2 2 2 1); ``order``: for
#: each pattern over ``FLEET`` the batches of two. Said by plays of ansible-core that show ``ansible_play_batch``.
RECORDED = json.loads((Path(__file__).parent / "ansible_batches.json").read_text())
FLEET = """
[b]
web10
web9
Web1
[a]
db2
web9
alpha
[c]
zeta
db1
db10
[par:children]
c
a
"""
#: Where Ansible's floating point loses a host: 29 / 100 * 100 is a little less than 29.
ROUNDED_DOWN_BY_ANSIBLE = {("29%", 100), ("58%", 100)}


def hosts(count: int) -> tuple[str, ...]:
    return tuple(f"h{number:04}" for number in range(count))


def amounts(*values: object) -> tuple[Amount, ...]:
    return tuple(Amount(float(str(value).rstrip("%")), percent=str(value).endswith("%")) for value in values)


def sizes(batches: Iterable[Sequence[str]]) -> list[int]:
    return [len(batch) for batch in batches]


# Ansible.


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Plan]:
    """Plans plays that are written to a file, over an inventory that is."""
    directory = tmp_path_factory.mktemp("ansible")
    plugins = all_plugins()

    def plan(inventory: str, plays: Sequence[dict[str, object]]) -> Plan:
        (directory / "hosts.ini").write_text(inventory)
        tasks = [{"debug": {"msg": "x"}}]
        (directory / "site.yml").write_text(json.dumps([{**play, "tasks": tasks} for play in plays]))
        return make_plan(
            load_playbooks([directory / "site.yml"], plugins.actions),
            load_inventory([str(directory / "hosts.ini")], plugins.inventory_sources),
            render_pattern=lambda value, _play: value,
            host_scope=lambda host, _play: host.variables,
            shuffle=tuple,
        )

    return plan


def test_serial_gives_the_batches_that_ansible_gives(planned: Callable[..., Plan]) -> None:
    cases = [(value, int(fleet), said) for value, fleets in RECORDED["serial"] for fleet, said in fleets.items()]
    fleets = {size: hosts(size) for _, size, _ in cases}
    inventory = "\n".join(f"[f{size}]\n" + "\n".join(names) for size, names in fleets.items())
    plan = planned(inventory, [{"hosts": f"f{size}", "serial": value} for value, size, _ in cases])
    different = {
        (value if isinstance(value, str) else str(value), size)
        for play, (value, size, said) in zip(plan.plays, cases, strict=True)
        if _folded(play) != said
    }
    assert different == ROUNDED_DOWN_BY_ANSIBLE
    for play, (_, size, _) in zip(plan.plays, cases, strict=True):
        assert [host for batch in play.batches for host in batch.hosts] == list(fleets[size])


def _folded(play: PlannedPlay) -> str:
    runs = [(size, len(list(run))) for size, run in groupby(sizes(batch.hosts for batch in play.batches))]
    return " ".join(f"{count}x{size}" if count > 1 else str(size) for size, count in runs)


def test_order_gives_the_batches_that_ansible_gives(planned: Callable[..., Plan]) -> None:
    cases = RECORDED["order"]
    plan = planned(FLEET, [{"hosts": pattern, "order": order, "serial": 2} for pattern, order, _ in cases])
    for play, (pattern, order, said) in zip(plan.plays, cases, strict=True):
        assert [" ".join(batch.hosts) for batch in play.batches] == said, (pattern, order)
        assert play.hosts == tuple(" ".join(said).split())


# Single rules.


def test_without_anything_all_go_at_once() -> None:
    names = hosts(5)
    assert in_batches(names) == (names,)
    assert in_batches(names)[0] is names
    assert in_batches(()) == ()


def test_a_canary_goes_first_and_the_rest_by_serial() -> None:
    assert sizes(in_batches(hosts(10), canary=Amount(1))) == [1, 9]
    assert sizes(in_batches(hosts(10), canary=Amount(20, percent=True), serial=amounts(1, 5))) == [2, 1, 5, 2]
    assert sizes(in_batches(hosts(2), canary=Amount(3))) == [2]


def test_shuffle_draws_and_the_other_orders_do_not() -> None:
    def drawn(given: tuple[str, ...]) -> tuple[str, ...]:
        return given[2:] + given[:2]

    assert put_in_order(("b", "c", "a"), Order.SHUFFLE, drawn) == ("a", "b", "c")
    assert put_in_order(("b", "c", "a"), Order.INVENTORY, drawn) == ("b", "c", "a")


def test_values_are_spread_to_the_last_batch() -> None:
    names, sites = ("a1", "a2", "a3", "b1", "c1"), ("a", "a", "a", "b", "c")
    assert in_batches(names, serial=amounts(2), values=sites) == (("a1", "b1"), ("a2", "c1"), ("a3",))


def test_a_value_comes_again_where_no_other_is_left() -> None:
    names, sites = ("a1", "a2", "a3", "a4", "b1"), ("a", "a", "a", "a", "b")
    assert in_batches(names, serial=amounts(3), values=sites) == (("a1", "a2", "b1"), ("a3", "a4"))


def test_a_group_is_kept_by_smaller_batches() -> None:
    names = (*(f"app{number}" for number in range(1, 7)), "db1", "db2", "lb1")
    keep = [
        Keep(group="app", least=4, hosts=(*names[:6], "app7")),
        Keep(group="db", least=1, hosts=("db1", "db2")),
    ]
    assert in_batches(names, keep=keep) == (("app1", "app2", "app3", "db1", "lb1"), ("app4", "app5", "app6", "db2"))


def test_a_canary_takes_no_more_than_a_group_lets_go() -> None:
    keep = [Keep(group="app", least=3, hosts=hosts(4))]
    assert sizes(in_batches(hosts(4), canary=Amount(2), keep=keep)) == [1, 1, 1, 1]


# All of them at once, against every choice that there is.

Fleet: TypeAlias = tuple[tuple[str, ...], tuple[str, ...] | None, list[int], list[Keep]]


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Hosts, their values, serial sizes and groups; each group lets one or two hosts go."""
    names = hosts(draw(st.integers(1, 6)))
    values = draw(st.none() | st.tuples(*(st.sampled_from("abcd") for _ in names)))
    serial = draw(st.lists(st.integers(1, len(names)), max_size=3))
    keep = []
    for number in range(draw(st.integers(0, 3))):
        own = tuple(host for host in names if draw(st.booleans()))
        members = own + tuple(f"x{number}" for number in range(draw(st.integers(0, 2))))
        if members:
            most = draw(st.integers(1, min(2, len(members))))
            keep.append(Keep(group=f"g{number}", least=len(members) - most, hosts=members))
    return names, values, serial, keep


class Choices:
    """Every way to take a small fleet through a play; sets of hosts are bits."""

    def __init__(
        self, names: tuple[str, ...], values: tuple[str, ...] | None, serial: list[int], keep: list[Keep]
    ) -> None:
        self.names = names
        self._values = values or names
        self._sizes = serial or [len(names)]
        self._groups = [
            (sum(1 << at for at, name in enumerate(names) if name in kept.hosts), len(kept.hosts) - kept.least)
            for kept in keep
        ]
        self.all = (1 << len(names)) - 1

    def fits(self, batch: int) -> bool:
        return all((batch & group).bit_count() <= most for group, most in self._groups)

    def is_allowed(self, batch: int, left: int, number: int) -> bool:
        """Whether the hosts fit, and none of them comes with a value a second time while a host with another fits."""
        if batch.bit_count() > self._sizes[min(number, len(self._sizes) - 1)] or not self.fits(batch):
            return False
        by_value: dict[str, list[int]] = {}
        for at in bits(batch):
            by_value.setdefault(self._values[at], []).append(1 << at)
        if len(by_value) == batch.bit_count():
            return True
        others = [1 << at for at in bits(left) if self._values[at] not in by_value]
        return any(not any(self.fits(sum(first) | other) for other in others) for first in product(*by_value.values()))

    def fewest(self) -> int:
        """The number of batches at best."""

        @cache
        def after(left: int, number: int) -> int:
            if not left:
                return 0
            found, batch = len(self.names), left
            while batch:
                if self.is_allowed(batch, left, number):
                    found = min(found, 1 + after(left & ~batch, number + 1))
                batch = (batch - 1) & left
            return found

        return after(self.all, 0)


def bits(number: int) -> list[int]:
    return [at for at in range(number.bit_length()) if number >> at & 1]


@given(fleets())
def test_batches_keep_every_rule_and_are_nearly_as_few_as_can_be(fleet: Fleet) -> None:
    names, values, serial, keep = fleet
    found = in_batches(names, serial=amounts(*serial), values=values, keep=keep)
    choices = Choices(*fleet)
    left = choices.all
    for number, batch in enumerate(found):
        chosen = sum(1 << names.index(host) for host in batch)
        assert choices.is_allowed(chosen, left, number), batch
        assert list(batch) == sorted(batch)
        left &= ~chosen
    assert left == 0
    assert sum(sizes(found)) == len(names)
    assert len(found) <= choices.fewest() + 1


@given(st.integers(1, 60), st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 7))
def test_groups_that_do_not_overlap_cost_no_batch_more_than_they_must(
    count: int, serial: list[int], groups: int
) -> None:
    names = hosts(count)
    keep = [
        Keep(group=str(group), least=len(names[group::groups]) - 1, hosts=names[group::groups])
        for group in range(min(groups, count))
    ]
    same = [min(serial)]
    found = in_batches(names, serial=amounts(*same), keep=keep)
    assert len(found) == max(-(-count // same[0]), -(-count // groups))


@pytest.mark.parametrize("serial", [1, 40, 400])
def test_ten_thousand_hosts_of_two_hundred_values_take_no_second(serial: int) -> None:
    names = hosts(10_000)
    values = [f"s{number * 7919 % 200}" for number in range(10_000)]
    keep = [
        Keep(group="a", least=4_000, hosts=names[:5_000]),
        Keep(group="b", least=1_990, hosts=names[3_000:5_000]),
    ]
    started = time.thread_time()
    found = in_batches(names, serial=amounts(serial), values=values, keep=keep)
    assert time.thread_time() - started < 1
    assert sum(sizes(found)) == 10_000
