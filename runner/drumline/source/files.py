"""Where the files that a task names are found on this machine, and how those that are read whole are read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from drumline.errors import FilesError
from drumline.model.playbook import Play, Task
from drumline.plugin import ActionFailed
from drumline.source.inputs import note_content
from drumline.source.vault import opened


def search_path(task: Task, play: Play) -> Sequence[Path]:
    """The directories in which the files that a task names are looked for, in order, as Ansible does.

    They are those of its role and of the roles in which that stands, the one of the task's file, and the playbook's.
    """
    roles = tuple(role.path for role in (*task.role.parents, task.role)) if task.role else ()
    return _search_path(os.getcwd(), roles, task.position.path, play.position.path)


@lru_cache(maxsize=1024)
def _search_path(working: str, roles: tuple[str, ...], task: str, play: str) -> Sequence[Path]:
    beside = (Path(working, path).parent for path in (task, play))
    return tuple(dict.fromkeys((*map(Path, reversed(roles)), *beside)))


def find_file(src: str, directory: str, places: Sequence[Path]) -> Path:
    """The file or directory that ``src`` means: an absolute path (``~`` too), else below one of these places.

    There ``directory`` (``files``, ``templates``) is looked at first. Raises ``ActionFailed`` with all places.
    """
    written = Path(src).expanduser()
    if written.is_absolute():
        places = [written]
    else:
        places = [path for place in places for path in (place / directory / written, place / written)]
    for place in places:
        if place.exists():
            return _with_an_end(place)
    tried = ", ".join(str(place) for place in places)
    raise ActionFailed(f"There is no file '{src}' on this machine. Looked for {tried}.")


def read_file(path: Path, most: int) -> bytes:
    """The file's content. Raises ``OSError``, also for more than ``most`` bytes and for what isn't a file."""
    kind = _endless_kind(path.stat().st_mode, path)
    if kind:
        raise OSError(errno.EINVAL, f"it is {kind}, not a file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1024 // 1024} MiB")
    note_content(path, content)
    return content


def read_clear(path: Path, most: int) -> bytes:
    """The same, decrypted where ansible-vault encrypted it. Raises ``OSError`` also where it can't be."""
    try:
        return opened(path, read_file(path, most))
    except FilesError as error:
        raise OSError(errno.EACCES, error.diagnostics[0].detail.rstrip(".")) from None


def _with_an_end(path: Path) -> Path:
    kind = _endless_kind(path.stat().st_mode, path)
    if kind:
        raise ActionFailed(f"{path} is {kind}, not a file: nothing says where it ends.")
    return path


def _endless_kind(mode: int, path: Path) -> str:
    """What it is that has no end of its own, or may keep whoever reads it waiting; empty for files and directories."""
    if os.path.realpath(path) == os.devnull:
        return ""
    return next((name for is_kind, name in _ENDLESS if is_kind(mode)), "")


_ENDLESS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)
