"""Mistakes of several steps, reported together and in the order of the files."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError


class Mistakes:
    """Runs several steps and keeps what is wrong with the files that they read."""

    def __init__(self) -> None:
        self.found = Diagnostics()
        #: Files that were imported by others, and where.
        self.imported: Mapping[str, Position] = {}

    def of(self, step: Callable[[], Any]) -> Any:
        """What the step returns; None when the files that it reads are wrong. A place is reported once."""
        try:
            return step()
        except FilesError as error:
            known = {diagnostic.position for diagnostic in self.found} - {None}
            self.found.extend(diagnostic for diagnostic in error.diagnostics if diagnostic.position not in known)

    def add_apart(self, diagnostics: Iterable[Diagnostic], tasks: Iterable[Position]) -> None:
        """Note those of tasks in which nothing is reported yet: one mistake may only follow from another."""
        starts = sorted(tasks)

        def task_of(diagnostic: Diagnostic) -> int:
            return bisect(starts, diagnostic.position) if diagnostic.position else -1

        known = {task_of(diagnostic) for diagnostic in self.found} - {-1}
        self.found.extend(diagnostic for diagnostic in diagnostics if task_of(diagnostic) not in known)


@contextmanager
def gathered() -> Iterator[Mistakes]:
    """Raise ``FilesError`` at the end, with all mistakes that were found."""
    mistakes = Mistakes()
    yield mistakes
    if mistakes.found:
        raise FilesError(sorted_mistakes(mistakes.found, mistakes.imported))


def sorted_mistakes(
    found: Iterable[Diagnostic], imported: Mapping[str, Position], paths: Sequence[str] = ()
) -> list[Diagnostic]:
    """Mistakes file by file, in the order of ``paths``, then of their coming up; each file's by lines.

    A mistake in a file that is imported more than once is reported once.
    Those in imported files say what led there; ``imported`` says of such a file where that is.
    """
    places = {path: place for place, path in enumerate(paths)}
    found = dict.fromkeys(found)
    for diagnostic in found:
        places.setdefault(diagnostic.position.path if diagnostic.position else "", len(places))
    ordered = sorted(
        found, key=lambda one: (places[one.position.path], *one.position[1:]) if one.position else (places[""],)
    )
    return [_with_chain(diagnostic, imported) for diagnostic in ordered]


def _with_chain(diagnostic: Diagnostic, imported: Mapping[str, Position]) -> Diagnostic:
    """The mistake, and after it what imported its file, and what that file, up to the one that was named."""
    lines = diagnostic.detail.splitlines()
    left = dict(imported)  # files that are named, too, may import each other
    at = diagnostic.position
    while at is not None and (at := left.pop(at.path, None)):
        said = f"Imported in {at}."
        if said not in lines:  # it may have been said when the file was read
            lines.append(said)
    detail = "\n".join(lines)
    return diagnostic if detail == diagnostic.detail else replace(diagnostic, detail=detail)
