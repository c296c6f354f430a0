"""The type of arguments that name a path on the host."""

from __future__ import annotations


class HostPath(str):
    """A path on the host as the author wrote it: ``~`` and variables in it are the host's.

    What is ``below`` it, a separator ahead of it, are names of files: data, in which nothing is expanded.
    """

    below: str

    def __new__(cls, written: str, below: str = "") -> HostPath:
        path = super().__new__(cls, written)
        path.below = below
        return path
