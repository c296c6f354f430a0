"""The contents of a directory on this machine that is copied to a host.

Links are followed, as in Ansible, but for those that lead nowhere and those that lead back to a directory that the walk
is in: these are made anew on the host, with the text that they have here. So a walk ends, whatever the links say.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from drumline.plugin import ActionFailed, Request, Sleep
from drumline.plugin.kit import readable

#: Entries of a directory that are copied at most. Links between neighbours lead back nowhere, and yet n of them make
#: n! paths.
MOST = 1_000_000
#: Entries between two looks at whether the job is to stop.
_BREATH = 1000


class TreeEntry(NamedTuple):
    """One entry below the directory that is copied."""

    below: str  #: Its path relative to that directory.
    path: Path
    directory: bool = False
    link: str | None = None  #: What a link says that is made anew.


def entries(source: Path, *, follow: bool) -> Generator[Request, None, list[TreeEntry]]:
    """All entries, each directory before its contents, in a stable order; raises ``ActionFailed``."""
    found: list[TreeEntry] = []
    for entry in _walk(source, follow=follow):
        found.append(entry)
        if len(found) > MOST:
            raise ActionFailed(
                f"{source} holds more than {MOST} files and directories, counting what its links lead to. Do links in"
                " it lead to each other?"
            )
        if len(found) % _BREATH == 0:
            yield Sleep(seconds=0)
    return found


def _walk(source: Path, *, follow: bool) -> Iterator[TreeEntry]:
    """Depth first, without recursion: a tree may be deeper than Python's stack."""
    with readable(source):
        status = source.stat()
    waiting: list[tuple[TreeEntry, frozenset[tuple[int, int]]]] = []
    entry, above = TreeEntry("", source, directory=True), frozenset({(status.st_dev, status.st_ino)})
    while True:
        inner = [_look(child, entry, above, follow=follow) for child in _children(entry.path)]
        yield from (child for child, _ in inner if not child.directory)
        waiting += [(child, around) for child, around in reversed(inner) if child.directory]
        if not waiting:
            return
        entry, above = waiting.pop()
        yield entry


def _children(directory: Path) -> list[os.DirEntry[str]]:
    with readable(directory), os.scandir(directory) as listing:
        return sorted(listing, key=lambda child: child.name)


def _look(
    child: os.DirEntry[str], parent: TreeEntry, above: frozenset[tuple[int, int]], *, follow: bool
) -> tuple[TreeEntry, frozenset[tuple[int, int]]]:
    """The entry for a name, and the directories that contain it, including itself if it is one."""
    entry = TreeEntry(f"{parent.below}/{child.name}" if parent.below else child.name, Path(child.path))
    with readable(entry.path):
        if child.is_symlink() and not (follow and os.path.exists(child.path)):
            return entry._replace(link=os.readlink(child.path)), above
        if not child.is_dir():
            return entry, above
        status = os.stat(child.path)
        itself = (status.st_dev, status.st_ino)
        if itself not in above:
            return entry._replace(directory=True), above | {itself}
        if child.is_symlink():
            return entry._replace(link=os.readlink(child.path)), above
    raise ActionFailed(f"{entry.path} is a directory that contains itself, so it can't be copied")
