"""Results that are equal, or differ only by the host's own name, shown as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.model.outcome import Status
from drumline.model.plan import Plan
from drumline.model.traits import Shows
from drumline.reporting.diffs import diffs_in


class Foreseen(StrEnum):
    """What becomes of a task that was only checked, by what its status would be."""

    OK = "no change"
    CHANGED = "would change"


#: How a job ended, for people.
Outcome: TypeAlias = Status | Foreseen


def outcome_of(status: Status, check: bool) -> Outcome:
    """How a job of this status ended that was perhaps only checked."""
    if check and status in (Status.OK, Status.CHANGED):
        return Foreseen.OK if status is Status.OK else Foreseen.CHANGED
    return status


#: How many of the results that differ only by their hosts' names are shown.
MOST_SAMPLES = 3

#: Equal for results that differ at most by their hosts' names: step, status, whether it is ignored,
#: whether it was only checked, text.
Likeness: TypeAlias = tuple[int, Status, bool, bool, str]

#: The placeholder for the host's name or address when texts are compared.
_BLANK = "\x00"


class Fold(Struct):
    """Hosts on which a step ended in the same way: with the same status and text."""

    step: int
    status: Status
    result: Mapping[str, Any]  # that of the first host
    ignored: bool = False
    check: bool = False
    hosts: list[str] = []
    first_start: float = 0.0
    last_end: float = 0.0
    #: If the texts differ by the hosts' names: the results of the first few hosts.
    samples: dict[str, Mapping[str, Any]] = {}


class Folding:
    """Decides which results are equal."""

    def __init__(self, plan: Plan, verbose: int, address: Callable[[str], Any] | None = None) -> None:
        """``address`` gives a host's address, if it has one; without it, names and addresses make a difference."""
        self._plan = plan
        self._verbose = verbose
        self._address = address
        self._order: dict[str, int] = {}

    def grow(self, plan: Plan) -> None:
        """Something was added to the plan."""
        self._plan = plan
        self._order.clear()

    def ordered(self, hosts: Iterable[str]) -> list[str]:
        """The hosts in inventory order, so that two reports can be compared."""
        if not self._order:
            for known in dict.fromkeys(step.hosts for step in self._plan.steps):
                for host in known:
                    self._order.setdefault(host, len(self._order))
        return sorted(hosts, key=lambda host: self._order.get(host, -1))

    def text(self, step: int, status: Status, result: Mapping[str, Any], ignored: bool) -> str:
        """The text that is shown of a result."""
        if self._verbose > 1 or self._plan.steps[step].task.traits.shows is not Shows.OUTCOME:
            return _flat(result)
        return what_is_shown(status, result, ignored, self._verbose)

    def blanked(self, text: str, host: str) -> str:
        """The text without the host's own name, short name and address."""
        address = self._address(host) if self._address else None
        short = host.partition(".")[0]
        names = {host, short if not short.isdigit() else host, address if isinstance(address, str) else host}
        found = sorted((name for name in names if name and name in text), key=len, reverse=True)
        if not found:
            return text
        pattern = "|".join(map(re.escape, found))
        return re.sub(f"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", _BLANK, text)

    def merged(self, folds: Sequence[Fold]) -> list[Fold]:
        """Folds of one step, ordered by their first hosts; single hosts that differ only by their names are merged.

        Two hosts that report the same name are kept apart, since one of them is wrong about itself.
        """
        groups: dict[Any, list[Fold]] = {}
        for number, fold in enumerate(folds):
            single = self._address is not None and len(fold.hosts) == 1
            groups.setdefault(self.likeness(fold) if single else number, []).append(fold)
        found = [self._together(group) for group in groups.values()]
        return sorted(found, key=lambda fold: self._order.get(fold.hosts[0], -1))

    def likeness(self, fold: Fold) -> Likeness:
        """A key that is equal for folds that differ only by the names of their first hosts."""
        text = self.text(fold.step, fold.status, fold.result, fold.ignored)
        return fold.step, fold.status, fold.ignored, fold.check, self.blanked(text, fold.hosts[0])

    def _together(self, group: list[Fold]) -> Fold:
        if len(group) == 1:
            [fold] = group
            fold.hosts = self.ordered(fold.hosts)
            return fold
        results = {fold.hosts[0]: fold.result for fold in group}
        hosts = self.ordered(results)
        return Fold(
            group[0].step,
            group[0].status,
            results[hosts[0]],
            group[0].ignored,
            group[0].check,
            hosts,
            min(fold.first_start for fold in group),
            max(fold.last_end for fold in group),
            {host: results[host] for host in hosts[:MOST_SAMPLES]},
        )


def what_is_shown(status: Status, result: Mapping[str, Any], ignored: bool, verbose: int) -> str:
    """The part of a result that decides whether it is folded: all that is shown of a failure, else ``msg`` and output.

    The command isn't part of it, since it may differ only by the host's name.
    """
    if not verbose and status is Status.UNREACHABLE:
        return str(result.get("kind", result.get("msg")))  # each message names its own host, address or key
    if not verbose and status in (Status.OK, Status.CHANGED, Status.SKIPPED) and not ignored:
        message = result.get("msg", "")
        text = message if isinstance(message, str) else repr(message)
        diffs = diffs_in(result)
        return f"{text}{_flat(diffs)}" if diffs else text
    return _flat([result.get(name) for name in ("msg", "rc", "stdout", "stderr", "cut", "diff", "unclear", "results")])


def _flat(value: Any) -> str:
    """A value as text without escapes, in which a line end before a name isn't the letter n."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + "\x1e".join(f"{name}\x1f{_flat(item)}" for name, item in sorted(value.items(), key=_first)) + "}"
    if isinstance(value, list | tuple):
        return "[" + "\x1e".join(map(_flat, value)) + "]"
    return repr(value)


def _first(item: tuple[str, Any]) -> str:
    return str(item[0])
