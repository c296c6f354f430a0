"""The values that a task registers, in Ansible's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from drumline.model.outcome import Result, Status
from drumline.model.value import Template
from drumline.plugin.runs import Stopped

#: ``changed``, ``failed``, perhaps ``skipped`` and ``msg``, and the values of the action.
Values: TypeAlias = dict[str, Any]


def to_values(result: Result) -> Values:
    """The values of an action's result, with the lines of its output."""
    values: Values = {"changed": result.changed, "failed": result.failed, **result.values}
    add_lines(values)
    if result.message:
        values["msg"] = result.message
    if result.skipped:
        values["skipped"] = True
    if result.diff is not None:
        values["diff"] = result.diff
    if result.unclear:
        values["unclear"] = result.unclear
    if result.facts:
        values["ansible_facts"] = dict(result.facts)
    return values


def failure(message: str, **values: Any) -> Values:
    """A failure before or instead of the action's own result."""
    return {"changed": False, "failed": True, "msg": message, **values}


def timed_out(seconds: float | None) -> Values:
    """The values of a result, besides its message, if the task's time was up, as in Ansible."""
    return {} if seconds is None else {"timedout": {"period": seconds}}


def skipped(condition: Any) -> Values:
    """The values of a task whose condition, shown as written, was false."""
    return {
        "changed": False,
        "failed": False,
        "skipped": True,
        "skip_reason": "Conditional result was False",
        "false_condition": condition,
    }


def unclear(reason: str, **values: Any) -> Values:
    """The values of a task that was only to be checked, and of which it can't be known what it would do."""
    return {"changed": False, "failed": False, "skipped": True, "msg": reason, **values, "unclear": reason}


def without_diffs(values: Values) -> Values:
    """The same without what the task, or its items, would show as a diff."""
    if "diff" not in values and "results" not in values:
        return values
    found = {name: value for name, value in values.items() if name != "diff"}
    if isinstance(found.get("results"), list):
        found["results"] = [without_diffs(item) if isinstance(item, dict) else item for item in found["results"]]
    return found


def stopped_values(stopped: Stopped, values: Mapping[str, Any]) -> Values:
    """The values of a stopped job, with the reason in front of its own message."""
    known: Values = {"changed": False, **values, "failed": True, "stopped": True}
    if stopped.reason:
        known["msg"] = stopped.reason
    return {**known, "failed": False, "skipped": True} if stopped.status is Status.SKIPPED else known


def aggregate(results: Sequence[Values]) -> Values:
    """The results of a loop as one; ``results`` has each item's."""
    values: Values = {
        "changed": any(result["changed"] for result in results),
        "failed": any(result["failed"] for result in results),
        "skipped": all(result.get("skipped") for result in results),
        "results": list(results),
    }
    if results:
        values["msg"] = _message(values)
    else:
        values["skipped_reason"] = "No items in the list"
    reasons = [result["unclear"] for result in results if result.get("unclear")]
    if reasons:
        values["unclear"] = reasons[0]
    facts: dict[str, Any] = {}
    for result in results:
        facts |= result.get("ansible_facts", {})
    if facts:
        values["ansible_facts"] = facts
    return values


def _message(values: Values) -> str:
    if values["failed"]:
        return "One or more items failed"
    return "All items skipped" if values["skipped"] else "All items completed"


def registered(values: Mapping[str, Any], facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What ``register`` keeps of a result: with the facts that it set, without the labels of its items."""
    if "results" in values and isinstance(values["results"], list):
        items = [without_label(item) for item in values["results"]]
        return {**values, "results": items}
    return {**values, "ansible_facts": dict(facts)} if facts else values


def as_written(value: Any) -> Any:
    """What an author wrote as data: a template is its text."""
    if isinstance(value, Template):
        return value.text
    if isinstance(value, Mapping):
        return {name: as_written(item) for name, item in value.items()}
    return [as_written(item) for item in value] if isinstance(value, list) else value


def without_label(item: Any) -> Any:
    """An item's result as Ansible has it."""
    return {name: value for name, value in item.items() if name != "label"} if isinstance(item, dict) else item


def without_lines(values: Values) -> Values:
    """The same without ``stdout_lines`` and ``stderr_lines``, which only repeat the output."""
    found = values.copy()
    for _, lines in _STREAMS:
        found.pop(lines, None)
    return found


def with_lines(values: Mapping[str, Any]) -> Values:
    """The same with ``stdout_lines`` and ``stderr_lines``."""
    found = dict(values)
    add_lines(found)
    return found


def add_lines(values: Values) -> None:
    """Add ``stdout_lines`` and ``stderr_lines`` for output that is text."""
    for stream, lines in _STREAMS:
        text = values.get(stream)
        if isinstance(text, str):
            values[lines] = text.splitlines()


_STREAMS = (("stdout", "stdout_lines"), ("stderr", "stderr_lines"))


def flatten(items: Any) -> list[Any]:
    """Flatten one level of lists, as ``with_items`` does; a single value becomes a list."""
    found = items if isinstance(items, (list, tuple)) else [items]
    return [inner for item in found for inner in (item if isinstance(item, (list, tuple)) else [item])]
