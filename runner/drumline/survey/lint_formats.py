"""Findings for people and for other programs: JSON, SARIF 2.1.0 for code scanners, and GitHub's log commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drumline import __version__
from drumline.diagnostics import PLAIN, Look, counted
from drumline.survey.linting import Finding, Level

#: GitHub and SARIF have their own words for levels.
_GITHUB = {Level.ERROR: "error", Level.WARNING: "warning", Level.ADVICE: "notice"}
_SARIF = {Level.ERROR: "error", Level.WARNING: "warning", Level.ADVICE: "note"}


def as_text(findings: Sequence[Finding], look: Look = PLAIN) -> str:
    """As mistakes of a run are shown; advice ends with its id, by which it can be turned off."""
    parts = []
    for finding in findings:
        text = finding.diagnostic.render(finding.level.value, look)
        parts.append(f"{text}\n  [{finding.id}]" if finding.level is Level.ADVICE else text)
    counts = [
        counted(sum(one.level is level for one in findings), noun)
        for level, noun in ((Level.ERROR, "error"), (Level.WARNING, "warning"))
    ]
    advice = sum(one.level is Level.ADVICE for one in findings)
    parts.append(f"{', '.join(counts)}, {counted(advice, 'piece')} of advice" if findings else "Nothing to say.")
    return "\n".join(parts)


def as_json(findings: Sequence[Finding]) -> str:
    """A list, for programs."""
    return json.dumps([_data(finding) for finding in findings], indent=2, ensure_ascii=False)


def _data(finding: Finding) -> dict[str, Any]:
    position = finding.diagnostic.position
    place = {"path": position.path, "line": position.line, "column": position.column} if position else {}
    said = {"summary": finding.diagnostic.summary, "detail": finding.diagnostic.detail}
    return {"id": finding.id, "level": finding.level.value, **place, **said}


def as_sarif(findings: Sequence[Finding]) -> str:
    """SARIF, which code scanners read."""
    rules = {finding.id: finding.diagnostic.summary for finding in findings}
    results = [_result(finding) for finding in findings]
    driver = {
        "name": "drumline",
        "version": __version__,
        "rules": [{"id": name, "shortDescription": {"text": text}} for name, text in sorted(rules.items())],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _result(finding: Finding) -> dict[str, Any]:
    position = finding.diagnostic.position
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "level": _SARIF[finding.level],
        "message": {"text": _sentences(finding)},
    }
    if position is not None:
        place = {
            "artifactLocation": {"uri": position.path.replace(" ", "%20")},
            "region": {"startLine": position.line, "startColumn": position.column},
        }
        result["locations"] = [{"physicalLocation": place}]
    return result


def _sentences(finding: Finding) -> str:
    return ". ".join(part for part in (finding.diagnostic.summary, finding.diagnostic.detail) if part)


def as_github(findings: Sequence[Finding]) -> str:
    """Lines that GitHub shows at their places."""
    lines = []
    for finding in findings:
        position = finding.diagnostic.position
        place = {"file": position.path, "line": position.line, "col": position.column} if position else {}
        given = {**place, "title": f"{finding.diagnostic.summary} ({finding.id})"}
        properties = ",".join(f"{name}={_escaped(str(value), ',:')}" for name, value in given.items())
        text = _escaped(finding.diagnostic.detail or finding.diagnostic.summary)
        lines.append(f"::{_GITHUB[finding.level]} {properties}::{text}")
    return "\n".join(lines)


def _escaped(text: str, more: str = "") -> str:
    for char in f"%\r\n{more}":
        text = text.replace(char, f"%{ord(char):02X}")
    return text


FORMATS: Mapping[str, Callable[[Sequence[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
