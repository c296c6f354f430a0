"""The lookup ``filetree``: all that is in directories of the project, with what ``file`` and ``copy`` want of it.

Terms, options and results are those that community.general documents for its lookup of the same name.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context

from drumline.plugin import ActionFailed
from drumline.source.files import find_file
from drumline.templating import regular
from drumline.templating.bounds import limit_items
from drumline.templating.lookups import of_all_terms, search_path


@of_all_terms
def filetree(context: Context, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    """The entries of directories at any depth; where two have the same path, the first directory's."""
    exclude = options.get("exclude")
    found: dict[str, dict[str, Any]] = {}
    for term in terms:
        root = _directory(context, str(term))
        for path in _paths(root) if root is not None else ():
            if path in found or (exclude and regular.match("test", str(exclude), 0, path, "match")):
                continue
            limit_items(len(found) + 1)
            entry = _entry(root, path) if root is not None else None
            if entry is not None:
                found[path] = entry
    return list(found.values())


def _directory(context: Context, term: str) -> Path | None:
    """The directory that a term names; None if it doesn't exist, as one of several may."""
    try:
        return find_file(term.rstrip("/"), "files", search_path(context))
    except ActionFailed:
        return None


def _paths(root: Path) -> Iterator[str]:
    try:
        for directory, directories, files in os.walk(root):
            directories.sort()
            for name in (*directories, *sorted(files)):
                yield os.path.relpath(os.path.join(directory, name), root)
    except OSError as error:
        raise FilterArgumentError(f"{root} can't be read: {error.strerror}.") from None


def _entry(root: Path, path: str) -> dict[str, Any] | None:
    """What there is at a path below a directory; None for what is neither file, directory nor link."""
    place = root / path
    status = place.lstat()
    states = ((stat.S_ISLNK, "link"), (stat.S_ISDIR, "directory"), (stat.S_ISREG, "file"))
    state = next((word for is_state, word in states if is_state(status.st_mode)), None)
    if state is None:
        return None
    src = os.readlink(place) if state == "link" else str(place) if state == "file" else None
    return {
        "root": str(root),
        "path": path,
        "state": state,
        **({} if src is None else {"src": src}),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "owner": _name(lambda: pwd.getpwuid(status.st_uid).pw_name, status.st_uid),
        "group": _name(lambda: grp.getgrgid(status.st_gid).gr_name, status.st_gid),
        "mode": f"0{stat.S_IMODE(status.st_mode):o}",
        "size": status.st_size,
        "mtime": status.st_mtime,
        "ctime": status.st_ctime,
    }


def _name(look_up: Callable[[], str], number: int) -> str | int:
    try:
        return look_up()
    except KeyError:  # no one has this number
        return number
