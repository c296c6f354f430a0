"""``htpasswd``: names and hashed passwords in a file that web servers read."""

from __future__ import annotations

from collections.abc import Sequence

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import EDITED, Edit, labelled, read_original, write_edit

#: By the names that they once had.
_SCHEMES = {"portable": "apr_md5_crypt", "portable_apache22": "apr_md5_crypt", "portable_apache24": "bcrypt"}
_SCHEMES |= {"host_apache22": "apr_md5_crypt", "host_apache24": "bcrypt", "linux_apache24": "bcrypt"}


def perform(call: Call) -> Steps:
    name, path = call["name"], call["path"]
    original = yield from read_original(call, path)
    if call["state"] == "absent":
        if not original.exists:
            return (yield from write_edit(call, original, Edit(message=f"{name} not present")))
        edit = _without(name, _lines(original.content))
    else:
        if not original.exists and not call["create"]:
            raise ActionFailed(f"Destination {original.path} does not exist")
        edit = _with(call, original.path, _lines(original.content) if original.exists else None)
    return (yield from write_edit(call, original, edit))


def _lines(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines() if line.strip()]


def _without(name: str, lines: Sequence[bytes]) -> Edit:
    kept = [line for line in lines if line.split(b":")[0] != name.encode()]
    message = f"Remove {name}" if len(kept) < len(lines) else f"{name} not present"
    return Edit(content=_joined(kept), message=message)


def _with(call: Call, path: str, lines: list[bytes] | None) -> Edit:
    """The lines with the password in the place of that name, or at the end; None where there is no file."""
    name, password = call["name"].encode(), call["password"]
    if set(call["name"]) & set(":\n\r\t\0"):
        raise ActionFailed(f"A name can't have ':' or a line end: {call['name']!r}")
    if password is None:
        raise ActionFailed("'password' is needed to compare or set one")
    places = [place for place, line in enumerate(lines or ()) if line.split(b":")[0] == name]
    if lines and places and _verifies(call["hash_scheme"], password, lines[places[0]].partition(b":")[2]):
        return Edit(content=_joined(lines), message=f"{call['name']} already present")
    line = name + b":" + _hashed(call["hash_scheme"], password)
    if lines is None:
        message = f"Create {path}" if call.check else f"Created {path} and added {call['name']}"
        return Edit(content=_joined([line]), message=message)
    if places:
        lines[places[0]] = line
    else:
        lines.append(line)
    return Edit(content=_joined(lines), message=f"Add/update {call['name']}")


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _verifies(scheme: str, password: str, hashed: bytes) -> bool:
    """By the scheme itself, if it is of that; else by those of Apache, whose last one is plain text."""
    from passlib.apache import htpasswd_context  # what few tasks have a need of
    from passlib.exc import MissingBackendError
    from passlib.registry import get_crypt_handler

    text = hashed.decode("utf-8", "replace")
    try:
        own = get_crypt_handler(_SCHEMES.get(scheme, scheme), None)
        known = own if own is not None and own.identify(text) else htpasswd_context
        return bool(known.verify(password, text))
    except (ValueError, MissingBackendError):  # of a scheme that isn't known here, so it isn't this password
        return False


def _hashed(scheme: str, password: str) -> bytes:
    from passlib.exc import MissingBackendError
    from passlib.registry import get_crypt_handler

    try:
        text = get_crypt_handler(_SCHEMES.get(scheme, scheme)).hash(password)
    except (KeyError, ValueError, MissingBackendError) as error:  # ValueError: a password that can't be hashed
        raise ActionFailed(f"There is no hash_scheme '{scheme}' here: {error}") from None
    return str(text).encode()


ACTIONS = (
    Action(
        name="htpasswd",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Keep a name and its password in a file for a web server's basic authentication",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("dest", "destfile"), help="File on the host"),
            Argument(name="name", required=True, aliases=("username",), help="The name"),
            Argument(name="password", help="Its password, in clear; hashed on this machine"),
            Argument(
                name="hash_scheme",
                default="apr_md5_crypt",
                aliases=("crypt_scheme",),
                help="How it is hashed: apr_md5_crypt, ldap_sha1, sha512_crypt, … of passlib",
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="create", type=bool, default=True, help="Make the file if it is missing"),
            *EDITED,
        ),
        platforms=(Platform.POSIX,),
    ),
)
