"""``fetch``: copies a file from the host to this machine."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    Get,
    HostPath,
    Platform,
    Request,
    Result,
    Steps,
    Traits,
)
from drumline.plugin.kit import (
    Script,
    ask,
    output_text,
    require_exit,
    script_run,
)
from drumline.plugin.leftovers import sweep, temporary_name

#: What parts the names of a path, or can't be in one.
_PARTS = r"[/\\\x00-\x1f\x7f]"
#: Blocks of 64 KiB that one command of another user prints.
_BLOCKS = 16
#: Bytes that may be held of what it says. It is for the action alone: the content of a file belongs in no journal.
_MOST = 2 * _BLOCKS * 64 * 1024
_FETCH = Script.beside(__file__, "fetch")


def perform(call: Call) -> Steps:
    answer = yield from ask(call, _FETCH, path=call["src"], **_no_content(call))
    if answer.get("missing"):
        message = "the remote file does not exist"
        if call["fail_on_missing"]:
            raise ActionFailed(f"{message}: {call['src']}", file=call["src"])
        return Result(message=f"{message}, not transferring, ignored", values={"file": call["src"]})
    target = _target(call)
    values = {
        "file": call["src"],
        "dest": str(target),
        "checksum": answer["checksum"],
        "remote_checksum": answer["checksum"],
    }
    if _sha1(target) == answer["checksum"]:
        return Result(values=values)
    if call.check:
        return Result(changed=True, values=values)
    yield from _bring(call, answer["real"], target)
    if call["validate_checksum"] and _sha1(target) != answer["checksum"]:
        raise ActionFailed(f"checksum mismatch: {call['src']} changed while it was fetched", **values)
    return Result(changed=True, values=values)


def _no_content(call: Call) -> dict[str, Any]:
    return {} if call.platform is Platform.WINDOWS else {"count": "", "skip": ""}


def _target(call: Call) -> Path:
    """Where the file goes: ``dest/HOST/path/of/file``, or with ``flat`` just ``dest``."""
    dest: str = call["dest"]
    source: str = call["src"].replace("\\", "/") if call.platform is Platform.WINDOWS else call["src"]
    base = _directory_of_playbook(call) / os.path.expanduser(dest)
    if not call["flat"]:
        return Path(os.path.normpath(base / _as_name(call.host) / os.path.normpath("/" + source).lstrip("/")))
    if dest.endswith("/"):
        name = source.rpartition("/")[2]
        if name in ("", ".", ".."):
            raise ActionFailed(f"src names no file: {call['src']}")
        return base / name
    if base.is_dir():
        raise ActionFailed(
            "dest is an existing directory, use a trailing slash if you want to fetch src into that directory"
        )
    return base


def _as_name(host: str) -> str:
    """A host's name as the name of a single directory, whatever characters it has."""
    name = re.sub(_PARTS, lambda found: f"%{ord(found[0]):02X}", host)
    return name if name.strip(".") else name.replace(".", "%2E")


def _directory_of_playbook(call: Call) -> Path:
    try:
        return Path(str(call.lookup("playbook_dir")))
    except ActionFailed:
        return Path()


def _sha1(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def _bring(call: Call, source: str, target: Path) -> Generator[Request, Any, None]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ActionFailed(f"The directory {target.parent} can't be created: {error.strerror}") from error
    sweep(target.parent)
    if call.become:
        yield from _read_as_other_user(call, source, target)
    else:
        yield Get(source=source, destination=target)


def _read_as_other_user(call: Call, source: str, target: Path) -> Generator[Request, Any, None]:
    """``Get`` reads as the login user; files that only the other user can read are read by commands of that user."""
    temporary = target.parent / temporary_name()
    try:
        with temporary.open("xb") as file:
            skip = 0
            while piece := (yield from _piece(call, source, skip)):
                file.write(piece)
                skip += _BLOCKS
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _piece(call: Call, source: str, skip: int) -> Generator[Request, Any, bytes]:
    completed = yield replace(script_run(call, _FETCH, {"path": source, "count": _BLOCKS, "skip": skip}), most=_MOST)
    require_exit(call, completed)
    if not completed.ok or completed.cut:
        raise ActionFailed(f"{source} can't be read: {output_text(completed.stderr).strip()}")
    piece: bytes = completed.stdout
    return piece


ACTIONS = (
    Action(
        name="fetch",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Copy a file from the host to this machine",
        arguments=(
            Argument(name="src", type=HostPath, required=True, help="File on the host"),
            Argument(name="dest", required=True, help="Directory on this machine; the file goes to dest/HOST/src"),
            Argument(
                name="flat", type=bool, default=False, help="dest is the file itself, or a directory if it ends with /"
            ),
            Argument(name="fail_on_missing", type=bool, default=True, help="Fail if the file doesn't exist"),
            Argument(name="validate_checksum", type=bool, default=True, help="Compare checksums after the transfer"),
        ),
    ),
)
