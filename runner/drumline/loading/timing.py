"""The keywords of timing: how the values of barriers, batches and starts are read, and what can't stand together.

Their values are fixed before the run; those that hold templates come here once they are rendered
(:mod:`drumline.loading.deferred`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.loading import keywords
from drumline.loading.keywords import KeywordReader, Read
from drumline.model.playbook import Amount, Barrier, Debugger, Late, Order, Play, Start, Strategy, Task
from drumline.plugin.actions import Action
from drumline.source.moments import duration, instant
from drumline.source.nodes import Node

_AMOUNT = r"(-?[0-9]{1,15})|([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*%"
_PERCENT = r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*%?"

Choice = TypeVar("Choice", Debugger, Order, Late)


def amount(text: str) -> Amount | None:
    """``3``, ``-1`` or ``25%`` as an amount; None for other text. A share may be above 100%."""
    match = re.fullmatch(_AMOUNT, text)
    if match is None:
        return None
    return Amount(float(match[2]), percent=True) if match[2] else Amount(int(match[1]))


def _amount(reader: KeywordReader, keyword: str, node: Node) -> Amount | None:
    found = amount(_text(node))
    if found is None:
        share = f"{node.value * 100:g}%" if isinstance(node.value, float) and 0 < node.value < 1 else "30%"
        reader.wrong(keyword, f"a whole number or a share such as {share}", node)
        return None
    if found.percent and found.value > 100:
        reader.problem(f"'{keyword}' is a share of what there is, and {found} is more than all of it.", node)
        return None
    return found


def _text(node: Node) -> str:
    """Text and numbers as text; ``""`` for what can't be an amount."""
    return "" if isinstance(node.value, (bool, list, dict)) else str(node.value).strip()


def _positive(reader: KeywordReader, keyword: str, node: Node) -> Amount | None:
    found = _amount(reader, keyword, node)
    if found is not None and found.value <= 0:
        reader.problem(f"'{keyword}' has to be 1 at least, or a share above 0%.", node)
        return None
    return found


def _serial(reader: KeywordReader, keyword: str, node: Node) -> tuple[Amount, ...] | None:
    items = node.value if isinstance(node.value, list) else [node]
    sizes = [_amount(reader, keyword, item) for item in items]
    # For Ansible a number below 1 means all that are left.
    return tuple(size if size.percent or size.value > 0 else Amount(100, percent=True) for size in sizes if size)


def _keep_available(reader: KeywordReader, keyword: str, node: Node) -> dict[str, Amount] | None:
    if not isinstance(node.value, dict):
        reader.wrong(keyword, "a dictionary such as {app: 70%, db: 2}", node)
        return None
    kept = {group: _kept(reader, f"{keyword}: {group}", entry.node) for group, entry in node.value.items()}
    return {group: found for group, found in kept.items() if found is not None}


def _kept(reader: KeywordReader, keyword: str, node: Node) -> Amount | None:
    found = _amount(reader, keyword, node)
    if found is not None and found.value < 0:
        reader.problem(f"'{keyword}' can't be negative.", node)
        return None
    return found


def _max_fail_percentage(reader: KeywordReader, keyword: str, node: Node) -> float | None:
    match = re.fullmatch(_PERCENT, _text(node))
    if match is None or float(match[1]) > 100:
        reader.wrong(keyword, "a percentage from 0 to 100", node)
        return None
    return float(match[1])


def _throttle(reader: KeywordReader, keyword: str, node: Node) -> int | None:
    text = _text(node)
    if not re.fullmatch(r"[0-9]{1,15}", text):
        reader.wrong(keyword, "a whole number that isn't negative", node)
        return None
    return int(text)


def _order(reader: KeywordReader, keyword: str, node: Node) -> Order | None:
    return choice(reader, keyword, node, Order)


def _late(reader: KeywordReader, keyword: str, node: Node) -> Late | None:
    return choice(reader, keyword, node, Late)


def choice(
    reader: KeywordReader, keyword: str, node: Node, choices: type[Choice], *, without: Choice | None = None
) -> Choice | None:
    """One of the words of an enumeration, but for one that isn't written."""
    text = reader.constant(keyword, node)
    known = {str(word): word for word in choices if word is not without}
    try:
        return None if text is None else known[str(text)]
    except KeyError:
        hint = did_you_mean(str(text), known) or f" It takes {', '.join(known)}."
        reader.problem(f"'{keyword}' can't be {text!r}.{hint}", node)
        return None


def _duration(reader: KeywordReader, keyword: str, node: Node) -> float | None:
    seconds = _moment(reader, keyword, node, duration, "a duration such as 10m")
    if seconds is not None and seconds <= 0:
        reader.problem(f"'{keyword}' has to be longer than nothing.", node)
        return None
    return seconds


def _instant(reader: KeywordReader, keyword: str, node: Node) -> float | None:
    return _moment(reader, keyword, node, instant, "a time such as 2026-12-01T02:00:00+01:00")


def _moment(
    reader: KeywordReader, keyword: str, node: Node, parse: Callable[[str], float], wanted: str
) -> float | None:
    if isinstance(node.value, (bool, list, dict)):
        reader.wrong(keyword, wanted, node)
        return None
    try:
        return parse(str(node.value))
    except ValueError as error:
        reader.problem(f"'{keyword}' can't be {node.value!r}. {error}", node)
        return None


def _barrier(reader: KeywordReader, keyword: str, node: Node) -> Barrier | None:
    parts = _parts(reader, keyword, node, keywords.BARRIER, "{quorum: 90%, deadline: 10m, late: drop}")
    if parts is None:
        return None
    if "late" in parts and "quorum" not in parts and "deadline" not in parts:
        detail = "Nothing is late without a 'deadline', or a 'quorum' under 100%: add one of them."
        parts.problem(detail, parts.entries["late"].node)
    return Barrier(**parts.values({"quorum": _positive, "deadline": _duration, "late": _late}))


def _start(reader: KeywordReader, keyword: str, node: Node) -> Start | None:
    parts = _parts(reader, keyword, node, keywords.START, "{together: true, max_skew: 100ms}")
    if parts is None:
        return None
    if all(parts.node(part) is None for part in parts.entries):
        parts.problem("'start' needs one of 'together', 'max_skew' and 'at'.", node)
    if not parts.value("together", parts.boolean, True):
        detail = "A task with a 'start' begins together on all hosts. Leave 'start' out where that isn't wanted."
        parts.problem(detail, parts.entries["together"].node)
    return Start(**parts.values({"max_skew": _duration, "at": _instant}))


def _parts(
    reader: KeywordReader, keyword: str, node: Node, known: frozenset[str], example: str
) -> KeywordReader | None:
    """A reader of the parts of a keyword that takes a dictionary."""
    if not isinstance(node.value, dict):
        reader.wrong(keyword, f"a dictionary such as {example}", node)
        return None
    keywords.check_known(node.value, known, f"'{keyword}'", reader.found)
    return KeywordReader(node.value, reader.found)


#: How the keywords of plays, of tasks, and those that a play passes on to its tasks are read.
PLAY: Mapping[str, Read] = {
    "barrier": _barrier,
    "canary": _positive,
    "keep_available": _keep_available,
    "max_fail_percentage": _max_fail_percentage,
    "order": _order,
    "serial": _serial,
    "spread_by": KeywordReader.identifier,
}
TASK: Mapping[str, Read] = {"barrier": _barrier, "start": _start}
INHERITED: Mapping[str, Read] = {"any_errors_fatal": KeywordReader.boolean, "throttle": _throttle}


def check_barriers(play: Play, found: Diagnostics) -> None:
    """Say of each barrier of a play without waves that nothing ends there."""
    if play.strategy is not Strategy.FREE:
        return
    owners: tuple[Play | Task, ...] = (play, *play.tasks)
    for owner in owners:
        if "barrier" in owner.positions:
            detail = "With 'strategy: free' there are no waves, so nothing waits at a 'barrier'. Remove one of the two."
            found.add("These keywords exclude each other", detail=detail, position=owner.positions["barrier"])


def check_start(task: Task, action: Action, found: Diagnostics) -> None:
    """Say what keeps a task with ``start`` from being held back and let go on all hosts."""
    if not _has_start(task):
        return
    position = task.positions["start"]
    if not action.can_start:
        detail = f"Only a command can be held back, and '{action.name}' is not: use command, shell or script."
        found.add("This action can't be held back", detail=detail, position=position)
    for keyword, is_there in (
        ("loop", task.loop is not None),
        ("until", task.retries is not None),
        ("delegate_to", task.delegate_to is not None and not task.run_once),
    ):
        if is_there:
            detail = f"A task with 'start' begins once, on each of its hosts; that leaves nothing to '{keyword}'."
            found.add("These keywords exclude each other", detail=detail, position=position)
    check_throttle(task, found)


def check_throttle(task: Task, found: Diagnostics) -> None:
    """Say that ``start`` needs all hosts at once where ``throttle``, of the task or its play, lets only some in."""
    if _has_start(task) and task.throttle:
        detail = f"'start' needs all hosts at once; 'throttle' lets {task.throttle} in. Set 'throttle: 0' on this task."
        found.add("These keywords exclude each other", detail=detail, position=task.positions["start"])


def _has_start(task: Task) -> bool:
    return task.start is not None or "start" in task.deferred
