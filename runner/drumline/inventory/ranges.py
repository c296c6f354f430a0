"""Host names as inventories write them: ``web[01:20].example.com``, ``db[a:f]``, ``app[0:10:2]``, ``web1:2222``.

Sources: "Adding ranges of hosts" in Ansible's inventory guide. Both ends of a range belong to it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

#: The most names that one pattern may stand for; more is a typo.
_MOST = 1_000_000
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RANGE = re.compile(r"\[([^\[\]]*)\]")
_BRACKETED = r"\[([^\[\]]+)\](?::([0-9]+))?\Z"
_WITH_PORT = r"((?:[^:\[\]]|\[[^\]]*\])+):([0-9]+)\Z"
#: Characters with another meaning in shells, patterns or addresses.
_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f$`&;|<>(){}\[\]*?!\"'\\#^=,@~]")


def expand(text: str) -> tuple[list[str], int | None]:
    """The names that the text stands for, and the port after them. Raises ``ValueError`` with a sentence."""
    pattern, port = _split_port(text)
    names = list(_expand_ranges(pattern)) if "[" in pattern or "]" in pattern else [pattern]
    for name in names:
        check_name(name)
    return names, port


def check_name(name: str) -> None:
    """Raise ``ValueError`` with a sentence if this isn't a valid host name."""
    if not name:
        raise ValueError("A host needs a name.")
    if bad := _FORBIDDEN.search(name):
        raise ValueError(f"{_shown(bad.group())} can't be part of the host name {name!r}.")
    if "/" in name or name in (".", ".."):
        raise ValueError(f"The host name {name!r} reads as a path, so files for this host would end up elsewhere.")
    if name.startswith("-"):
        raise ValueError(f"The host name {name!r} begins with '-', so programs would take it for an option.")
    if ":" in name and not is_ipv6(name):
        raise ValueError(f"{name!r} is neither an IPv6 address nor a name and a port.")


def check_group_name(name: str) -> None:
    """Raise ``ValueError`` with a sentence if this isn't a valid group name."""
    if not name:
        raise ValueError("A group needs a name.")
    if bad := _FORBIDDEN.search(name.replace(":", " ")):
        raise ValueError(f"{_shown(bad.group() if ':' not in name else ':')} can't be part of the group name {name!r}.")
    if name.startswith("-"):
        raise ValueError(f"The group name {name!r} begins with '-'.")


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address, perhaps with a zone (``fe80::1%eth0``)."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _shown(character: str) -> str:
    names = {" ": "A space", "\t": "A tab"}
    return names.get(character, f"The character {character!r}")


def _split_port(text: str) -> tuple[str, int | None]:
    if ":" not in text or is_ipv6(text):
        return text, None
    match = re.match(_BRACKETED, text)
    if match and is_ipv6(match[1]):
        return match[1], _port(match[2])
    match = re.match(_WITH_PORT, text)
    return (match[1], _port(match[2])) if match else (text, None)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not 0 < int(text) < 65536:
        raise ValueError(f"{text} isn't a port: ports go from 1 to 65535.")
    return int(text)


def _expand_ranges(pattern: str) -> Iterator[str]:
    parts = _RANGE.split(pattern)
    if any("[" in text or "]" in text for text in parts[::2]):
        raise ValueError(f"The brackets in {pattern!r} don't match.")
    ranges = [_sequence(text) for text in parts[1::2]]
    total = 1
    for values in ranges:
        total *= len(values)
    if total > _MOST:
        raise ValueError(f"{pattern!r} stands for {total:,} hosts; at most {_MOST:,} are allowed.")
    names = [parts[0]]
    for values, tail in zip(ranges, parts[2::2], strict=True):
        names = [f"{name}{value}{tail}" for name in names for value in values]
    yield from names


def _sequence(text: str) -> list[str] | _Numbers:
    begin, *rest = text.split(":")
    if len(rest) not in (1, 2):
        raise ValueError(f"[{text}] isn't a range: write [start:end] or [start:end:step].")
    end = rest[0]
    step = _number(rest[1], text) if len(rest) == 2 else 1
    if not end:
        raise ValueError(f"The range [{text}] has no end.")
    if step < 1:
        raise ValueError(f"The step of the range [{text}] has to be 1 or more.")
    if len(begin) == len(end) == 1 and begin in _LETTERS and end in _LETTERS:
        return _checked(list(_LETTERS[_LETTERS.index(begin) : _LETTERS.index(end) + 1 : step]), text)
    return _checked(_Numbers(begin or "0", end, step, text), text)


class _Numbers:
    """A range of numbers, with leading zeros if its first number has them; lazy."""

    def __init__(self, begin: str, end: str, step: int, text: str) -> None:
        self._values = range(_number(begin, text), _number(end, text) + 1, step)
        self._width = len(begin) if begin.startswith("0") and len(begin) > 1 else 0
        if self._width and len(end) != self._width:
            raise ValueError(
                f"The start of the range [{text}] has leading zeros; its end must have the same number of digits."
            )

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return (str(value).zfill(self._width) for value in self._values)


def _checked(values: list[str] | _Numbers, text: str) -> list[str] | _Numbers:
    if not len(values):
        raise ValueError(f"The range [{text}] is empty: its start comes after its end.")
    return values


def _number(text: str, whole: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(f"[{whole}] isn't a range: {text!r} is neither a number nor one letter.")
    return int(text)
