"""OpenSSH's client settings (``~/.ssh/config``), read by paramiko, with ``Include`` that paramiko doesn't know."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from drumline.plugin import OptionInvalid
from drumline_ssh.library import load_invoke, load_paramiko

_INCLUDE = re.compile(r"\s*include(?:\s*=\s*|\s+)(.+?)\s*\Z", re.IGNORECASE)
_HEADER = re.compile(r"\s*(host|match)\b", re.IGNORECASE)
_RUNS_PROGRAMS = re.compile(r"\bexec\b", re.IGNORECASE)
#: As deep as OpenSSH goes.
_DEPTH = 16


class ConfigFile:
    """One file, parsed once, and asked for many hosts."""

    def __init__(self, path: Path) -> None:
        load_paramiko()
        from paramiko import ConfigParseError, SSHConfig

        self._path = path
        try:
            text = "\n".join(_lines(path, "Host *", _DEPTH))
            if _RUNS_PROGRAMS.search(text):
                load_invoke()
            self._config = SSHConfig.from_text(text)
        except (OSError, UnicodeDecodeError, ConfigParseError) as error:
            raise OptionInvalid("The ssh configuration can't be read", f"{path}: {error}") from None

    def lookup(self, name: str) -> Mapping[str, Any]:
        """Keywords in lower case and their values (a list for ``identityfile``) for a host."""
        try:
            return dict(self._config.lookup(name))
        except Exception as error:  # Match exec, canonical names: paramiko raises what it likes
            raise OptionInvalid("The ssh configuration can't be applied", f"{self._path}, {name}: {error}") from None


def _lines(path: Path, header: str, depth: int) -> Iterator[str]:
    """The lines of a file, those of included ones in their place."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if _HEADER.match(line):
            header = line
        match = _INCLUDE.match(line)
        if not match:
            yield line
        elif depth > 0:
            for included in _included(match[1]):
                yield from _lines(included, header, depth - 1)
            # A Host in an included file ends with that file.
            yield header


def _included(patterns: str) -> Iterator[Path]:
    for pattern in patterns.replace('"', "").split():
        place = Path(pattern).expanduser()
        absolute = place if place.is_absolute() else Path("~/.ssh").expanduser() / place
        yield from (Path(name) for name in sorted(glob.glob(str(absolute))) if Path(name).is_file())
