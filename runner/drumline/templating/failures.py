"""Why a template can't be rendered, and where."""

from __future__ import annotations

from drumline.diagnostics import Position
from drumline.errors import DrumlineError
from drumline.model.value import Template
from drumline.templating.budget import TookTooLong
from drumline.templating.variables import Unresolved


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


class NotRun(TemplateFailed):
    """The same, because these files are only looked at: none of their code is run, nor what they have a lookup do."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"The {kind} '{name}' isn't run, since these files are only looked at.")


class VariableUndefined(TemplateFailed, Unresolved):
    """The same, because a variable, an attribute or an item isn't there."""


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends a sentence already."""
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def place_in(template: Template, line: int | None) -> Position:
    """Line 1 of the template is where its value begins; further lines are taken to follow it in the file."""
    if line is None or line <= 1:
        return template.position
    return template.position._replace(line=template.position.line + line - 1, column=1)
