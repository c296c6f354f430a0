"""Tests (``x is …``) that jinja2 lacks: results of tasks, text, collections, versions, files of this machine.

Names, arguments and results are those that ansible-core documents for its tests of the same names.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2.exceptions import FilterArgumentError

from drumline.templating import regular

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), operator.eq),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le"), operator.le),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge"), operator.ge),
    **dict.fromkeys(("!=", "<>", "ne"), operator.ne),
}
_SEMVER = re.compile(
    r"v?(?P<core>\d+\.\d+\.\d+)(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z",
)
_STRICT = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?\Z")


def _result(value: Any, test: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FilterArgumentError(f"'is {test}' asks about a task's result, and this is a {type(value).__name__}.")
    return value


def failed(result: Any) -> bool:
    """The task failed there."""
    return bool(_result(result, "failed").get("failed", False))


def succeeded(result: Any) -> bool:
    """The task didn't fail there."""
    return not failed(result)


def changed(result: Any) -> bool:
    """The task changed something; of a loop, in any of its items."""
    found = _result(result, "changed")
    if "changed" not in found and isinstance(found.get("results"), list):
        return any(isinstance(item, Mapping) and item.get("changed", False) for item in found["results"])
    return bool(found.get("changed", False))


def skipped(result: Any) -> bool:
    """The task was skipped there."""
    return bool(_result(result, "skipped").get("skipped", False))


def unreachable(result: Any) -> bool:
    """The host couldn't be reached."""
    return bool(_result(result, "unreachable").get("unreachable", False))


def reachable(result: Any) -> bool:
    """The host could be reached."""
    return not unreachable(result)


def regex(
    value: Any, pattern: str, ignorecase: bool = False, multiline: bool = False, match_type: str = "search"
) -> bool:
    """The pattern matches somewhere in the text; at its beginning or all of it by ``match_type``."""
    if match_type not in ("search", "match", "fullmatch"):
        raise FilterArgumentError(f"match_type is 'search', 'match' or 'fullmatch', not '{match_type}'.")
    return bool(regular.match("test", pattern, regular.flags(ignorecase, multiline), str(value), match_type))


def match(value: Any, pattern: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """The text begins with what the pattern matches."""
    return regex(value, pattern, ignorecase, multiline, "match")


def search(value: Any, pattern: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """The pattern matches somewhere in the text."""
    return regex(value, pattern, ignorecase, multiline, "search")


def subset(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Everything in the first is in the other."""
    other = list(other)
    return all(item in other for item in one)


def superset(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Everything in the other is in the first."""
    return subset(other, one)


def contains(container: Any, item: Any) -> bool:
    """The item is in the container."""
    return item in container


def truthy(value: Any, convert_bool: bool = False) -> bool:
    """The value counts as true; with ``convert_bool`` words such as ``no`` and ``off`` count as they say."""
    if convert_bool and isinstance(value, str):
        words = {"y": True, "yes": True, "on": True, "1": True, "true": True, "t": True}
        words |= {"n": False, "no": False, "off": False, "0": False, "false": False, "f": False}
        value = words.get(value.lower(), value)
    return bool(value)


def falsy(value: Any, convert_bool: bool = False) -> bool:
    """The value counts as false."""
    return not truthy(value, convert_bool)


def version(
    value: Any,
    version: Any,
    operator: str = "eq",
    strict: bool | None = None,
    version_type: str | None = None,
) -> bool:
    """Compare versions: ``loose`` (default), ``strict``, ``semver``."""
    if operator not in _OPERATORS:
        raise FilterArgumentError(f"'{operator}' doesn't compare versions; {', '.join(_OPERATORS)} do.")
    kind = version_type or ("strict" if strict else "loose")
    if kind not in _VERSIONS:
        raise FilterArgumentError(f"There is no kind of version '{kind}'; there are {', '.join(_VERSIONS)}.")
    if value in (None, "") or version in (None, ""):
        raise FilterArgumentError("There is no version to compare.")
    key = _VERSIONS[kind]
    return _OPERATORS[operator](key(str(value)), key(str(version)))


def loose_version(text: str) -> list[tuple[int, int, str]]:
    """What orders versions of any form. Numbers and words in turn; a word comes before any number."""
    parts = [part for part in re.split(r"(\d+|[a-z]+|\.)", text) if part and part != "."]
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _strict(text: str) -> tuple[Any, ...]:
    found = _STRICT.match(text)
    if found is None:
        raise FilterArgumentError(f"'{text}' is no strict version, such as 1.2.3 or 1.2b1.")
    major, minor, patch, stage, number = found.groups()
    return (int(major), int(minor), int(patch or 0), (stage, int(number)) if stage else ("z", 0))


def _semver(text: str) -> tuple[Any, ...]:
    found = _SEMVER.match(text)
    if found is None:
        raise FilterArgumentError(f"'{text}' is no semantic version, such as 1.2.3-rc.1.")
    core = tuple(int(part) for part in found["core"].split("."))
    # semver.org, item 11: a pre-release comes before its release, numbers before words, fewer fields before more.
    fields = (found["pre"] or "").split(".")
    pre = [(0, int(field), "") if field.isdecimal() else (1, 0, field) for field in fields if field]
    return (*core, not pre, pre)


_VERSIONS: dict[str, Callable[[str], Any]] = {
    "loose": loose_version,
    "strict": _strict,
    "semver": _semver,
    "semantic": _semver,
}


def link_exists(path: str) -> bool:
    """There is something at the path, be it a broken link."""
    return os.path.lexists(path)
