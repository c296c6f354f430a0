"""Why a template can't be rendered, and where: errors of jinja2 in words for the template's author."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from jinja2 import TemplateSyntaxError

from drumline.diagnostics import Position
from drumline.errors import DrumlineError
from drumline.model.value import Template
from drumline.templating.budget import TookTooLong
from drumline.templating.jinja import Unresolved

#: What jinja2 stumbles over when a template has an operator of another language, and what is meant.
_STUMBLED = re.compile(r"(?:unexpected|got|char) '([=&|!?])'")
_HINTS = {
    "=": "Compare with '=='.",
    "&": "Write 'and'.",
    "|": "Write 'or'.",
    "!": "Write 'not'.",
    "?": "Write 'a if condition else b'.",
}


class TemplateFailed(DrumlineError):
    """A template of the author's can't be rendered. ``summary`` says why, ``position`` is the place in the file."""

    exit_status = 2

    def __init__(self, summary: str, position: Position | None = None) -> None:
        super().__init__(summary)
        self.position = position


class TemplateEnded(TemplateFailed):
    """The same, because it took too long or its job was stopped. ``timed_out``: the time-out of its task was up."""

    def __init__(self, error: TookTooLong, position: Position | None) -> None:
        super().__init__(str(error), position)
        self.timed_out = error.timed_out


class VariableUndefined(TemplateFailed, Unresolved):
    """The same, because a variable, an attribute or an item isn't there."""


def explained(error: TemplateSyntaxError) -> str:
    """What is wrong with the syntax, with a hint where the operator is one of another language."""
    message = sentence(error.message or "")
    stumbled = _STUMBLED.search(message)
    return f"{message} {_HINTS[stumbled[1]]}" if stumbled else message


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends a sentence already."""
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def place_in(template: Template, line: int | None) -> Position:
    """Line 1 of the template is where its value begins; further lines are taken to follow it in the file."""
    if line is None or line <= 1:
        return template.position
    return template.position._replace(line=template.position.line + line - 1, column=1)


def place_of(error: Exception, template: Template) -> Position:
    """The line that was being read or evaluated, of the template or of a file that it includes."""
    if isinstance(error, TemplateSyntaxError):
        included = error.filename if error.filename and Path(error.filename).is_absolute() else None
        return Position(included, error.lineno) if included else place_in(template, error.lineno)
    place = template.position
    for frame, number in traceback.walk_tb(error.__traceback__):
        code = frame.f_globals.get("__jinja_template__")
        if code is not None:
            line = code.get_corresponding_lineno(number)
            place = Position(code.name, line) if code.name else place_in(template, line)
    return place
