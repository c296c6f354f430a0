"""How much of a directory of playbooks and roles loads, and what is missing for the rest, by count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from drumline.diagnostics import Diagnostic
from drumline.survey.checking import Checked

#: What is missing, by the summary of the mistake that says so; the rest is said by its summary.
_MISSING = {
    "Keyword not supported yet": "keywords",
    "Action not supported yet": "actions",
    "Unknown action": "actions",
    "Filter not supported yet": "filters",
    "Unknown filter": "filters",
    "Test not supported yet": "tests",
    "Unknown test": "tests",
    "Lookup not supported yet": "lookups",
    "Unknown lookup": "lookups",
}
_QUOTED = re.compile(r"(?<!\w)'([^'\n]+)'")


class Coverage(Struct, frozen=True, kw_only=True):
    """What came of all units. ``missing``: by kind and name, how often it stands there and in how many units."""

    units: Mapping[str, int]
    loading: Mapping[str, int]
    refused: int  #: How many of the others Ansible refuses too, for each of their mistakes.
    missing: Mapping[str, Mapping[str, tuple[int, int]]]
    stubs: Mapping[str, int]  #: Stood-in actions, by how many units use them.

    @property
    def share(self) -> float:
        """The share of units that load, in percent."""
        return self._of(sum(self.units.values()))

    @property
    def share_of_valid(self) -> float:
        """The same of those that Ansible doesn't refuse."""
        return self._of(sum(self.units.values()) - self.refused)

    def _of(self, total: int) -> float:
        return 100 * sum(self.loading.values()) / total if total else 100.0


def coverage_of(checked: Iterable[Checked]) -> Coverage:
    """The counts."""
    units: Counter[str] = Counter()
    loading: Counter[str] = Counter()
    refused = 0
    stubs: Counter[str] = Counter()
    times: dict[str, Counter[str]] = {}
    places: dict[str, Counter[str]] = {}
    for one in checked:
        kind = one.unit.kind.value
        units[kind] += 1
        loading[kind] += not one.mistakes
        refused += bool(one.mistakes) and one.refused.issuperset(one.mistakes)
        stubs.update(one.stubs)
        named = [_named(mistake, mistake in one.refused) for mistake in one.mistakes]
        for kind, name in named:
            times.setdefault(kind, Counter())[name] += 1
        for kind, name in set(named):
            places.setdefault(kind, Counter())[name] += 1
    missing = {
        kind: {name: (times[kind][name], count) for name, count in sorted(found.items(), key=_most_first)}
        for kind, found in sorted(places.items(), key=lambda item: item[0] not in _MISSING.values())
    }
    return Coverage(
        units=dict(units), loading=dict(loading), refused=refused, missing=missing, stubs=dict(stubs.most_common())
    )


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _named(mistake: Diagnostic, refused: bool) -> tuple[str, str]:
    """What a mistake says is missing: its kind and name; else "mistakes" or "refused" and what it says."""
    kind = _MISSING.get(mistake.summary)
    found = _QUOTED.search(mistake.detail)
    if kind and found:
        return kind, found[1]
    return ("refused" if refused else "mistakes"), mistake.summary


def as_json(coverage: Coverage) -> dict[str, Any]:
    """For programs."""
    return {
        "units": dict(coverage.units),
        "loading": dict(coverage.loading),
        "share": round(coverage.share, 1),
        "refused_by_ansible": coverage.refused,
        "share_of_valid": round(coverage.share_of_valid, 1),
        "missing": {
            kind: {name: {"times": times, "units": units} for name, (times, units) in found.items()}
            for kind, found in coverage.missing.items()
        },
        "stubs": dict(coverage.stubs),
    }


def as_text(coverage: Coverage, most: int) -> str:
    """For people; of each kind the ``most`` frequent ones (0: all)."""
    total = sum(coverage.units.values())
    if not total:
        return "Found no playbook and no role."
    lines = [f"{coverage.share:.1f}% load: {sum(coverage.loading.values())} of {total}"]
    lines += [
        f"  {coverage.loading.get(kind, 0)} of {count} {kind}{'s' if kind != 'tasks' else ''}"
        for kind, count in sorted(coverage.units.items())
    ]
    if coverage.refused:
        lines.append(
            f"Ansible refuses {coverage.refused} of the others too; of the rest {coverage.share_of_valid:.1f}% load"
        )
    for kind, found in coverage.missing.items():
        lines += ["", f"{_TITLES.get(kind, kind)} (files, times):"]
        shown = list(found.items())[: most or None]
        width = max(len(name) for name, _ in shown)
        lines += [f"  {name:{width}}  {units:5} {times:6}" for name, (times, units) in shown]
        if len(found) > len(shown):
            lines.append(f"  and {len(found) - len(shown)} more")
    if coverage.stubs:
        names = ", ".join(f"{name} ({count})" for name, count in list(coverage.stubs.items())[: most or None])
        lines += ["", f"{len(coverage.stubs)} names were stood in for: {names}"]
    return "\n".join(lines)


_TITLES = {
    "keywords": "Missing keywords",
    "actions": "Missing actions",
    "filters": "Missing filters",
    "tests": "Missing tests",
    "lookups": "Missing lookups",
    "mistakes": "Other mistakes",
    "refused": "Mistakes that Ansible refuses too",
}
