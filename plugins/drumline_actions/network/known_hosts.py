"""``known_hosts``: the keys by which a host knows other hosts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import Edit, read_original, write_edit
from drumline_actions.text.lines import lines_of

_HASHED = "|1|"


def perform(call: Call) -> Steps:
    name = call["name"]
    key = _key(call)
    original = yield from read_original(call, call["path"])
    lines = lines_of(original.content.decode("utf-8", "surrogateescape"))
    new = _absent(lines, name, key) if call["state"] == "absent" else _present(call, lines, name, key or ("", ""))
    content = "".join(f"{line}\n" for line in new).encode("utf-8", "surrogateescape")
    values: dict[str, Any] = {one: call[one] for one in ("name", "key", "path", "state", "hash_host")}
    edit = Edit(content=None if new == lines else content, values=values)
    mode: dict[str, Any] = {} if original.exists else {"mode": "00600"}
    return (yield from write_edit(call, original, edit, describe=True, **mode))


def _key(call: Call) -> tuple[str, str] | None:
    """Type and data of the key, whose line has the host's name ahead."""
    if call["key"] is None:
        if call["state"] == "present":
            raise ActionFailed("No key specified when adding a host")
        return None
    words = call["key"].split()
    names = [place for place, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))]
    if not names or len(words) <= names[0] + 1:
        raise ActionFailed(f"The key is no line of known_hosts, NAME TYPE KEY: {call['key']}")
    head = words[: names[0]]
    if head and not _means(head[-1], call["name"]):
        raise ActionFailed(
            f"Host parameter '{call['name']}' does not match hashed host field in supplied key: {head[-1]}"
        )
    return words[names[0]], words[names[0] + 1]


def _means(field: str, name: str) -> bool:
    """Whether the first field of a line is about this host."""
    if field.startswith(_HASHED):
        _, _, salt, digest = (*field.split("|"), "", "")[:4]
        try:
            return hmac.compare_digest(_digest(base64.b64decode(salt), name).encode(), digest.encode(errors="replace"))
        except ValueError:  # no one knows whose a damaged line is
            return False
    return name.lower() in field.lower().split(",")


def _digest(salt: bytes, name: str) -> str:
    return base64.b64encode(hmac.new(salt, name.lower().encode(), hashlib.sha1).digest()).decode()


def _fields(line: str) -> list[str]:
    """Names, type and key of a line; none of one that says something else."""
    words = line.split()
    if len(words) < 3 or words[0].startswith(("#", "@")):
        return []
    return words[:3]


def _absent(lines: list[str], name: str, key: tuple[str, str] | None) -> list[str]:
    def goes(line: str) -> bool:
        fields = _fields(line)
        return bool(fields) and _means(fields[0], name) and (key is None or tuple(fields[1:]) == key)

    return [line for line in lines if not goes(line)]


def _present(call: Call, lines: list[str], name: str, key: tuple[str, str]) -> list[str]:
    """The lines with this key as the only one of its type for the host."""
    kept, there = [], False
    for line in lines:
        fields = _fields(line)
        if not fields or not _means(fields[0], name) or fields[1] != key[0]:
            kept.append(line)
        elif not there and fields[2] == key[1] and (not call["hash_host"] or fields[0].startswith(_HASHED)):
            kept.append(line)
            there = True
    if there:
        return kept
    salt = secrets.token_bytes(20)
    field = f"{_HASHED}{base64.b64encode(salt).decode()}|{_digest(salt, name)}" if call["hash_host"] else name
    return [*kept, f"{field} {key[0]} {key[1]}"]


ACTIONS = (
    Action(
        name="known_hosts",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Keep the key of another host in known_hosts",
        arguments=(
            Argument(name="name", required=True, aliases=("host",), help="The other host; with a port: [NAME]:PORT"),
            Argument(name="key", help="Line of known_hosts with its key, as ssh-keyscan prints it"),
            Argument(name="path", type=HostPath, default=HostPath("~/.ssh/known_hosts"), help="The file"),
            Argument(name="hash_host", type=bool, default=False, help="Write a hash of the name"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
