"""What tasks have kept for the end of the run (``set_stats``), as the recap shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drumline.reporting.lines import Line, Part

_OF_RUN = ""  # no host has this name


class CustomStats:
    """By host, and of the whole run; what is aggregated is added as Ansible adds it."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def take(self, host: str, result: Mapping[str, Any]) -> None:
        """A job has ended with this result; of a loop each item may have kept something."""
        items = result.get("results")
        for one in items if isinstance(items, list) else [result]:
            stats = one.get("ansible_stats") if isinstance(one, Mapping) else None
            if isinstance(stats, Mapping) and isinstance(stats.get("data"), Mapping):
                kept = self._found.setdefault(host if stats.get("per_host") else _OF_RUN, {})
                for name, value in stats["data"].items():
                    aggregates = stats.get("aggregate", True) and name in kept
                    kept[name] = _added(kept[name], value) if aggregates else value

    def lines(self) -> Iterator[Line]:
        """The lines for people: those of hosts first."""
        import json  # imported late: few runs show any

        if self._found:
            yield [Part("custom stats", "bold")]
        for host, kept in sorted(self._found.items(), key=lambda item: (item[0] == _OF_RUN, item[0])):
            name = "the run" if host == _OF_RUN else host
            yield [Part(f"  {name}: ", "bold"), Part(json.dumps(kept, ensure_ascii=False, sort_keys=True), whole=True)]


def _added(one: Any, other: Any) -> Any:
    """Dictionaries are merged, lists joined, numbers added; of two kinds the later one replaces the earlier one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {**one, **{key: _added(one[key], value) if key in one else value for key, value in other.items()}}
    kinds = (list, str, int, float)
    alike = next((kind for kind in kinds if isinstance(one, kind) and isinstance(other, kind)), None)
    return other if alike is None else one + other
