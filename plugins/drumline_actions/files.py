"""``file`` and ``stat``: set and describe the state of a path on the host."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    ATTRIBUTES,
    HostAnswer,
    Script,
    ask,
    file_result,
    labelled,
    mode_text,
    readable_text,
    state_diff,
)

_FILE = Script.beside(__file__, "file")
_STAT = Script.beside(__file__, "stat")

_LINKS = ("link", "hard")
_POSIX = (Platform.POSIX,)
#: Attributes of files on Linux, by the letters of ``lsattr``.
_ATTRIBUTES = {
    "A": "noatime",
    "a": "append",
    "c": "compressed",
    "C": "nocow",
    "d": "nodump",
    "D": "dirsync",
    "e": "extents",
    "E": "encrypted",
    "h": "blocksize",
    "i": "immutable",
    "I": "indexed",
    "j": "journalled",
    "N": "inline",
    "s": "zero",
    "S": "synchronous",
    "t": "notail",
    "T": "blockroot",
    "u": "undelete",
    "X": "compressedraw",
    "Z": "compresseddirty",
}
#: How ``touch`` reads times, and tasks write them.
_TOUCH = "%Y%m%d%H%M.%S"
_TIMES = ("access_time", "modification_time")
_ALGORITHMS = {"md5": "md5", "sha1": "sha1", "sha": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384"}
_ALGORITHMS |= {"sha512": "sha512"}


def perform_file(call: Call) -> Steps:
    state = call["state"]
    if call["recurse"] and state not in (None, "directory"):
        raise ActionFailed("recurse option requires state to be 'directory'")
    if call["src"] is not None and state not in _LINKS:
        raise ActionFailed("src option requires state to be 'link' or 'hard'")
    if call.platform is Platform.WINDOWS:
        if state in _LINKS:
            raise ActionFailed(
                f"state={state} isn't supported on Windows hosts; use shell with New-Item -ItemType SymbolicLink"
            )
        answer = yield from ask(call, _FILE, main=True, path=call["path"], state=state)
    else:
        path = HostPath(call["path"].rstrip("/") or "/")
        answer = yield from ask(call, _FILE, main=True, path=path, **_wanted(call))
    diff = _diff(call, answer)
    if call.platform is Platform.POSIX and state in (*_LINKS, "touch"):  # these call it so, as in Ansible
        answer["dest"] = answer.pop("path")
    return replace(file_result(call, answer), diff=diff)


def _diff(call: Call, answer: HostAnswer) -> dict[str, Any]:
    contents = {kind: readable_text(answer.pop(kind)) for kind in ("directories", "files") if kind in answer}
    diff = state_diff(answer, path=readable_text(answer.get("path", call["path"])))
    if contents:
        diff["before"]["path_content"] = {"directories": [], "files": [], **contents}
    return diff


def _wanted(call: Call) -> dict[str, Any]:
    keys = ("state", "owner", "group", "recurse", "force", "follow")
    times = {name: _for_touch(call[name], call[f"{name}_format"]) for name in _TIMES}
    return {key: call[key] for key in keys} | times | {"mode": mode_text(call["mode"]), "src": call["src"]}


def _for_touch(written: str | None, pattern: str) -> str | None:
    """A time as ``touch -t`` reads it."""
    if written in (None, "", "now", "preserve") or pattern == _TOUCH:
        return written
    try:
        return time.strftime(_TOUCH, time.strptime(written, pattern))
    except ValueError:
        raise ActionFailed(f"The time {written!r} isn't written as {pattern!r} says") from None


def check_file(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments of ``file`` that don't depend on the host."""
    known = written.arguments
    state = None if "state" in written.open else known.get("state", "file")
    if known.get("recurse") and known.get("state") not in (None, "directory"):
        yield "recurse", "'recurse' needs state: directory."
    if written.given("src") and state not in (None, *_LINKS):
        yield "src", "'src' needs state: link or hard."


def check_stat(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments of ``stat`` that don't depend on the host."""
    if written.arguments.get("get_md5"):
        yield "get_md5", "'get_md5' is gone, from Ansible too. Write checksum_algorithm: md5."
    if written.platforms == {Platform.WINDOWS} and written.arguments.get("checksum_algorithm") == "sha224":
        yield "checksum_algorithm", "Windows has no sha224."


def perform_stat(call: Call) -> Steps:
    algorithm = _ALGORITHMS[call["checksum_algorithm"]]
    if call.platform is Platform.WINDOWS:
        if algorithm == "sha224":
            raise ActionFailed("Windows has no sha224; use another checksum_algorithm")
        keys = {key: call[key] for key in ("get_checksum", "get_size")}
        answer = yield from ask(call, _STAT, main=True, path=call["path"], algorithm=algorithm.upper(), **keys)
        return Result(values={"stat": answer})
    answer = yield from ask(
        call,
        _STAT,
        main=True,
        path=call["path"],
        follow=call["follow"],
        get_checksum=call["get_checksum"],
        get_mime=call["get_mime"],
        get_attributes=call["get_attributes"],
        algorithm=algorithm,
    )
    return Result(values={"stat": _posix_stat(answer)})


def _posix_stat(answer: Mapping[str, str]) -> dict[str, Any]:
    """The ``stat`` of Ansible's module, from the numbers printed by the host's ``stat``."""
    if "raw" not in answer:
        return {"exists": False}
    raw, nlink, uid, gid, size, atime, mtime, ctime, inode, device, blocks, user, group = answer["raw"].split(":")
    mode = int(raw, int(answer["base"]))
    numbers = {"nlink": nlink, "uid": uid, "gid": gid, "size": size, "atime": atime, "mtime": mtime, "ctime": ctime}
    numbers |= {"inode": inode, "dev": device, "blocks": blocks}
    return (
        {"exists": True, "path": readable_text(answer["path"]), "mode": f"{stat.S_IMODE(mode):04o}"}
        | {key: int(value) for key, value in numbers.items()}
        | {"pw_name": user, "gr_name": group}
        | file_kind(mode)
        | {key: key in answer for key in ("readable", "writeable", "executable")}
        | {key: readable_text(answer[key]) for key in ("checksum", "lnk_source", "lnk_target") if key in answer}
        | {key: answer[key] for key in ("mimetype", "charset", "version") if key in answer}
        | (_attributes(answer["attr_flags"]) if "attr_flags" in answer else {})
    )


def _attributes(flags: str) -> dict[str, Any]:
    """Ansible's names for the letters of ``lsattr``."""
    letters = flags.replace("-", "")
    return {"attr_flags": letters, "attributes": [_ATTRIBUTES[letter] for letter in letters if letter in _ATTRIBUTES]}


def file_kind(mode: int) -> dict[str, bool]:
    """The type of the file, and its permissions."""
    kinds = {
        "isdir": stat.S_ISDIR(mode),
        "ischr": stat.S_ISCHR(mode),
        "isblk": stat.S_ISBLK(mode),
        "isreg": stat.S_ISREG(mode),
        "isfifo": stat.S_ISFIFO(mode),
        "islnk": stat.S_ISLNK(mode),
        "issock": stat.S_ISSOCK(mode),
        "isuid": bool(mode & stat.S_ISUID),
        "isgid": bool(mode & stat.S_ISGID),
    }
    bits = {f"{right}{who}": bool(mode & getattr(stat, f"S_I{right.upper()}{who.upper()}")) for right, who in _RIGHTS}
    return kinds | bits


_RIGHTS = [(right, who) for right in "rwx" for who in ("usr", "grp", "oth")]

ACTIONS = (
    Action(
        name="file",
        perform=labelled(perform_file),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Create, link or delete a file or directory on the host, or set its owner and mode",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("dest", "name"), help="Path on the host"),
            Argument(
                name="state",
                choices=("absent", "directory", "file", "hard", "link", "touch"),
                help="The wanted state; default: whatever exists",
            ),
            Argument(name="src", type=HostPath, help="The target of a link"),
            Argument(
                name="recurse",
                type=bool,
                default=False,
                platforms=_POSIX,
                help="Also set owner and mode of everything in the directory",
            ),
            Argument(name="force", type=bool, default=False, help="Links: allow a missing target, and replace a file"),
            Argument(name="follow", type=bool, default=True, help="If path is a link, change what it points to"),
            Argument(name="access_time", platforms=_POSIX, help="preserve, now, or a time of the host"),
            Argument(name="modification_time", platforms=_POSIX, help="preserve, now, or a time of the host"),
            *(
                Argument(
                    name=f"{name}_format", default=_TOUCH, platforms=_POSIX, help=f"How {name} is written (strptime)"
                )
                for name in _TIMES
            ),
            *ATTRIBUTES,
        ),
        check=check_file,
    ),
    Action(
        name="stat",
        perform=perform_stat,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Describe a path on the host",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("dest", "name"), help="Path on the host"),
            Argument(name="follow", type=bool, default=False, help="Describe what a link points to"),
            Argument(name="get_checksum", type=bool, default=True, help="Include the checksum of a file"),
            Argument(name="get_size", type=bool, default=True, help="Include the size of a directory (Windows)"),
            Argument(
                name="get_mime",
                type=bool,
                aliases=("mime", "mime_type", "mime-type"),
                platforms=_POSIX,
                help="Include what the program file says about it",
            ),
            Argument(
                name="get_attributes",
                type=bool,
                aliases=("attr", "attributes"),
                platforms=_POSIX,
                help="Include what lsattr says about it",
            ),
            Argument(name="get_md5", type=bool, help="Removed from Ansible, too: use checksum_algorithm"),
            Argument(
                name="checksum_algorithm",
                default="sha1",
                choices=tuple(_ALGORITHMS),
                aliases=("checksum", "checksum_algo"),
                help="Algorithm of the checksum",
            ),
        ),
        check=check_stat,
    ),
)
