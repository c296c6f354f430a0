"""``acl`` and ``xattr``: who else may use a file, and what else is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Script, ask, refused, result_of

_ACL = Script.beside(__file__, "acl")
_XATTR = Script.beside(__file__, "xattr")
_TYPES = ("group", "mask", "other", "user")
_NFS = "Use command: nfs4_setfacl."


def perform_acl(call: Call) -> Steps:
    if problem := _problem(call.arguments):
        raise ActionFailed(problem)
    state, default = call["state"], call["default"]
    kind, entity, permissions = call["etype"], call["entity"], call["permissions"]
    if call["entry"]:
        first, kind, entity, permissions = _parts(call["entry"])
        default = default or first
    entry = ":".join((kind or "", entity, *((permissions or "",) if state == "present" else ())))
    answer = yield from ask(
        call,
        _ACL,
        main=True,
        path=call["path"],
        state=state,
        entry=entry,
        default=default,
        recursive=call["recursive"],
        masking={"mask": "--mask", "no_mask": "--no-mask"}.get(call["recalculate_mask"], ""),
        follow=call["follow"],
    )
    said = "current acl" if state == "query" else f"{entry} is {state}"
    return result_of({"acl": [], **answer, "msg": said})


def _parts(entry: str) -> tuple[bool, str, str, str | None]:
    """Whether it is a default, its type, whose it is, and what may be done: ``default:user:joe:rwx``."""
    first, *rest = entry.split(":")
    default = first.lower().startswith("d")
    kind, entity, *permissions = (*rest, "") if default else (first, *rest, "")
    known = next((name for name in _TYPES if kind and name.startswith(kind.lower()[0])), None)
    if known is None:
        raise ActionFailed(f"'entry' has no type of {', '.join(_TYPES)}: {entry}")
    return default, known, entity, permissions[0] or None


def _problem(given: Any) -> str:
    state, entry = given.get("state", "query"), given.get("entry")
    parts = any(given.get(name) for name in ("etype", "entity", "permissions"))
    if state == "query":
        for name, fault in (("recursive", given.get("recursive")), ("entry", entry)):
            if fault:
                return f"'{name}' MUST NOT be set when 'state=query'."
        return ""
    if entry:
        colons, needs = str(entry).count(":"), (2, 3) if state == "present" else (1, 2)
        if parts:
            return "'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set."
        return "" if colons in needs else f"'entry' MUST have {needs[0] + 1} or {needs[1] + 1} sections divided by ':'."
    if not given.get("etype"):
        return f"'etype' MUST be set when 'state={state}'."
    if state == "absent" and given.get("permissions"):
        return "'permissions' MUST NOT be set when 'state=absent'."
    return "'entity' MUST be set when 'state=absent'." if state == "absent" and not given.get("entity") else ""


def check_acl(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.open and (problem := _problem(written.arguments)):
        yield "", problem


def perform_xattr(call: Call) -> Steps:
    key, namespace, state = call["key"], call["namespace"], call["state"]
    state = "present" if call["value"] is not None else state
    if key is None and state in ("absent", "present"):
        raise ActionFailed(f"{state} needs a key parameter")
    if key is not None and namespace and not (namespace == "user" and key.startswith("user.")):
        key = f"{namespace}.{key}"
    if state == "read" and key is None:
        state = "all"
    answer = yield from ask(
        call,
        _XATTR,
        main=True,
        path=call["path"],
        key=key,
        value=call["value"] or "",
        state=state,
        follow=call["follow"],
    )
    said = {"present": f"{key} set to {call['value']}", "absent": f"{key} removed", "keys": "returning all keys"}
    said |= {"all": "dumping all", "read": f"returning {key}"}
    pairs = (line.partition("=") for line in answer.pop("lines", "").splitlines() if line and line[0] != "#")
    values = {name: value.strip('"') for name, _, value in pairs}
    return result_of(
        {**answer, "msg": said["read" if call["state"] == "read" and call["value"] is None else state]}, xattr=values
    )


_FOLLOW = Argument(name="follow", type=bool, default=True, help="If path is a link, what it leads to is meant")

ACTIONS = (
    Action(
        name="acl",
        perform=perform_acl,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Give users and groups a part in a file, by getfacl and setfacl",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("name",), help="Path on the host"),
            Argument(
                name="state",
                default="query",
                choices=("absent", "present", "query"),
                help="query: only say what it has",
            ),
            Argument(name="etype", choices=_TYPES, help="For whom"),
            Argument(name="entity", default="", help="Which user or group"),
            Argument(name="permissions", help="What it may: rwx, or X for directories and programs alone"),
            Argument(name="entry", help="These three in one: user:joe:rwx"),
            Argument(name="default", type=bool, default=False, help="For all that is made in the directory"),
            Argument(name="recursive", type=bool, default=False, aliases=("recurse",), help="Also all that is below"),
            Argument(
                name="recalculate_mask",
                default="default",
                choices=("default", "mask", "no_mask"),
                help="Whether the mask is worked out anew: always, never, or as setfacl has it",
            ),
            _FOLLOW,
            *refused(use_nfsv4_acls=_NFS),
        ),
        check=check_acl,
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="xattr",
        perform=perform_xattr,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Read and set extended attributes of a file, by getfattr and setfattr",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("name",), help="Path on the host"),
            Argument(name="namespace", default="user", help="What stands before the key"),
            Argument(name="key", help="Name of the attribute"),
            Argument(name="value", help="Its value; with it, state is present"),
            Argument(
                name="state",
                default="read",
                choices=("absent", "all", "keys", "present", "read"),
                help="keys and all: every attribute, without and with its value",
            ),
            _FOLLOW,
        ),
        platforms=(Platform.POSIX,),
    ),
)
