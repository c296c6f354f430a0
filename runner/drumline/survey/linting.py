"""``drumline lint``: what is wrong below some paths, and advice, each with an id and a place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, did_you_mean
from drumline.errors import DrumlineError, FilesError, UsageError
from drumline.lint.advice import RULES, advise
from drumline.lint.waits import lint_waits
from drumline.loading.connection import check_connections
from drumline.loading.ids import slug
from drumline.source.vault import keyring
from drumline.survey.checking import Checked, Checker
from drumline.survey.finding import Kind, Unit, units_in

#: Advice that comes from elsewhere than the rules for tasks.
_WAITS = "endless-wait"
#: A comment that turns advice off: ids after the word and a colon, or the word alone for all.
_NOQA = re.compile(r"#\s*noqa(?::\s*([\w-]+(?:\s*,\s*[\w-]+)*))?\s*(?:#.*)?\Z")


class Level(StrEnum):
    """How bad it is: a run is refused, or has it said, or it is advice."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was found."""

    id: str
    level: Level
    diagnostic: Diagnostic


def lint(paths: Sequence[Path], skipped: Collection[str] = (), *, trusted: bool = False) -> list[Finding]:
    """Everything that there is to say, file by file. Only what is ``trusted`` runs any of its code.

    Raises ``UsageError`` for a path or an id that isn't there."""
    _check_ids(skipped)
    found: dict[tuple[str, Diagnostic], Finding] = {}
    with Checker(trusted=trusted).working() as checker:
        for unit in units_in(paths, checker.actions, everything=True):
            for finding in _of_unit(unit, checker):
                where = replace(finding.diagnostic, detail=_without_chain(finding.diagnostic.detail))
                found.setdefault((finding.id, where), finding)
    wanted = (one for one in found.values() if one.level is Level.ERROR or not _is_off(one, skipped))
    return sorted(wanted, key=_place)


def _of_unit(unit: Unit, checker: Checker) -> Iterator[Finding]:
    if unit.kind is Kind.INVENTORY:
        yield from _of_inventory(unit, checker)
        return
    if unit.kind is Kind.VARIABLES:
        yield from (_finding(Level.ERROR, mistake) for mistake in checker.check_variables(unit))
        return
    checked = checker.check(unit)
    yield from (_finding(Level.ERROR, mistake) for mistake in checked.mistakes)
    yield from (_finding(Level.WARNING, warning) for warning in checked.warnings)
    for rule, diagnostic in _advice(checked, checker):
        for mended in checker.mended([diagnostic], unit):
            yield Finding(id=rule, level=Level.ADVICE, diagnostic=mended)


def _advice(checked: Checked, checker: Checker) -> Iterator[tuple[str, Diagnostic]]:
    for rule, diagnostic in advise(checked.playbook, checker.actions):
        if not checker.made(diagnostic):
            yield rule, diagnostic
    if checked.plan is not None:
        yield from ((_WAITS, diagnostic) for diagnostic in lint_waits(checked.plan, {}))


def _of_inventory(unit: Unit, checker: Checker) -> Iterator[Finding]:
    plugins = checker.plugins
    try:
        inventory = checker.inventory(unit)
    except FilesError as error:
        yield from (_finding(Level.ERROR, mistake) for mistake in error.diagnostics)
        return
    except DrumlineError as error:
        yield _finding(Level.ERROR, Diagnostic(summary=error.summary, detail=error.detail))
        return
    for mistake in check_connections(inventory.hosts.values(), plugins.transports):
        yield _finding(Level.ERROR, mistake)
    yield from (_finding(Level.WARNING, warning) for warning in (*inventory.warnings, *keyring().locked))


def _finding(level: Level, diagnostic: Diagnostic) -> Finding:
    return Finding(id=slug(diagnostic.summary), level=level, diagnostic=diagnostic)


def _without_chain(detail: str) -> str:
    """Files that several others import are found several times."""
    return "\n".join(line for line in detail.splitlines() if not re.match(r"(?:Imported|Included) in ", line))


def _place(finding: Finding) -> tuple[str, int, int, str]:
    position = finding.diagnostic.position
    return (position.path, position.line, position.column, finding.id) if position else ("", 0, 0, finding.id)


def _check_ids(skipped: Collection[str]) -> None:
    known = [*(rule.id for rule in RULES), _WAITS]
    for name in skipped:
        if name not in known:
            detail = f"'{name}' is not one of {', '.join(known)}.{did_you_mean(name, known)}"
            raise UsageError("No such advice", detail)


def _is_off(finding: Finding, skipped: Collection[str]) -> bool:
    if finding.id in skipped:
        return True
    position = finding.diagnostic.position
    lines = _lines(position.path) if position else ()
    found = _NOQA.search(lines[position.line - 1]) if position and 0 < position.line <= len(lines) else None
    if found is None:
        return False
    return found[1] is None or finding.id in re.split(r"\s*,\s*", found[1])


@lru_cache(maxsize=8)
def _lines(path: str) -> tuple[str, ...]:
    try:
        return tuple(line.rstrip() for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return ()
