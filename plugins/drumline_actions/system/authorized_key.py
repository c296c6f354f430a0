"""``authorized_key``: who may log in as a user by a key."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator, Iterator
from typing import Any

from msgspec import Struct

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    HostPath,
    Language,
    Platform,
    Request,
    Run,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Edit, output_text, read_original, write_edit
from drumline_actions.text.lines import lines_of

_TYPE = re.compile(
    r"(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-[\w@.-]+|ssh-(?:rsa|dss|ed25519)-cert-v01@openssh\.com)"
)
_USER = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*\$?")


class _Key(Struct, frozen=True):
    """A line with a key. Two are the same key if their ``data`` is."""

    options: str
    kind: str
    data: str
    comment: str

    @property
    def line(self) -> str:
        return " ".join(filter(None, (self.options, self.kind, self.data, self.comment)))


def perform(call: Call) -> Steps:
    user, state = call["user"], call["state"]
    if not _USER.fullmatch(user):
        raise ActionFailed(f"'{user}' is no name of a user")
    text = (yield from _download(call)) if call["key"].startswith(("http://", "https://", "file://")) else call["key"]
    wanted = _wanted(call, text)
    path = call["path"] or f"~{user}/.ssh/authorized_keys"
    original = yield from read_original(call, path)
    if original.kind == "directory":
        raise ActionFailed(f"{original.path} is a directory")
    if original.path.startswith("~"):
        raise ActionFailed(f"Failed to lookup user {user}: the host has no such user")
    lines = lines_of(original.content.decode("utf-8", "surrogateescape"))
    new = _without(lines, wanted) if state == "absent" else _with(call, lines, wanted)
    content = "".join(f"{line}\n" for line in new).encode("utf-8", "surrogateescape")
    edit = Edit(content=None if new == lines else content, values=_values(call, path))
    settings: dict[str, Any] = (
        {"parents": "owned", "directory_mode": "00700"} if call["manage_dir"] else {"parents": False}
    )
    if not original.exists:
        settings["mode"] = "00600"
    return (yield from write_edit(call, original, edit, follow=call["follow"], describe=True, owner=user, **settings))


def _values(call: Call, path: str) -> dict[str, Any]:
    names = ("user", "key", "state", "exclusive", "manage_dir", "validate_certs", "comment", "key_options", "follow")
    return {**{name: call[name] for name in names}, "path": call["path"], "keyfile": path}


def _download(call: Call) -> Generator[Request, Any, str]:
    """The keys at a URL, which the host reads."""
    url, flag = shlex.quote(call["key"]), "" if call["validate_certs"] else "-k"
    text = f"if command -v curl >/dev/null 2>&1; then curl -fsSL {flag} -- {url}; else wget -qO - -- {url}; fi"
    completed = yield Run(language=Language.SH, text=text, environment=call.environment)
    if not completed.ok:
        raise ActionFailed(f"Error getting key from: {call['key']}: {output_text(completed.stderr).strip()}")
    return output_text(completed.stdout)


def _wanted(call: Call, text: str) -> list[_Key]:
    keys = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key = _parsed(line)
        if key is None:
            raise ActionFailed(f"invalid key specified: {line}")
        options = key.options if call["key_options"] is None else call["key_options"]
        comment = key.comment if call["comment"] is None else call["comment"]
        keys.append(_Key(options, key.kind, key.data, comment))
    return keys


def _parsed(line: str) -> _Key | None:
    """The key of a line: options, if any, stand ahead of its type, and may hold quoted spaces."""
    found = re.match(
        rf'\s*(?P<options>(?:"(?:\\.|[^"\\])*"|[^\s"])+\s+)?(?P<kind>{_TYPE.pattern})\s+(?P<data>\S+)\s*(?P<comment>.*)',
        line,
    )
    if found is None:
        return None
    return _Key((found["options"] or "").strip(), found["kind"], found["data"], found["comment"].strip())


def _without(lines: list[str], wanted: list[_Key]) -> list[str]:
    gone = {key.data for key in wanted}
    return [line for line in lines if (key := _parsed(line)) is None or key.data not in gone]


def _with(call: Call, lines: list[str], wanted: list[_Key]) -> list[str]:
    """The lines with the keys, each in its old place if it has one; with ``exclusive`` no other lines."""
    left = {key.data: key for key in wanted}
    result = []
    for line in lines:
        key = _parsed(line)
        if key is None:
            result += [] if call["exclusive"] else [line]
        elif key.data in left:
            new = left.pop(key.data)
            result.append(line if new == key else new.line)
        elif not call["exclusive"] and key.data not in {one.data for one in wanted}:
            result.append(line)
    return [*result, *(key.line for key in left.values())]


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    key = written.arguments.get("key")
    if isinstance(key, str) and "://" not in key:
        for line in key.splitlines():
            if line.strip() and not line.lstrip().startswith("#") and _parsed(line) is None:
                yield "key", f"This isn't a public key of OpenSSH: {line[:60]}"


ACTIONS = (
    Action(
        name="authorized_key",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Let whoever has a key log in as a user",
        arguments=(
            Argument(name="user", required=True, help="Name of the user"),
            Argument(name="key", required=True, help="Public keys, one a line; or a URL of them, which the host reads"),
            Argument(
                name="state", default="present", choices=("absent", "present"), help="Whether they are to be there"
            ),
            Argument(name="path", type=HostPath, help="The file; default: ~USER/.ssh/authorized_keys"),
            Argument(name="manage_dir", type=bool, default=True, help="Make its directory, for that user alone"),
            Argument(name="exclusive", type=bool, default=False, help="Leave no other keys"),
            Argument(name="key_options", help="Options ahead of the keys; default: as the keys have them"),
            Argument(name="comment", help="Comment of the keys; default: as the keys have it"),
            Argument(name="follow", type=bool, default=False, help="Where the file is a link, edit what it points to"),
            Argument(name="validate_certs", type=bool, default=True, help="Check the certificate of a URL's server"),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
