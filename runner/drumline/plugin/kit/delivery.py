"""A file of the host that is to hold some content: compared and replaced, in one round trip where it is small.

The script that compares also changes. Small content travels with it; larger content is asked for first, and uploaded
only when the host's file differs. The new file is made beside the old one, compared, and moved over it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.model.outcome import Result
from drumline.model.target import Platform
from drumline.plugin.actions import ActionFailed, Argument, Call, Written
from drumline.plugin.hostpath import HostPath
from drumline.plugin.kit.arguments import ATTRIBUTES, mode_text
from drumline.plugin.kit.asking import Answered, HostAnswer, ask, readable_text, result_of, temporaries
from drumline.plugin.kit.diffs import content_diff, host_diff, state_diff
from drumline.plugin.kit.scripts import Script
from drumline.plugin.kit.transfer import Content, fill

#: Functions of scripts that put content at ``$dest``: ``settle``, ``place``, ``placed``.
PLACE = Script.beside(__file__, "place")
_DELIVER = Script.beside(__file__, "deliver", needs=(PLACE,))
_NUMBERS = ("size", "uid", "gid")

#: Where a file goes, and how: for every action that uses :func:`deliver`.
TARGET = (
    Argument(
        name="dest",
        type=HostPath,
        required=True,
        help="Path on the host; a directory if it is one there or ends with a slash",
    ),
    *ATTRIBUTES,
    Argument(name="force", type=bool, default=True, help="Replace a file that differs"),
    Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
    Argument(
        name="follow",
        type=bool,
        default=False,
        platforms=(Platform.POSIX,),
        help="Where dest is a link, write the file that it points to",
    ),
    Argument(
        name="validate",
        platforms=(Platform.POSIX,),
        help="Command that must accept the new file (its path is %s) before it takes its place",
    ),
)


def check_target(written: Written) -> Iterator[tuple[str, str]]:
    """What is wrong with arguments of ``TARGET`` that no host can change."""
    command = written.arguments.get("validate")
    if command and "%s" not in command:
        yield "validate", "'validate' must contain %s, the placeholder for the new file."


def deliver(
    call: Call,
    content: Content,
    *,
    dest: HostPath | None = None,
    name: str = "",
    main: bool = True,
    **settings: Any,
) -> Answered:
    """Make ``dest`` (by default the task's own) hold the content; give the answer to :func:`placed`.

    ``name`` is what the file is called when ``dest`` is a directory. ``settings`` go before the task's own
    (:func:`target_settings`). ``main``: whether the task is done with it.
    """
    variables = {
        "dest": call["dest"] if dest is None else dest,
        "name": name,
        "checksum": content.checksum,
        **temporaries(),
        **target_settings(call),
        **settings,
    }
    if content.small is not None:
        if call.platform is Platform.WINDOWS:
            return (yield from ask(call, _DELIVER, main=main, origin="text", content=content.small, **variables))
        return (yield from ask(call, _DELIVER, main=main, origin="stdin", stdin=content.small, **variables))
    answer = yield from ask(call, _DELIVER, origin="check", **variables)
    if "upload" not in answer:
        return answer
    yield from fill(call, content, answer["upload"])
    variables["dest"] = answer["dest"]
    return (yield from ask(call, _DELIVER, main=main, origin="upload", upload=answer["upload"], **variables))


def target_settings(call: Call) -> dict[str, Any]:
    """What a task's ``TARGET`` says, as variables for scripts that need ``PLACE``."""
    given = call.arguments
    settings = {"force": given.get("force", True), "backup": given.get("backup")}
    if call.platform is Platform.WINDOWS:
        return settings
    mode = None if given.get("mode") == "preserve" else mode_text(given.get("mode"))
    directories = given.get("directory_mode")
    return settings | {
        "follow": given.get("follow"),
        "owner": given.get("owner"),
        "group": given.get("group"),
        "mode": mode,
        "directory_mode": mode_text(directories),
        "validate": _validation(given.get("validate")),
        "since": None,
        "parents": False,
    }


def _validation(command: str | None) -> str | None:
    """The command as ``place.sh`` evaluates it, where ``$tmp`` is the new file."""
    if not command:
        return None
    if "%s" not in command:
        raise ActionFailed(f"validate must contain %s, the placeholder for the new file: {command}")
    return " ".join(_validation_word(word) for word in shlex.split(command))


def _validation_word(word: str) -> str:
    return '"$tmp"'.join(shlex.quote(part) if part else "" for part in word.split("%s")) or "''"


def placed(call: Call, answer: HostAnswer, content: Content | None = None, *, src: str | None = None) -> Result:
    """The result of putting a file somewhere. Ansible names its source only where it was put there anew."""
    moved = bool(answer.pop("moved", False))
    written = moved or bool(answer.pop("would", False))
    diff = _diff(call, answer, content, src) if written else state_diff(answer, path=readable_text(answer["dest"]))
    made = replace(file_result(call, answer, **({} if src is None else {"src": src})), diff=diff)
    if call.platform is Platform.WINDOWS:
        return made
    left_out = "path" if written else "src"
    values = {name: value for name, value in made.values.items() if name != left_out}
    if moved and content is not None:
        values["md5sum"] = content.md5()
    return replace(made, values=values)


def _diff(call: Call, answer: HostAnswer, content: Content | None, src: str | None) -> list[dict[str, Any]]:
    """The diff of what was written; without ``content`` it is of the host, and the script has said what it holds."""
    if not call.diff:
        return []
    dest = readable_text(answer["dest"])
    if content is None:
        return [host_diff(answer, dest, after_header=src)]
    return [content_diff(answer, content.shown(), dest, after_header=src)]


def file_result(call: Call, answer: HostAnswer, **values: Any) -> Result:
    """The answer of a script that reports on a file (``report``), with Ansible's names and types."""
    found: HostAnswer = {key: int(value) if key in _NUMBERS else value for key, value in answer.items()}
    if "mode" in found:
        found["mode"] = found["mode"].zfill(4)
    if call.platform is Platform.POSIX and "checksum" in found and "mode" in found:
        found["state"] = "file"
    return result_of(found, **values)
