"""``archive``: files of the host in one compressed file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import (
    ATTRIBUTES,
    PLACE,
    Script,
    ask,
    expanding_word,
    labelled,
    placed,
    target_settings,
    temporaries,
)

_ARCHIVE = Script.beside(__file__, "archive", needs=(PLACE,))
_LISTS = ("archived", "missing", "expanded_paths", "expanded_exclude_paths")
_STATES = ("arcroot", "dest_state")
#: Bytes that an answer may have: it names all files.
_MOST = 64 << 20


def perform(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _ARCHIVE,
        main=True,
        most=_MOST,
        paths=_words(call["path"]),
        excluded=_words(call["exclude_path"]),
        patterns="\n".join(map(str, call["exclusion_patterns"] or ())),
        dest=call["dest"] or "",
        format=call["format"],
        force_archive=call["force_archive"],
        remove=call["remove"],
        **temporaries(),
        **target_settings(call),
    )
    said: dict[str, Any] = {name: answer.pop(name, []) for name in _LISTS}
    said |= {name: answer.pop(name, "") for name in _STATES}
    removed = bool(answer.pop("removed", False))
    result = placed(call, answer)
    return replace(result, changed=result.changed or removed, values={**result.values, **said}, diff=None)


def _words(paths: Sequence[Any]) -> str:
    """Paths as words of ``sh``, in which ``~``, variables and wildcards are expanded, and nothing else is."""
    return " ".join(_pattern(str(path)) for path in paths)


def _pattern(path: str) -> str:
    if "\n" in path:
        raise ActionFailed(f"A path with a line end can't be archived: {path!r}")
    if not set(path) & set("*?"):
        return expanding_word(path)
    first, *others = re.split(r"([*?\[\]])", path)
    words = [part if part in "*?[]" else shlex.quote(part) for part in others if part]
    return (expanding_word(first) if first else "") + "".join(words)


ACTIONS = (
    Action(
        name="archive",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Put files of the host into a compressed archive there",
        arguments=(
            Argument(name="path", type=list, required=True, help="Files and directories on the host; * and ? work"),
            Argument(name="dest", type=HostPath, help="The archive; default for one file: its name with the format"),
            Argument(
                name="format", default="gz", choices=("bz2", "gz", "tar", "xz", "zip"), help="How it is compressed"
            ),
            Argument(name="exclude_path", type=list, default=(), help="Paths to leave out; * and ? work"),
            Argument(
                name="exclusion_patterns", type=list, help="Names in the archive to leave out; * matches / as well"
            ),
            Argument(name="force_archive", type=bool, default=False, help="Make one of a single file, too"),
            Argument(name="remove", type=bool, default=False, help="Delete what was archived"),
            *ATTRIBUTES,
        ),
        platforms=(Platform.POSIX,),
    ),
)
