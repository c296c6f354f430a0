"""Errors and warnings on a stream: coloured and wrapped at a terminal, plain elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TextIO, TypeAlias

import click

from drumline.diagnostics import PLAIN, Diagnostic, Look, headline, indented
from drumline.errors import DrumlineError, FilesError
from drumline.source.vault import keyring

Mask: TypeAlias = Callable[[str], str]


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
    look, mask = look_of(sys.stderr), _mask()
    if isinstance(error, FilesError):
        text = FilesError(_masked(one, mask) for one in error.diagnostics).render(look)
    else:
        text = "\n".join([headline("error", mask(error.summary), look), *indented(mask(error.detail), look)])
    click.echo(mask(text), err=True)


def show_warnings(diagnostics: Iterable[Diagnostic]) -> None:
    """Print warnings about the files, which don't stop the run, on standard error."""
    look, mask = look_of(sys.stderr), _mask()
    for diagnostic in diagnostics:
        click.echo(_warning(diagnostic, look, mask), err=True)


def show_warning(diagnostic: Diagnostic) -> None:
    """Print a warning on standard output, for a command whose answer it is."""
    click.echo(_warning(diagnostic, look_of(sys.stdout), _mask()))


def _warning(diagnostic: Diagnostic, look: Look, mask: Mask) -> str:
    return mask(_masked(diagnostic, mask).render("warning", look))


def _masked(diagnostic: Diagnostic, mask: Mask) -> Diagnostic:
    """The diagnostic with its words masked: rendering may break a line within a secret, which hides it from the mask.

    What is rendered is masked once more, for the line of the file that it quotes.
    """
    return Diagnostic(summary=mask(diagnostic.summary), detail=mask(diagnostic.detail), position=diagnostic.position)


def _mask() -> Mask:
    """What takes out of a text what vault data has in it."""
    known = keyring().known
    if not known:
        return str
    from drumline.masking import Secrets

    secrets = Secrets()
    for value in known:
        secrets.add(value)
    return secrets.mask
