"""Local facts: what an administrator has put on a host, as files or as programs that print it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from configparser import ConfigParser, Error
from typing import Any

from drumline_actions.facts.said import Facts, split

#: Bytes of one fact that a host sends at most.
LIMIT = 1 << 18


def local_facts(parts: Mapping[str, bytes], errors: bytes, word: str, late: float) -> tuple[Facts, list[str]]:
    """``local``, and warnings of those that couldn't be read.

    ``errors`` is what the programs have said of errors, ``late`` the seconds after which one was given up.
    """
    said = split(errors, word)
    found: Facts = {}
    warnings: list[str] = []
    for name in sorted(filter(is_local_fact, parts), key=_number):
        path, _, rest = parts[name].partition(b"\n")
        how, _, content = rest.partition(b"\n")
        place = path.decode(errors="replace")
        if not place:
            continue
        code = parts.get(f"{name} code", b"").strip() or None
        fact, problem = _fact(place, how, content, code, said.get(name, b"").decode(errors="replace"), late)
        found[place.rpartition("/")[2].replace(".fact", "")] = fact
        if problem:
            warnings.append(str(fact))
    return {"local": found}, warnings


def is_local_fact(part: str) -> bool:
    """Whether a part of this name is a local fact."""
    return part.startswith("local") and part[5:].isdigit()


def _number(name: str) -> int:
    return int(name[5:])


def _fact(place: str, how: bytes, content: bytes, code: bytes | None, errors: str, late: float) -> tuple[Any, bool]:
    """The fact, and whether it is the description of a mistake."""
    if how == b"no":
        return f"Could not stat fact ({place}): it isn't a file", True
    if code is None and len(content) >= LIMIT - 200:
        return f"error loading fact - {place} has more than {LIMIT >> 10} KiB", True
    if code is None:
        return f"Could not execute fact script ({place}): no answer within {late:g} s", True
    if code != b"0":
        return f"Failure executing fact script ({place}), rc: {code.decode()}, err: {errors.strip(chr(10))}", True
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return f'error loading fact - output of running "{place}" was not utf-8', True
    return _parsed(text, place)


def _parsed(text: str, place: str) -> tuple[Any, bool]:
    try:
        return json.loads(text), False
    except (ValueError, RecursionError):
        pass
    parser = ConfigParser()
    try:
        parser.read_string(text)
    except Error:
        return f"error loading facts as JSON or ini - please check content: {place}", True
    try:
        return {section: dict(parser.items(section)) for section in parser.sections()}, False
    except Error as error:
        return f"error loading facts as ini - please check content: {place} ({error})", True
