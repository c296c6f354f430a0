"""What may be shown of a result under ``no_log``: what happened, and none of the values.

Only drumline's own words and numbers are shown: that a host was unreachable, that a command timed out, its exit code.
Messages are not, since they may quote an argument or the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drumline.execution.values import Values

_WHY = "The output is hidden because the task says 'no_log: true'."
#: Parts of a result that say what happened, and contain nothing from the task's arguments or from the host.
_TOLD = ("skipped", "unreachable", "kind", "reason", "timedout", "stopped", "rc", "attempts", "at")


def hidden(values: Mapping[str, Any]) -> Values:
    """The result to show: ``censored`` says in words what happened."""
    told = {name: values[name] for name in _TOLD if name in values}
    words = [*_happened(values), _WHY]
    return {"changed": values["changed"], "failed": values["failed"], **told, "censored": " ".join(words)}


def _happened(values: Mapping[str, Any]) -> list[str]:
    items = values.get("results")
    if isinstance(items, list):
        return _happened_in_loop([item for item in items if isinstance(item, Mapping)])
    if not values["failed"]:
        return []
    # As in Ansible, the attempts of a failure don't count the first one.
    tries = [f"It was tried {values['attempts'] + 1} times."] if values.get("attempts") else []
    return [_failure(values), *tries]


def _happened_in_loop(items: list[Mapping[str, Any]]) -> list[str]:
    failed = [item for item in items if item.get("failed")]
    if not failed:
        return []
    return [f"{len(failed)} of {len(items)} items failed, the first one like this:", *_happened(failed[0])]


def _failure(values: Mapping[str, Any]) -> str:
    if values.get("unreachable"):
        return f"{values.get('reason', 'The host is unreachable')}."
    if "timedout" in values:
        return f"Timed out after {values['timedout']['period']:g} seconds."
    if values.get("stopped"):
        return "It was stopped before it finished."
    if "at" in values:
        return f"A template failed at {values['at']}."
    if values.get("rc") is not None:
        return f"Failed with exit code {values['rc']}."
    return "Failed."
