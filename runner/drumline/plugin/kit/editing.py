"""A file of the host that is edited here, by Python's regular expressions: read, worked on, written.

That is one round trip where nothing changes, and another where something does. The file is replaced at once, and only
if it is still the one that was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import Any

from msgspec import Struct

from drumline.model.outcome import Result
from drumline.model.request import Request
from drumline.model.target import Platform
from drumline.plugin.actions import ActionFailed, Argument, Call
from drumline.plugin.hostpath import HostPath
from drumline.plugin.kit.arguments import ATTRIBUTES, mode_text
from drumline.plugin.kit.asking import HostAnswer, ask, readable_text
from drumline.plugin.kit.delivery import deliver, file_result
from drumline.plugin.kit.diffs import MOST_DIFF, content_diff
from drumline.plugin.kit.scripts import Script
from drumline.plugin.kit.transfer import Content

_READ = Script.beside(__file__, "read")
#: Bytes of a file that is edited; it is held in memory.
_MOST = 8 * 1024 * 1024

_DESCRIBING = ("size", "mode", "uid", "gid", "owner", "group", "state")

#: Arguments of every action that edits a file; but for its path, whose aliases differ.
EDITED = (
    *ATTRIBUTES,
    Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
    Argument(
        name="validate",
        platforms=(Platform.POSIX,),
        help="Command that must accept the new file (its path is %s) before it takes its place",
    ),
)


class Original(Struct, frozen=True, kw_only=True):
    """A file as it was read."""

    path: str
    kind: str  #: ``file``, ``directory`` or ``absent``.
    content: bytes = b""
    checksum: str = "absent"
    changed: bool = False  #: Whether its owner, group or mode were others, and have been set.
    described: dict[str, Any] = {}  #: Its size, mode, owner and group.

    @property
    def exists(self) -> bool:
        return self.kind == "file"


class Edit(Struct, frozen=True, kw_only=True):
    """What becomes of a file, and what is said of it."""

    content: bytes | None = None  #: None: it stays as it is.
    message: str = ""
    values: dict[str, Any] = {}


def read_original(call: Call, path: str) -> Generator[Request, Any, Original]:
    """The file at a path of the host, with the task's owner, group and mode."""
    answer = yield from ask(
        call,
        _READ,
        most=_MOST + 64 * 1024,
        limit=_MOST,
        path=HostPath(path),
        mode=mode_text(call.arguments.get("mode")),
        owner=call.arguments.get("owner"),
        group=call.arguments.get("group"),
    )
    content = answer.get("content", b"")
    checksum = answer.get("checksum", "absent")
    if answer["kind"] == "file" and hashlib.sha1(content).hexdigest() != checksum:
        raise ActionFailed(f"{readable_text(answer['path'])} was written to while it was read: run again")
    return Original(
        path=answer["path"],
        kind=answer["kind"],
        content=content,
        checksum=checksum,
        changed=bool(answer.get("changed")),
        described=_described(call, answer),
    )


def _described(call: Call, answer: HostAnswer) -> dict[str, Any]:
    """What Ansible adds to results that name a path."""
    said = {name: value for name, value in answer.items() if name not in ("kind", "content", "path")}
    values = dict(file_result(call, said).values)
    return {name: values[name] for name in _DESCRIBING if name in values}


def _diff(original: Original, content: bytes) -> dict[str, Any]:
    said: HostAnswer = {"before": original.content.decode("utf-8", "replace")}
    if len(original.content) > MOST_DIFF:
        said = {"before_larger": 1}
    elif b"\0" in original.content:
        said = {"before_binary": 1}
    return content_diff(said, content, f"{readable_text(original.path)} (content)")


def write_edit(
    call: Call, original: Original, edit: Edit, *, follow: bool = True, describe: bool = False, **settings: Any
) -> Generator[Request, Any, Result]:
    """Make the file what the edit says; the result, which may describe the file as well.

    ``settings`` are those of :func:`deliver`, ahead of the task's own: ``owner``, ``mode``.
    """
    message, changed, kept = edit.message, original.changed, {}
    described = original.described
    rewritten = edit.content is not None and (edit.content != original.content or not original.exists)
    diff = None
    if rewritten and edit.content is not None:
        diff = _diff(original, edit.content)
    if rewritten and call.check:
        changed = True
    elif rewritten:
        assert edit.content is not None
        answer = yield from deliver(
            call,
            Content.of_bytes(edit.content),
            dest=HostPath("", original.path),
            since=original.checksum,
            follow=follow,
            **({"parents": True} | settings),
        )
        changed, described = True, _described(call, answer)
        kept = {name: readable_text(answer[name]) for name in ("backup_file",) if name in answer}
    if original.changed:
        message = " and ".join(filter(None, (message, "ownership, perms or SE linux context changed")))
    return Result(
        changed=changed, message=message, diff=diff, values=edit.values | kept | (described if describe else {})
    )
