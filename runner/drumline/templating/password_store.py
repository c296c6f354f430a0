"""The lookup ``passwordstore``: passwords of the program ``pass`` of this machine, which makes new ones, too.

Terms, options and results are those that ``community.general`` documents for its lookup of the same name. What it
finds is a secret of the run from then on.
"""

from __future__ import annotations

import os
import secrets
import string
import subprocess
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context
from jinja2.utils import missing
from msgspec import Struct

from drumline.plugin.background import Background
from drumline.source.vault import keyring
from drumline.templating.bounds import limit
from drumline.templating.file_lookups import alone_in, term_and_options
from drumline.templating.filters import to_bool
from drumline.templating.waiting import waited_for

_LETTERS = string.ascii_letters + string.digits
#: The key of a store's entry that is its first line.
_FIRST = "password"


def passwordstore(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """The password of an entry of the store, or another line of it; none for a missing one that may be missing."""
    name, given = term_and_options(term, options)
    store = _store(context, given)
    writes = to_bool(given.get("overwrite", False)) or _if_missing(given) == "create"
    locks = given.get("lock", "write")
    with alone_in(store.directory / name) if locks == "readwrite" or (writes and locks == "write") else nullcontext():
        found = _found(store, name, given)
    if found is not None:
        keyring().note(found)
    return [found]


class _Store(Struct, frozen=True):
    """Where entries are kept, and the program that reads them."""

    program: str
    directory: Path
    umask: str

    def lines(self, name: str) -> list[str] | None:
        """What an entry holds; None where there is none."""
        if self.program == "pass" and not (self.directory / f"{name}.gpg").is_file():
            return None
        shown = ("show", "--password") if self.program == "gopass" else ("show",)
        status, output, said = self._asked(*shown, "--", name)
        if status and "not in the password store" in said:
            return None
        if status:
            raise FilterArgumentError(f"'{self.program} show {name}' ended with exit status {status}: {said.strip()}")
        return output.splitlines()

    def keep(self, name: str, lines: list[str]) -> None:
        """Make or replace an entry."""
        status, _, said = self._asked("insert", "-f", "-m", "--", name, text="\n".join(lines))
        if status:
            raise FilterArgumentError(f"'{self.program} insert {name}' ended with exit status {status}: {said.strip()}")

    def _asked(self, *words: str, text: str = "") -> tuple[int, str, str]:
        environment = {**os.environ, "PASSWORD_STORE_DIR": str(self.directory)}
        if self.umask:
            environment["PASSWORD_STORE_UMASK"] = self.umask
        command = [self.program, *words]
        try:
            ended = waited_for(
                Background(
                    lambda: subprocess.run(command, input=text.encode(), env=environment, capture_output=True),
                    "drumline-lookup",
                )
            )
        except OSError as error:
            raise FilterArgumentError(f"'{self.program}' can't be run on this machine: {error.strerror}.") from None
        return ended.returncode, *(part.decode("utf-8", "surrogateescape") for part in (ended.stdout, ended.stderr))


def _store(context: Context, given: Mapping[str, Any]) -> _Store:
    """The store that options, variables or the environment name."""
    program = str(given.get("backend") or _variable(context, "passwordstore_backend") or "pass")
    if program not in ("pass", "gopass"):
        raise FilterArgumentError(f"the backend of 'passwordstore' is pass or gopass, not '{program}'.")
    named = (given.get("directory"), _variable(context, "passwordstore"), os.environ.get("PASSWORD_STORE_DIR"))
    usual = "~/.password-store" if program == "pass" else "~/.local/share/gopass/stores/root"
    directory = Path(str(next(filter(None, named), usual))).expanduser()
    if not directory.is_dir() and _if_missing(given) != "create":
        raise FilterArgumentError(f"there is no password store in {directory}.")
    return _Store(program, directory, str(given.get("umask") or ""))


def _variable(context: Context, name: str) -> Any:
    value = context.resolve_or_missing(name)
    return None if value is missing else value


def _if_missing(given: Mapping[str, Any]) -> str:
    return "create" if to_bool(given.get("create", False)) else str(given.get("missing", "error"))


def _found(store: _Store, name: str, given: Mapping[str, Any]) -> str | None:
    """What is asked of an entry, which is made or changed first if that is asked as well."""
    key = str(given.get("subkey", _FIRST))
    lines = store.lines(name)
    if lines is None:
        if _if_missing(given) == "create":
            return _made(store, name, key, given)
        if _if_missing(given) == "error":
            raise FilterArgumentError(f"the password store {store.directory} has no entry '{name}'.")
        return None
    old = _value(lines, key)
    if to_bool(given.get("overwrite", False)) or (old is None and to_bool(given.get("create", False))):
        return _changed(store, name, key, lines, given)
    if to_bool(given.get("returnall", False)):
        return "\n".join(lines)
    if old is None and given.get("missing_subkey", "empty") == "error":
        raise FilterArgumentError(f"the entry '{name}' of the password store has no '{key}'.")
    return old


def _value(lines: list[str], key: str) -> str | None:
    if key == _FIRST:
        return lines[0] if lines else ""
    pairs = (line.partition(":") for line in lines[1:])
    return next((value.strip() for name, colon, value in pairs if colon and name.strip() == key), None)


def _made(store: _Store, name: str, key: str, given: Mapping[str, Any]) -> str:
    """A new entry, and the password in it."""
    password = _password(given)
    lines = [password] if key == _FIRST else ["", "", f"{key}: {password}"]
    if to_bool(given.get("timestamp", True)):
        lines.append(f"lookup_pass: First generated by ansible on {_now()}")
    store.keep(name, lines)
    return password


def _changed(store: _Store, name: str, key: str, lines: list[str], given: Mapping[str, Any]) -> str:
    """An entry with a new password or line, and that."""
    password, old = _password(given), _value(lines, key)
    if key == _FIRST:
        changed = [password, *(lines[1:] if to_bool(given.get("preserve", True)) else ())]
        owner = ""
    else:
        place = next((at for at, line in enumerate(lines) if at and line.partition(":")[0].strip() == key), None)
        at, end = (2, 2) if place is None else (place, place + 1)
        changed = [*lines[:at], f"{key}: {password}", *lines[end:]]
        owner = f"subkey '{key}' "
    if old is not None and to_bool(given.get("backup", False)):
        changed.append(f"lookup_pass: old {owner}password was {old} (Updated on {_now()})")
    store.keep(name, changed)
    return password


def _password(given: Mapping[str, Any]) -> str:
    if given.get("userpass"):
        return str(given["userpass"])
    length = int(given.get("length", 16))
    limit(length)
    letters = _LETTERS if to_bool(given.get("nosymbols", False)) else f"{_LETTERS}!#%&()*+,-./:;<=>?@[]^_{{|}}~"
    return "".join(secrets.choice(letters) for _ in range(length))


def _now() -> str:
    return time.strftime("%d/%m/%Y %H:%M:%S")
