"""``copy``: files, folders or text of this machine, or files of the host, to where they are to be.

The script that compares also changes. Small content travels with it, so that a task costs one round trip whether it
changes anything or not; larger content is asked for first, and uploaded only when the host's file differs.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
from collections.abc import Generator, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Platform, Request, Result, Steps
from drumline_actions.offers import ATTRIBUTES, aliases, exclusive, mode_text, refuse_on_windows
from drumline_actions.scripts import Answer, Asking, HostPath, ask
from drumline_actions.transfer import Content, fill

_NUMBERS = ("size", "uid", "gid")

#: What ``copy`` and ``template`` have in common.
TARGET = (
    Argument(name="dest", required=True, help="Path on the host; a folder if it is one there or ends with a slash"),
    *ATTRIBUTES,
    Argument(name="force", type=bool, default=True, help="Replace a file that differs"),
    Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
    Argument(name="follow", type=bool, default=False, help="Where dest is a link, write the file that it points to"),
    Argument(name="validate", help="Command that must accept the new file (its path is %s) before it takes its place"),
)


def perform(call: Call) -> Steps:
    exclusive(call, "src", "content", required=True)
    refuse_on_windows(call, "mode", "owner", "group", "directory_mode", "validate", "follow")
    if call["content"] is not None:
        content = Content.of_bytes(_text(call["content"]).encode())
        _check_sum(call, content)
        return result(call, (yield from deliver(call, content)))
    if call["remote_src"]:
        return result(call, (yield from _from_host(call)))
    path = call.find_file(call["src"], "files")
    if path.is_dir():
        return (yield from _folder(call, path))
    content = Content.of_file(path)
    _check_sum(call, content)
    answer = yield from deliver(call, content, name=path.name, **_mode(call, path))
    return result(call, answer, src=str(path))


def deliver(call: Call, content: Content, *, dest: str = "", name: str = "", **settings: Any) -> Asking:
    """Make ``dest`` (by default the task's own) hold the content; the answer of ``copy.sh`` or ``copy.ps1``.

    ``name`` is what the file is called when ``dest`` is a folder; ``settings`` go before the task's own.
    """
    variables = {
        "dest": HostPath(dest or call["dest"]),
        "name": name,
        "checksum": content.checksum,
        **_settings(call),
        **settings,
    }
    if content.small is not None:
        if call.platform is Platform.WINDOWS:
            return (yield from ask(call, "copy", origin="text", content=content.small, **variables))
        return (yield from ask(call, "copy", origin="stdin", stdin=content.small, **variables))
    answer = yield from ask(call, "copy", origin="check", **variables)
    if "upload" not in answer:
        return answer
    yield from fill(call, content, answer["upload"])
    variables["dest"] = answer["dest"]
    return (yield from ask(call, "copy", origin="upload", upload=answer["upload"], **variables))


def _settings(call: Call) -> dict[str, Any]:
    settings = {key: call[key] for key in ("force", "backup")}
    if call.platform is Platform.WINDOWS:
        return settings
    mode = None if call["mode"] == "preserve" else mode_text(call["mode"])
    folders = call.arguments.get("directory_mode")
    return settings | {
        "follow": call["follow"],
        "owner": call["owner"],
        "group": call["group"],
        "mode": mode,
        "directory_mode": mode_text(folders),
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
    return {"mode": mode_text(stat.S_IMODE(path.stat().st_mode))}


def _from_host(call: Call) -> Asking:
    source = call["src"]
    variables = {
        "src": HostPath(source),
        "dest": HostPath(call["dest"]),
        "name": _last_part(call, source),
        "expected": call["checksum"],
        "preserve": call["mode"] == "preserve",
        "checksum": "",
        **_settings(call),
    }
    return (yield from ask(call, "copy", origin="host", **variables))


def _last_part(call: Call, path: str) -> str:
    if call.platform is Platform.WINDOWS:
        return PureWindowsPath(path).name
    return path.rstrip("/").rpartition("/")[2]


def _folder(call: Call, source: Path) -> Steps:
    """A folder with all that is in it; with a slash at its end, only what is in it."""
    separator = "\\" if call.platform is Platform.WINDOWS else "/"
    base = call["dest"].rstrip("/\\" if separator == "\\" else "/")
    if not call["src"].endswith("/"):
        base += separator + source.name
    folders, files = _tree(source)
    names = [base, *(base + separator + separator.join(folder.parts) for folder in folders)]
    changed = yield from _make_folders(call, names)
    for file in files:
        path = source / file
        answer = yield from deliver(
            call,
            Content.of_file(path),
            dest=base + separator + separator.join(file.parts),
            **_mode(call, path),
        )
        changed = changed or bool(answer.get("changed"))
    return Result(changed=changed, values={"dest": base, "src": str(source)})


def _make_folders(call: Call, names: list[str]) -> Generator[Request, Any, bool]:
    folders = [HostPath(name) for name in names]
    if call.platform is Platform.WINDOWS:
        answer = yield from ask(call, "folders", folders=folders)
    else:
        wanted = {key: call[key] for key in ("owner", "group")}
        mode = mode_text(call["directory_mode"])
        answer = yield from ask(call, "folders", folders=folders, directory_mode=mode, **wanted)
    return bool(answer.get("changed"))


def _tree(source: Path) -> tuple[list[Path], list[Path]]:
    """Folders (parents first) and files below a folder, relative to it, in a stable order."""
    folders: list[Path] = []
    files: list[Path] = []
    for entry, kind in _entries(source):
        (folders if kind else files).append(entry.relative_to(source))
    return folders, files


def _entries(source: Path) -> Iterator[tuple[Path, bool]]:
    for folder, folders, files in os.walk(source, followlinks=True):
        folders.sort()
        yield from ((Path(folder, name), True) for name in folders)
        yield from ((Path(folder, name), False) for name in sorted(files))


def result(call: Call, answer: Answer, **values: Any) -> Result:
    """A script's answer with Ansible's names and types."""
    found: Answer = {key: int(value) if key in _NUMBERS else value for key, value in answer.items()}
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
        help="Put a file, a folder or a text on the host",
        aliases=aliases("copy"),
        arguments=(
            Argument(name="src", help="File or folder here; with remote_src on the host"),
            Argument(name="content", type=object, help="The file's text, instead of src"),
            Argument(name="remote_src", type=bool, default=False, help="src is on the host"),
            Argument(name="checksum", help="SHA-1 that the content must have"),
            Argument(name="directory_mode", type=object, help="Permissions of folders that are made"),
            *TARGET,
        ),
    ),
)
