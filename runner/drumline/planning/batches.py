"""Which hosts go through a play together, and in which order. Pure.

A batch is filled host by host. It takes at most ``serial`` hosts, and of each group at most as many as
``keep_available`` allows. With ``spread_by``, a value is repeated only when no host with another value fits; once every
value has occurred, each may occur once more. Of the hosts that fit, the next one taken is

1. from groups that would otherwise need more batches than the play has left, which keeps the number of batches small;
2. with the value that most of the remaining hosts have, which keeps values different up to the last batch;
3. the first in the play's order.

Finding the least number of batches is bin packing in several dimensions. If groups overlap, rule 1 isn't always enough:
taking hosts of few groups first may be better, so both are tried, and the one with fewer batches is used.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from drumline.model.plan import Keep
from drumline.model.playbook import Amount, Order

Hosts: TypeAlias = tuple[str, ...]
#: Returns the same hosts in random order.
Shuffle: TypeAlias = Callable[[Hosts], Hosts]


def put_in_order(hosts: Hosts, order: Order, shuffle: Shuffle) -> Hosts:
    """The hosts of a play, given in the order of its pattern, in the order in which they go through it."""
    if order is Order.SHUFFLE:
        return shuffle(hosts)
    if order in (Order.SORTED, Order.REVERSE_SORTED):
        return tuple(sorted(hosts, reverse=order is Order.REVERSE_SORTED))
    return hosts[::-1] if order is Order.REVERSE_INVENTORY else hosts


def in_batches(
    hosts: Hosts,
    *,
    serial: Sequence[Amount] = (),
    canary: Amount | None = None,
    values: Sequence[Hashable] | None = None,
    keep: Iterable[Keep] = (),
) -> tuple[Hosts, ...]:
    """The batches of a play, each in the play's order; together they hold each host once.

    ``values`` are those of ``spread_by``, one for each host. Every group in ``keep`` that has hosts of the play must
    have a host to spare. Percentages are of all hosts of the play, as in Ansible; an amount of 0 means all remaining
    hosts, as in Ansible, too.
    """
    if not hosts:
        return ()
    sizes = _Sizes(len(hosts), serial if canary is None else (canary, *(serial or (Amount(100, percent=True),))))
    found: list[list[list[int]]] = []
    for rank in (_urgency, _width):
        packing = _Packing(hosts, range(len(hosts)) if values is None else values, keep)
        least = packing.least_batches(sizes)
        found.append(list(packing.batches(sizes, rank)))
        if len(found[-1]) == least:
            break
    if min(map(len, found)) == 1:
        return (hosts,)  # ten thousand hosts cost one tuple
    return tuple(tuple(hosts[index] for index in sorted(batch)) for batch in min(found, key=len))


class _Sizes:
    """The most hosts that each batch may have; the last size holds for all later batches."""

    def __init__(self, count: int, amounts: Sequence[Amount]) -> None:
        self._sizes = [amount.at_most(count) for amount in amounts] or [count]
        self._sizes = [size if size > 0 else count for size in self._sizes]

    def __getitem__(self, batch: int) -> int:
        return self._sizes[min(batch, len(self._sizes) - 1)]

    def batches_for(self, hosts: int, batch: int) -> int:
        """How many batches this many hosts fill, from this one on."""
        for number, size in enumerate(self._sizes[batch:-1]):
            if hosts <= size:
                return number + 1
            hosts -= size
        return len(self._sizes[batch:-1]) + math.ceil(hosts / self._sizes[-1])


class _Group(Struct):
    """A group of ``keep_available``: the play's remaining hosts in it, and how many a batch may take."""

    most: int
    left: int = 0
    taken: int = 0  #: In this batch.


class _Candidate(NamedTuple):
    """The first host with a value; sorted so that the most common values come first."""

    rest: int  #: Remaining hosts with the value, negated; if the number has changed, the candidate is outdated.
    place: int
    value: Hashable


class _HostKind:
    """Hosts in the same groups of ``keep_available``: by value, in the play's order."""

    def __init__(self, groups: tuple[_Group, ...]) -> None:
        self.groups = groups
        self.hosts: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        self.candidates: list[_Candidate] = []

    def fits(self) -> bool:
        return all(group.taken < group.most for group in self.groups)


def _urgency(kind: _HostKind, batches: int) -> int:
    """How many of its groups don't fit into the later batches, negated."""
    return -sum(group.left > group.most * (batches - 1) for group in kind.groups)


def _width(kind: _HostKind, batches: int) -> int:
    return len(kind.groups)


#: Takes a kind and the number of remaining batches, including this one.
_Rank: TypeAlias = Callable[..., int]


class _Packing:
    """The hosts that are in no batch yet. Taking one costs nearly the same for ten hosts and ten thousand."""

    def __init__(self, hosts: Hosts, values: Sequence[Hashable], keep: Iterable[Keep]) -> None:
        self.left = len(hosts)
        self._rest = Counter(values)
        self._groups: list[_Group] = []
        groups_of: defaultdict[str, list[_Group]] = defaultdict(list)
        for kept in keep:
            group = _Group(len(kept.hosts) - kept.least)
            self._groups.append(group)
            for host in kept.hosts:
                groups_of[host].append(group)
        self._kinds = self._sorted(hosts, values, groups_of)

    def _sorted(
        self, hosts: Hosts, values: Sequence[Hashable], groups_of: defaultdict[str, list[_Group]]
    ) -> list[_HostKind]:
        kinds: dict[tuple[int, ...], _HostKind] = {}
        for index, (host, value) in enumerate(zip(hosts, values, strict=True)):
            groups = tuple(groups_of.get(host, ()))
            for group in groups:
                group.left += 1
            kind = kinds.setdefault(tuple(map(id, groups)), _HostKind(groups))
            kind.hosts[value].append(index)
        for kind in kinds.values():
            kind.candidates = [self._candidate(kind, value) for value in kind.hosts]
            heapify(kind.candidates)
        return list(kinds.values())

    def _candidate(self, kind: _HostKind, value: Hashable) -> _Candidate:
        return _Candidate(-self._rest[value], kind.hosts[value][0], value)

    def least_batches(self, sizes: _Sizes, batch: int = 0) -> int:
        """The least number of batches for the remaining hosts, from this one on."""
        of_groups = max((math.ceil(group.left / group.most) for group in self._groups if group.left), default=0)
        return max(sizes.batches_for(self.left, batch), of_groups)

    def batches(self, sizes: _Sizes, rank: _Rank) -> Iterator[list[int]]:
        """Indices of hosts, those of the lowest rank first if they fit."""
        for batch in count():
            if not self.left:
                return
            yield self._batch(sizes[batch], partial(rank, batches=self.least_batches(sizes, batch)))

    def _batch(self, size: int, rank: Callable[[_HostKind], int]) -> list[int]:
        taken: list[int] = []
        for group in self._groups:
            group.taken = 0
        while len(taken) < size and (more := self._round(size - len(taken), rank)):
            taken += more
        return taken

    def _round(self, size: int, rank: Callable[[_HostKind], int]) -> list[int]:
        """The hosts for the batch in one round, in which each value occurs once."""
        taken: dict[Hashable, int] = {}
        while len(taken) < size and (kind := self._best(rank)):
            value = heappop(kind.candidates).value
            taken[value] = kind.hosts[value].popleft()
            self.left -= 1
            self._rest[value] -= 1
            for group in kind.groups:
                group.left -= 1
                group.taken += 1
        for kind in self._kinds:
            for value in taken:
                if kind.hosts.get(value):
                    heappush(kind.candidates, self._candidate(kind, value))
        return list(taken.values())

    def _best(self, rank: Callable[[_HostKind], int]) -> _HostKind | None:
        """The kind of the next host to take."""
        fitting = [kind for kind in self._kinds if kind.fits() and self._has_candidate(kind)]
        return min(fitting, key=lambda kind: (rank(kind), kind.candidates[0]), default=None)

    def _has_candidate(self, kind: _HostKind) -> bool:
        """Drop outdated candidates; returns whether one is left."""
        while kind.candidates and -kind.candidates[0].rest != self._rest[kind.candidates[0].value]:
            heappop(kind.candidates)
        return bool(kind.candidates)
