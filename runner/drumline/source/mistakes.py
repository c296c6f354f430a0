"""Mistakes of several steps, reported together and in the order of the files."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError


class Mistakes:
    """Runs several steps and keeps what is wrong with the files that they read."""

    def __init__(self) -> None:
        self.found = Diagnostics()

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
        raise FilesError(_in_order(mistakes.found))


def _in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Mistakes file by file, in the order in which files come up, each file's by lines."""
    paths: dict[str, int] = {}
    for diagnostic in found:
        paths.setdefault(diagnostic.position.path if diagnostic.position else "", len(paths))
    return sorted(
        found, key=lambda one: (paths[one.position.path], *one.position[1:]) if one.position else (paths[""],)
    )
