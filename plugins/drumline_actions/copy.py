"""``copy``: puts files, directories or text from this machine, or files of the host, in their place."""

from __future__ import annotations

import re
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Mode,
    NeededFile,
    Platform,
    Request,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    DECRYPT,
    PLACE,
    TARGET,
    Answered,
    Content,
    Script,
    ask,
    check_target,
    deliver,
    file_result,
    labelled,
    local_content,
    mode_text,
    placed,
    readable_text,
    target_settings,
    temporaries,
)
from drumline_actions.tree import TreeEntry, entries

_FROM_HOST = Script.beside(__file__, "from_host", needs=(PLACE,))
_DIRECTORIES = Script.beside(__file__, "directories")
_FILE = Script.beside(__file__, "file")
#: What ``file.sh`` gets when no times and modes are given.
_AS_IT_IS: dict[str, Any] = dict.fromkeys(("mode", "recurse", "follow", "access_time", "modification_time"))
#: Letters that no name has on Windows, ends that it takes off, names of devices.
_NOT_ON_WINDOWS = r'[\x00-\x1f<>:"/\\|?*\ud800-\udfff]|[. ]\Z|^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)'


def _files(written: Written) -> Iterator[NeededFile]:
    """The source, unless it is on the host or unknown."""
    if "src" in written.arguments and not written.arguments.get("remote_src") and "remote_src" not in written.open:
        yield "src", written.arguments["src"], "files"


def perform(call: Call) -> Steps:
    if call["content"] is not None:
        content = Content.of_bytes(_text(call["content"]).encode())
        _check_sum(call, content)
        return placed(call, (yield from deliver(call, content)), content)
    if call["remote_src"]:
        return placed(call, (yield from _from_host(call)), src=call["src"])
    path = call.find_file(call["src"], "files")
    if path.is_dir():
        return (yield from _directory(call, path))
    content = yield from local_content(call, path)
    _check_sum(call, content)
    answer = yield from deliver(call, content, name=path.name, **_mode(call, path))
    return placed(call, answer, content, src=readable_text(str(path)))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    import json  # most contents are text

    return json.dumps(content)


def _check_sum(call: Call, content: Content) -> None:
    """Fail if the content doesn't have the task's checksum."""
    expected = call["checksum"]
    if expected and expected != content.checksum:
        raise ActionFailed(
            f"Copied file does not match the expected checksum: it is {content.checksum}, not {expected}"
        )


def _mode(call: Call, path: Path) -> dict[str, Any]:
    """The mode for ``mode: preserve``: that of the file on this machine."""
    if call["mode"] != "preserve":
        return {}
    return {"mode": mode_text(f"{stat.S_IMODE(path.stat().st_mode):o}")}


def _from_host(call: Call) -> Answered:
    variables = {
        "src": HostPath(call["src"]),
        "dest": call["dest"],
        "expected": call["checksum"],
        "preserve": call["mode"] == "preserve",
        "local_follow": call["local_follow"],
        **temporaries(),
        **target_settings(call),
    }
    return (yield from ask(call, _FROM_HOST, main=True, **variables))


def _directory(call: Call, source: Path) -> Steps:
    """A directory with its contents; with a trailing slash, only its contents."""
    base = _base(call, source)
    found = yield from entries(source, follow=call["local_follow"])
    if call.platform is Platform.WINDOWS:
        found = [_for_windows(entry) for entry in found]
    changed = yield from _make_directories(call, base, [entry.below for entry in found if entry.directory])
    diffs: list[Any] = []
    for entry in found:
        if entry.directory:
            continue
        one = yield from _deliver_entry(call, base, entry)
        changed = changed or one.changed
        diffs += one.diff if isinstance(one.diff, list) else []
    ends = "\\" if call.platform is Platform.WINDOWS else "/"
    dest = call["dest"] if call["dest"].endswith(("/", ends)) else call["dest"] + ends
    src = str(source) + ("/" if call["src"].endswith("/") else "")
    diff = diffs if call.diff else None
    return Result(changed=changed, values={"dest": dest, "src": readable_text(src)}, diff=diff)


def _base(call: Call, source: Path) -> HostPath:
    separator, ends = ("\\", "/\\") if call.platform is Platform.WINDOWS else ("/", "/")
    written = call["dest"].rstrip(ends)
    if call["src"].endswith("/"):
        return HostPath(written or separator)
    return HostPath(written, separator + source.name)


def _deliver_entry(call: Call, base: HostPath, entry: TreeEntry) -> Steps:
    separator = "\\" if call.platform is Platform.WINDOWS else "/"
    place = HostPath(base, f"{base.below}{separator}{entry.below}")
    if entry.link is not None:
        owner = {key: call[key] for key in ("owner", "group")}
        answer = yield from ask(call, _FILE, path=place, state="link", src=entry.link, force=True, **_AS_IT_IS, **owner)
        return file_result(call, answer)
    content = yield from local_content(call, entry.path)
    answer = yield from deliver(call, content, main=False, dest=place, **_mode(call, entry.path))
    return placed(call, answer, content, src=readable_text(str(entry.path)))


def _make_directories(call: Call, base: HostPath, below: list[str]) -> Generator[Request, Any, bool]:
    if call.platform is Platform.WINDOWS:
        answer = yield from ask(call, _DIRECTORIES, base=base, below=below)
    else:
        wanted = {key: call[key] for key in ("owner", "group")}
        mode = mode_text(call["directory_mode"])
        answer = yield from ask(call, _DIRECTORIES, base=base, below=below, directory_mode=mode, **wanted)
    return bool(answer.get("changed"))


def _for_windows(entry: TreeEntry) -> TreeEntry:
    """The entry with its name on Windows; fails for invalid names, and for names that mean another file there."""
    if entry.link is not None:
        raise ActionFailed(
            f"{entry.path} is a link that leads nowhere or back to a directory that it is in, or must not be followed:"
            " such links can't be copied to Windows hosts. Copy a directory without it"
        )
    for name in entry.below.split("/"):
        if re.search(_NOT_ON_WINDOWS, name, re.IGNORECASE):
            raise ActionFailed(f"{entry.path} can't be copied to a Windows host: {name!r} isn't a valid name there")
    return entry._replace(below=entry.below.replace("/", "\\"))


ACTIONS = (
    Action(
        name="copy",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Put a file, a directory or a text on the host",
        arguments=(
            Argument(name="src", help="File or directory on this machine or, with remote_src, on the host"),
            Argument(name="content", type=object, help="The file's text, instead of src"),
            Argument(name="remote_src", type=bool, default=False, help="src is on the host"),
            Argument(name="checksum", help="SHA-1 that the content must have"),
            Argument(
                name="local_follow",
                type=bool,
                default=True,
                help="Follow links in a directory, instead of copying the links",
            ),
            Argument(
                name="directory_mode",
                type=Mode,
                platforms=(Platform.POSIX,),
                help="Permissions of created directories",
            ),
            DECRYPT,
            *TARGET,
        ),
        exclusive=(("src", "content"),),
        one_of=(("src", "content"),),
        check=check_target,
        files=_files,
    ),
)
