"""Values of Python as a POSIX ``sh`` and as PowerShell read them."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Mapping, Sequence

from drumline.plugin.hostpath import HostPath
from drumline.plugin.windows import quote

#: A leading ``~`` or ``~user``, and variables, in arguments of which Ansible expands them on the host.
_HOME = re.compile(r"~[A-Za-z0-9._-]*(?:/|\Z)")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")


def sh_word(value: object) -> str:
    """A value as one word of ``sh``: True is ``1``, False and None are empty, a :class:`HostPath` is expanded."""
    if value is None or value is False:
        return "''"
    if value is True:
        return "1"
    return _path_word(value) if isinstance(value, HostPath) else shlex.quote(str(value))


def _path_word(path: HostPath) -> str:
    # Behind a ~ the shell takes what is quoted for a part of the user's name.
    slash, name = ("/", path.below[1:]) if path.below.startswith("/") else ("", path.below)
    return expanding_word(f"{path}{slash}") + _literal(name)


def expanding_word(text: str) -> str:
    """One word for ``sh`` in which ``~`` and variables that exist are expanded, and nothing else is (no splitting)."""
    home = _HOME.match(text)
    word, position = (home[0], home.end()) if home else ("", 0)
    for found in _VARIABLE.finditer(text, position):
        as_written = "\\" + found[0].replace("}", "\\}")
        word += f'{_literal(text[position : found.start()])}"${{{found[1] or found[2]}-{as_written}}}"'
        position = found.end()
    return word + _literal(text[position:]) or "''"


def _literal(text: str) -> str:
    return shlex.quote(text) if text else ""


def powershell_value(value: object) -> str:
    """A value as PowerShell reads it: bytes become base64; True, False, None, numbers, lists, dicts are themselves.

    A :class:`HostPath` becomes a pair, its text and the names below it, which ``Full`` of the kit's functions reads.
    """
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, bytes):
        return f"'{base64.b64encode(value).decode()}'"
    if isinstance(value, HostPath):
        return f"@({quote(value)}, {quote(value.below)})"
    if isinstance(value, Mapping):
        return f"@{{{'; '.join(f'{quote(str(key))} = {powershell_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"@({', '.join(map(powershell_value, value))})"
    return quote(str(value))
