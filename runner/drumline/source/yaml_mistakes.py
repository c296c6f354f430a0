"""What is wrong with a file that isn't YAML, in words for its author: the library's own words help few people."""

from __future__ import annotations

import re

import yaml

from drumline.diagnostics import Diagnostic, Position
from drumline.source.yaml import YamlRefused, too_deep

#: The message of the library's scanner, which reads ahead of the events, for nesting that is too deep (since 6.0.4).
_LIBRARY_TOO_DEEP = "exceeded maximum nesting depth"
_UNQUOTED_BRACES = r"(?:^|[:\-]\s)\s*\{\{"
#: Messages of the library, and the usual mistake behind each.
_HINTS = (
    (
        "mapping values are not allowed",
        'Text that contains ": " has to be quoted, and all keys of a dictionary begin in the same column.',
    ),
    (
        "expected '-' indicator",
        "Each item of a list begins with '- ', and its other keys begin in the column of its first one.",
    ),
    (
        "expected key",
        "All keys of a dictionary begin in the same column, and text that begins with a quote ends with that quote.",
    ),
    ("cannot start any token", "Text that begins with @, %, ` or another special character has to be quoted."),
    ("expected alphabetic", "Text that begins with * or & has to be quoted."),
    ("escape character", "In double quotes, a backslash begins an escape; put text with backslashes in single quotes."),
    ("hexdecimal", "In double quotes, a backslash begins an escape; put text with backslashes in single quotes."),
    ("unexpected end of stream", "The quote that begins here is never closed."),
)


def syntax_mistake(error: yaml.YAMLError, text: str, path: str) -> Diagnostic:
    """The mistake for which a text couldn't be parsed."""
    if isinstance(error, YamlRefused):
        return error.mistake
    if isinstance(error, yaml.reader.ReaderError):
        position = position_at(text.encode()[: error.position].decode(errors="ignore"), path)
        return Diagnostic(summary="This file isn't valid YAML", detail=f"{error.reason}.", position=position)
    assert isinstance(error, yaml.MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    if error.context_mark and "end of stream" in (error.problem or ""):
        mark = error.context_mark
    assert mark is not None
    position = Position(path, mark.line + 1, mark.column + 1)
    if error.problem == _LIBRARY_TOO_DEEP:
        return too_deep(position).mistake
    lines = text.splitlines()
    conflict = next((number for number, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")), None)
    if conflict is not None:
        detail = "A merge left both versions in it, between '<<<<<<<' and '>>>>>>>'. Choose one, and remove the marks."
        return Diagnostic(summary="A merge conflict", detail=detail, position=Position(path, conflict))
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[mark.column : mark.column + 1] == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        detail = "YAML is indented with spaces only. Replace the tab with spaces."
        return Diagnostic(summary="A tab is used as indentation", detail=detail, position=position)
    return Diagnostic(summary="This file isn't valid YAML", detail=_explain(error, line, lines), position=position)


def _explain(error: yaml.MarkedYAMLError, line: str, lines: list[str]) -> str:
    context = f"{error.context}: " if error.context else ""
    detail = f"{context}{error.problem}."
    context_line = error.context_mark.line if error.context_mark else len(lines)
    near = [line, lines[context_line] if context_line < len(lines) else ""]
    if any(re.search(_UNQUOTED_BRACES, text) for text in near):
        return f'{detail}\nA value that begins with "{{{{" has to be quoted: "{{{{ … }}}}".'
    hint = next((hint for words, hint in _HINTS if words in (error.problem or "")), "")
    return f"{detail}\n{hint}" if hint else detail


def position_at(before: str, path: str) -> Position:
    """The place after the text ``before``."""
    return Position(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
