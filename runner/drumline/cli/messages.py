"""Errors and warnings on a stream: coloured and wrapped at a terminal, plain elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

import click

from drumline.diagnostics import PLAIN, Diagnostic, Look, headline, indented
from drumline.errors import DrumlineError, FilesError
from drumline.source.vault import keyring


def look_of(file: TextIO) -> Look:
    """The style of messages on this file; ``NO_COLOR`` and ``TERM=dumb`` are honoured."""
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
    """Print an error on standard error: diagnostics of files with their places, others as summary and detail."""
    look = look_of(sys.stderr)
    if isinstance(error, FilesError):
        text = error.render(look)
    else:
        text = "\n".join([headline("error", error.summary, look), *indented(error.detail, look)])
    click.echo(_masked(text), err=True)


def _masked(text: str) -> str:
    """The text without what vault data has in it."""
    known = keyring().known
    if not known:
        return text
    from drumline.masking import Secrets

    secrets = Secrets()
    for value in known:
        secrets.add(value)
    return secrets.mask(text)


def show_warnings(diagnostics: Iterable[Diagnostic]) -> None:
    """Print warnings about the files, which don't stop the run, on standard error."""
    for diagnostic in diagnostics:
        click.echo(_masked(diagnostic.render("warning", look_of(sys.stderr))), err=True)


def show_warning(diagnostic: Diagnostic) -> None:
    """Print a warning on standard output, for a command whose answer it is."""
    click.echo(_masked(diagnostic.render("warning", look_of(sys.stdout))))
