"""Many host names in short form, for people: ``web[01-40], db1``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

#: Long digit sequences are serial numbers or addresses; at most their last eighteen digits are folded.
_NUMBER = re.compile(r"[0-9]{1,18}")


class _Split(Struct, frozen=True):
    """A name split at one of its numbers."""

    before: str
    after: str


def fold_hosts(names: Iterable[str]) -> str:
    """The names, each once, with runs of numbers folded and groups in order of appearance, separated by ``", "``.

    Of several numbers in a name, the one that varies most in other names is folded; of equal ones, the last.
    ``["web09", "web10", "web12", "db1"]`` gives ``"web[09-10,12], db1"``.
    """
    splits = {name: _splits(name) for name in dict.fromkeys(names)}
    common = Counter(split for found in splits.values() for split, _ in found)
    groups: dict[_Split | str, list[str]] = {}
    for name, found in splits.items():
        # Most names have one number: nothing to choose.
        chosen: tuple[_Split | str, str] = (
            found[0] if len(found) == 1 else max(reversed(found), key=lambda pair: common[pair[0]], default=(name, ""))
        )
        split, number = chosen
        groups.setdefault(split, []).append(number)
    return ", ".join(_folded(key, numbers) for key, numbers in groups.items())


# Each wave of a run folds the same names again.
@lru_cache(maxsize=65_536)
def _splits(name: str) -> tuple[tuple[_Split, str], ...]:
    return tuple((_Split(name[: m.start()], name[m.end() :]), m.group()) for m in _NUMBER.finditer(name))


def _folded(key: _Split | str, numbers: list[str]) -> str:
    if isinstance(key, str):
        return key
    if len(numbers) == 1:
        return f"{key.before}{numbers[0]}{key.after}"
    return f"{key.before}[{','.join(_runs(numbers))}]{key.after}"


def _runs(numbers: list[str]) -> list[str]:
    runs: list[list[str]] = []
    for number in sorted(numbers, key=lambda text: (int(text), len(text))):
        if runs and number == _successor(runs[-1][-1]):
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ["-".join(run) for run in runs]


def _successor(number: str) -> str:
    return str(int(number) + 1).zfill(len(number))
