"""``%h`` and its like, ``${VARIABLE}``, ``~`` and times in OpenSSH's client settings."""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

_TOKEN = re.compile(r"%(.?)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_TIME = re.compile(r"(\d+)([smhdw]?)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@functools.cache
def local_user() -> str:
    """Whoever runs drumline."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user database doesn't know this user
        return str(os.getuid())


class Connecting(NamedTuple):
    """What the tokens stand for."""

    original: str  #: The host as it was asked for.
    host: str  #: Where to connect to.
    port: int
    user: str
    jumps: str = ""  #: ProxyJump.
    alias: str = ""  #: HostKeyAlias, else the host.

    def tokens_of_proxies(self) -> Mapping[str, str]:
        """The tokens that ProxyCommand and ProxyJump may hold."""
        return {"%": "%", "h": self.host, "n": self.original, "p": str(self.port), "r": self.user}

    def tokens(self) -> Mapping[str, str]:
        """Every token that the settings of a connection may hold."""
        local = socket.gethostname()
        text = f"{local}{self.host}{self.port}{self.user}{self.jumps}"
        return {
            "%": "%",
            "C": hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest(),
            "d": os.path.expanduser("~"),
            "h": self.host,
            "i": str(os.getuid()),
            "j": self.jumps,
            "k": self.alias or self.original,
            "L": local.partition(".")[0],
            "l": local,
            "n": self.original,
            "p": str(self.port),
            "r": self.user,
            "u": local_user(),
        }


def expand(text: str, tokens: Callable[[], Mapping[str, str]]) -> str:
    """``text`` with its tokens replaced. Raises ``ValueError`` for one that means nothing there."""
    if "%" not in text:
        return text
    known = tokens()

    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise ValueError(f"'%{match[1]}' means nothing in '{text}'")
        return known[match[1]]

    return _TOKEN.sub(value, text)


def expand_path(text: str, tokens: Callable[[], Mapping[str, str]]) -> Path:
    """A file's name, with ``~``, tokens and variables replaced. Raises ``ValueError`` for what means nothing."""
    return _path(expand_variables(expand(text, tokens)), os.environ.get("HOME"))


@functools.lru_cache
def _path(text: str, home: str | None) -> Path:
    """Most hosts have the same files. ``home`` is what ``~`` stands for."""
    return Path(os.path.expanduser(text))


def expand_variables(text: str) -> str:
    """``text`` with each ``${NAME}`` replaced. Raises ``ValueError`` for a variable that isn't set."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise ValueError(f"the environment variable {match[1]} in '{text}' isn't set")
        return found

    return _VARIABLE.sub(value, text) if "${" in text else text


def seconds(text: str) -> int | None:
    """A time such as ``90``, ``1m30`` or ``2h``, in seconds; None for ``none``. Raises ``ValueError``."""
    if text.lower() == "none":
        return None
    parts = _TIME.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"'{text}' is not a time")
    return sum(int(number) * _UNITS[unit.lower()] for number, unit in parts)
