"""What ``drumline simulate`` is asked, from words to a scenario: names are checked, patterns become tasks and hosts."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from msgspec.structs import replace

from drumline.diagnostics import did_you_mean
from drumline.errors import FilesError, UsageError
from drumline.forecast.draws import Range, Scenario, key_of
from drumline.forecast.durations import TaskKey
from drumline.inventory.patterns import select
from drumline.loading.timing import amount
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Amount, Play, Playbook
from drumline.source.moments import duration

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_SHARE = re.compile(rf"({_NUMBER})(%?)\Z")


def scenario_of(
    plan: Plan,
    inventory: Inventory,
    *,
    take: Iterable[str] = (),
    fail: Iterable[str] = (),
    slow: Iterable[str] = (),
    origin: Mapping[str, str] | None = None,
) -> Scenario:
    """Each word is ``NAME=VALUE``; where several name the same task or host the last one counts.

    Raises ``UsageError`` for words that can't be read, and for names that the plan or the inventory doesn't have.
    """
    taken = {
        key: _range(value, word) for word, name, value in _pairs("--take", take) for key in _tasks(plan, name, word)
    }
    fails = {
        key: _share(value, word) for word, name, value in _pairs("--fail", fail) for key in _tasks(plan, name, word)
    }
    slowed = {
        host: _factor(value, word)
        for word, name, value in _pairs("--slow", slow)
        for host in _hosts(inventory, name, word)
    }
    return Scenario(take=taken, fail=fails, slow=slowed, origin=origin or {})


def in_batches(playbook: Playbook, text: str) -> Playbook:
    """Every play in batches of these sizes: ``20``, ``25%``, or a list of them, ``1,10%``. Raises ``UsageError``."""
    serial = tuple(_amount(part.strip(), text) for part in text.split(","))
    return replace(playbook, plays=tuple(_in_batches(play, serial) for play in playbook.plays))


def _in_batches(play: Play, serial: tuple[Amount, ...]) -> Play:
    deferred = {name: value for name, value in play.deferred.items() if name != "serial"}
    return replace(play, serial=serial, deferred=deferred)


def _amount(part: str, text: str) -> Amount:
    found = amount(part)
    if found is None or found.value <= 0 or (found.percent and found.value > 100):
        _refuse(f"--serial {text}", f"'{part}' has to be a number of hosts from 1 or a share of them: 20, 25%.")
    return found


def _pairs(option: str, words: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for word in words:
        name, equals, value = word.rpartition("=")
        if not equals or not name:
            _refuse(f"{option} {word}", "It has the form NAME=VALUE.")
        yield f"{option} {word}", name, value


def _tasks(plan: Plan, name: str, word: str) -> list[TaskKey]:
    """The tasks that a name means: ``task``, ``play.task``, or a pattern with ``*`` and ``?`` of one of these."""
    keys = list(dict.fromkeys(key_of(plan, step) for step in plan.steps))
    found = [key for key in keys if fnmatch.fnmatchcase(key[1], name) or fnmatch.fnmatchcase(".".join(key), name)]
    if not found:
        known = [task for _, task in keys]
        _refuse(word, f"The plan has no task '{name}'.{did_you_mean(name, known)} Its tasks: {', '.join(known)}.")
    return found


def _hosts(inventory: Inventory, pattern: str, word: str) -> tuple[str, ...]:
    try:
        return select(pattern, inventory)
    except FilesError as error:
        raise FilesError([replace(found, detail=f"{word}: {found.detail}") for found in error.diagnostics]) from None


def _range(text: str, word: str) -> Range:
    try:
        seconds = [_seconds(part) for part in text.split("-")]
    except ValueError:
        seconds = []  # reported below, like too many
    if len(seconds) not in (1, 2):
        _refuse(word, f"'{text}' has to be a time or a range of two: 30, 30s, 1m30s, 20s-40s.")
    if sorted(seconds) != seconds or (len(seconds) == 2 and seconds[0] == 0):
        _refuse(word, "The shorter time of a range comes first, and is more than 0.")
    return Range(seconds[0], seconds[-1])


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(_NUMBER, text) else duration(text)


def _share(text: str, word: str) -> float:
    match = _SHARE.match(text)
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= share <= 1:
        _refuse(word, f"'{text}' has to be a share of the jobs: 5%, or 0.05.")
    return share


def _factor(text: str, word: str) -> float:
    if not re.fullmatch(_NUMBER, text) or float(text) <= 0:
        _refuse(word, f"'{text}' has to be how many times as long it takes there: 3, or 0.5.")
    return float(text)


def _refuse(word: str, detail: str) -> NoReturn:
    raise UsageError("This can't be simulated", f"{word}: {detail}")
