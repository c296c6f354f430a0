"""What is wrong, said to a person: in colour and within the width at a terminal, as it is elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

import click

from drumline.diagnostics import PLAIN, Diagnostic, Look, headline, indented
from drumline.errors import DrumlineError, FilesError


def look_of(file: TextIO) -> Look:
    """How messages look on this file; ``NO_COLOR`` and ``TERM=dumb`` are honoured."""
    if not file.isatty():
        return PLAIN
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")
    return Look(colour, _width(file))


def _width(file: TextIO) -> int:
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal():
        return int(given)
    try:
        return os.get_terminal_size(file.fileno()).columns
    except OSError:
        return 0


def show_error(error: DrumlineError) -> None:
    """An error on standard error: diagnostics as they are, others as summary and detail."""
    look = look_of(sys.stderr)
    if isinstance(error, FilesError):
        text = error.render(look)
    else:
        text = "\n".join([headline("error", error.summary, look), *indented(error.detail, look)])
    click.echo(text, err=True)


def show_warnings(diagnostics: Iterable[Diagnostic]) -> None:
    """What looks wrong in the files and doesn't stop the run, on standard error."""
    for diagnostic in diagnostics:
        click.echo(diagnostic.render("warning", look_of(sys.stderr)), err=True)


def show_warning(diagnostic: Diagnostic) -> None:
    """A diagnostic of something that works, and may not be meant, on standard output."""
    click.echo(diagnostic.render("warning", look_of(sys.stdout)))
