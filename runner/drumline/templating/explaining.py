"""Errors of jinja2 in words for the template's author, and where they came up."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from jinja2 import TemplateSyntaxError

from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.templating.failures import place_in, sentence

#: What jinja2 stumbles over when a template has an operator of another language, and what is meant.
_STUMBLED = re.compile(r"(?:unexpected|got|char) '([=&|!?])'")
_HINTS = {
    "=": "Compare with '=='.",
    "&": "Write 'and'.",
    "|": "Write 'or'.",
    "!": "Write 'not'.",
    "?": "Write 'a if condition else b'.",
}


def explained(error: TemplateSyntaxError) -> str:
    """What is wrong with the syntax, with a hint where the operator is one of another language."""
    message = sentence(error.message or "")
    stumbled = _STUMBLED.search(message)
    return f"{message} {_HINTS[stumbled[1]]}" if stumbled else message


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
