"""``copy``: files, directories or text of this machine, or files of the host, to where they are to be.

The script that compares also changes. Small content travels with it, so that a task costs one round trip whether it
changes anything or not; larger content is asked for first, and uploaded only when the host's file differs.
"""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Mode,
    NeededFile,
    Platform,
    Request,
    Result,
    Steps,
    Written,
)
from drumline_actions.offers import (
    ATTRIBUTES,
    DECRYPT,
    POSIX_ONLY,
    aliases,
    exclusive,
    mode_text,
    not_both,
    not_on_windows,
    refuse_on_windows,
)
from drumline_actions.scripts import Answer, Asking, HostPath, ask, naming, shown
from drumline_actions.transfer import Content, fill, local_content
from drumline_actions.tree import Entry, entries

_NUMBERS = ("size", "uid", "gid")
#: What ``file.sh`` is told where nobody speaks of times and modes.
_AS_IT_IS: dict[str, Any] = dict.fromkeys(("mode", "recurse", "follow", "access_time", "modification_time"))
#: Letters that no name has on Windows, ends that it takes off, names of devices.
_NOT_ON_WINDOWS = r'[\x00-\x1f<>:"/\\|?*\ud800-\udfff]|[. ]\Z|^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)'

#: What ``copy`` and ``template`` have in common.
TARGET = (
    Argument(name="dest", required=True, help="Path on the host; a directory if it is one there or ends with a slash"),
    *ATTRIBUTES,
    Argument(name="force", type=bool, default=True, help="Replace a file that differs"),
    Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
    Argument(name="follow", type=bool, default=False, help="Where dest is a link, write the file that it points to"),
    Argument(name="validate", help="Command that must accept the new file (its path is %s) before it takes its place"),
)


def _check(written: Written) -> Iterator[tuple[str, str]]:
    yield from not_both(written, "src", "content", required=True)
    yield from not_on_windows(written, "directory_mode")
    yield from check_target(written)


def check_target(written: Written) -> Iterator[tuple[str, str]]:
    """What is wrong with arguments of ``TARGET`` that no host can change."""
    yield from not_on_windows(written, *POSIX_ONLY, "validate", "follow")
    command = written.arguments.get("validate")
    if command and "%s" not in command:
        yield "validate", "'validate' must contain %s, which stands for the new file."


def _files(written: Written) -> Iterator[NeededFile]:
    """The source, unless it is on the host or that isn't known."""
    if "src" in written.arguments and not written.arguments.get("remote_src") and "remote_src" not in written.open:
        yield "src", written.arguments["src"], "files"


def perform(call: Call) -> Steps:
    exclusive(call, "src", "content", required=True)
    refuse_on_windows(call, *POSIX_ONLY, "directory_mode", "validate", "follow")
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
    return placed(call, answer, content, src=shown(str(path)))


def deliver(call: Call, content: Content, *, dest: HostPath | None = None, name: str = "", **settings: Any) -> Asking:
    """Make ``dest`` (by default the task's own) hold the content; the answer of ``copy.sh`` or ``copy.ps1``.

    ``name`` is what the file is called when ``dest`` is a directory; ``settings`` go before the task's own.
    """
    variables = {
        "dest": HostPath(call["dest"]) if dest is None else dest,
        "name": name,
        "checksum": content.checksum,
        **naming(),
        **_settings(call),
        **settings,
    }
    if content.small is not None:
        if call.platform is Platform.WINDOWS:
            return (yield from ask(call, "copy", "place", origin="text", content=content.small, **variables))
        return (yield from ask(call, "copy", "place", origin="stdin", stdin=content.small, **variables))
    answer = yield from ask(call, "copy", "place", origin="check", **variables)
    if "upload" not in answer:
        return answer
    yield from fill(call, content, answer["upload"])
    variables["dest"] = answer["dest"]
    return (yield from ask(call, "copy", "place", origin="upload", upload=answer["upload"], **variables))


def _settings(call: Call) -> dict[str, Any]:
    settings = {key: call[key] for key in ("force", "backup")}
    if call.platform is Platform.WINDOWS:
        return settings
    mode = None if call["mode"] == "preserve" else mode_text(call["mode"])
    directories = call.arguments.get("directory_mode")
    return settings | {
        "follow": call["follow"],
        "owner": call["owner"],
        "group": call["group"],
        "mode": mode,
        "directory_mode": mode_text(directories),
        "validate": _validation(call["validate"]),
    }


def _validation(command: str | None) -> str | None:
    """The command as ``copy.sh`` evaluates it, where ``$tmp`` is the new file."""
    if not command:
        return None
    if "%s" not in command:
        raise ActionFailed(f"validate must contain %s, which stands for the new file: {command}")
    return " ".join(_validation_word(word) for word in shlex.split(command))


def _validation_word(word: str) -> str:
    return '"$tmp"'.join(shlex.quote(part) if part else "" for part in word.split("%s")) or "''"


def _text(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def _check_sum(call: Call, content: Content) -> None:
    """Fail when the task names another checksum than the content has."""
    expected = call["checksum"]
    if expected and expected != content.checksum:
        raise ActionFailed(
            f"Copied file does not match the expected checksum: it is {content.checksum}, not {expected}"
        )


def _mode(call: Call, path: Path) -> dict[str, Any]:
    """The setting that ``mode: preserve`` makes: the mode of the file here."""
    if call["mode"] != "preserve":
        return {}
    return {"mode": mode_text(f"{stat.S_IMODE(path.stat().st_mode):o}")}


def _from_host(call: Call) -> Asking:
    variables = {
        "src": HostPath(call["src"]),
        "dest": HostPath(call["dest"]),
        "expected": call["checksum"],
        "preserve": call["mode"] == "preserve",
        "local_follow": call["local_follow"],
        **naming(),
        **_settings(call),
    }
    return (yield from ask(call, "from_host", "place", **variables))


def _directory(call: Call, source: Path) -> Steps:
    """A directory with all that is in it; with a slash at its end, only what is in it."""
    base = _base(call, source)
    found = yield from entries(source, follow=call["local_follow"])
    if call.platform is Platform.WINDOWS:
        found = [_for_windows(entry) for entry in found]
    changed = yield from _make_directories(call, base, [entry.below for entry in found if entry.directory])
    for entry in found:
        if entry.directory:
            continue
        answer = yield from _deliver_entry(call, base, entry)
        changed = changed or bool(answer.get("changed"))
    ends = "\\" if call.platform is Platform.WINDOWS else "/"
    dest = call["dest"] if call["dest"].endswith(("/", ends)) else call["dest"] + ends
    src = str(source) + ("/" if call["src"].endswith("/") else "")
    return Result(changed=changed, values={"dest": dest, "src": shown(src)})


def _base(call: Call, source: Path) -> HostPath:
    separator, ends = ("\\", "/\\") if call.platform is Platform.WINDOWS else ("/", "/")
    written = call["dest"].rstrip(ends)
    if call["src"].endswith("/"):
        return HostPath(written or separator)
    return HostPath(written, separator + source.name)


def _deliver_entry(call: Call, base: HostPath, entry: Entry) -> Asking:
    separator = "\\" if call.platform is Platform.WINDOWS else "/"
    place = HostPath(base, f"{base.below}{separator}{entry.below}")
    if entry.link is not None:
        owner = {key: call[key] for key in ("owner", "group")}
        return (
            yield from ask(call, "file", path=place, state="link", src=entry.link, force=True, **_AS_IT_IS, **owner)
        )
    content = yield from local_content(call, entry.path)
    return (yield from deliver(call, content, dest=place, **_mode(call, entry.path)))


def _make_directories(call: Call, base: HostPath, below: list[str]) -> Generator[Request, Any, bool]:
    if call.platform is Platform.WINDOWS:
        answer = yield from ask(call, "directories", base=base, below=below)
    else:
        wanted = {key: call[key] for key in ("owner", "group")}
        mode = mode_text(call["directory_mode"])
        answer = yield from ask(call, "directories", base=base, below=below, directory_mode=mode, **wanted)
    return bool(answer.get("changed"))


def _for_windows(entry: Entry) -> Entry:
    """The entry with a name for Windows; fails for what can't be there, or would be another file there."""
    if entry.link is not None:
        raise ActionFailed(
            f"{entry.path} is a link that leads nowhere, back to a directory that it is in, or is not to be followed:"
            " such links can't be copied to Windows hosts. Copy a directory without it"
        )
    for name in entry.below.split("/"):
        if re.search(_NOT_ON_WINDOWS, name, re.IGNORECASE):
            raise ActionFailed(f"{entry.path} can't be copied to a Windows host: no file can be called {name!r} there")
    return entry._replace(below=entry.below.replace("/", "\\"))


def placed(call: Call, answer: Answer, content: Content | None = None, *, src: str | None = None) -> Result:
    """The result of putting a file somewhere. Ansible names its source only where it was put there anew."""
    moved = bool(answer.pop("moved", False))
    made = result(call, answer, **({} if src is None else {"src": src}))
    if call.platform is Platform.WINDOWS:
        return made
    left_out = "path" if moved else "src"
    values = {name: value for name, value in made.values.items() if name != left_out}
    if moved and content is not None:
        values["md5sum"] = content.md5()
    return replace(made, values=values)


def result(call: Call, answer: Answer, **values: Any) -> Result:
    """A script's answer with Ansible's names and types."""
    found: Answer = {key: int(value) if key in _NUMBERS else shown(value) for key, value in answer.items()}
    changed = bool(found.pop("changed", False))
    if "mode" in found:
        found["mode"] = found["mode"].zfill(4)
    if call.platform is Platform.POSIX and "checksum" in found:
        found["state"] = "file"
    return Result(changed=changed, values=values | found)


ACTIONS = (
    Action(
        name="copy",
        perform=perform,
        help="Put a file, a directory or a text on the host",
        aliases=aliases("copy"),
        arguments=(
            Argument(name="src", help="File or directory here; with remote_src on the host"),
            Argument(name="content", type=object, help="The file's text, instead of src"),
            Argument(name="remote_src", type=bool, default=False, help="src is on the host"),
            Argument(name="checksum", help="SHA-1 that the content must have"),
            Argument(
                name="local_follow",
                type=bool,
                default=True,
                help="Copy what links in a directory lead to, not the links",
            ),
            Argument(name="directory_mode", type=Mode, help="Permissions of directories that are made"),
            DECRYPT,
            *TARGET,
        ),
        check=_check,
        files=_files,
    ),
)
