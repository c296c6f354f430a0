"""Asks the program ``ssh`` what its settings say of a host (``ssh -G``)."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from drumline_ssh import keywords
from drumline_ssh.configlines import ConfigLine

#: Programs that run at the same time: more would only take the processor from connections that are being opened.
_AT_ONCE = 8
#: OpenSSH prints lists of files without quotes. A name among them begins so.
_NEXT_FILE = re.compile(r"[ ](?=[/~$%]|none\b)")
#: Keywords of such lists.
LISTS = frozenset(("userknownhostsfile", "globalknownhostsfile"))
#: What it prints of these when they aren't set.
_UNSET = {"connecttimeout": "none", "serveraliveinterval": "0", "tag": ""}


@functools.lru_cache
def _is_of_account(home: str | None) -> bool:
    import pwd

    try:
        account = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return False
    return home is None or os.path.realpath(account) == os.path.realpath(home)


class SshRefuses(Exception):
    """``ssh`` gives no answer; what it says."""


class SshProgram:
    """The ``ssh`` of this machine."""

    def __init__(self) -> None:
        self._program = shutil.which("ssh")
        self._running = threading.Semaphore(_AT_ONCE)

    @property
    def installed(self) -> bool:
        """Whether there is one, for the files of this user.

        It reads ``~`` from the user database. Where ``HOME`` names another directory, it would read other files.
        """
        return self._program is not None and _is_of_account(os.environ.get("HOME"))

    def ask(
        self, name: str, given: Mapping[str, Sequence[str]], config: Path | None, patience: float
    ) -> dict[str, list[str]]:
        """Keywords in lower case and their values. Raises ``SshRefuses``, also after ``patience`` seconds."""
        options = [_option(keyword, value) for keyword, values in given.items() for value in values]
        file = ["-F", str(config)] if config else []
        command = [
            str(self._program),
            "-G",
            *file,
            *(word for option in options for word in ("-o", option)),
            "--",
            name,
        ]
        with self._running:
            output = _run(command, patience)
        return parse(output.decode("utf-8", "surrogateescape"))


def _option(keyword: str, value: str) -> str:
    if keyword in keywords.WHOLE:
        return f"{keyword}={value}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{keyword}="{quoted}"'


def _run(command: Sequence[str], patience: float) -> bytes:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    with process:
        try:
            output, errors = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what Match exec has started
            raise SshRefuses(f"it didn't answer within {patience:g} s") from None
    if process.returncode:
        lines = errors.decode(errors="replace").replace("\r", "").strip().splitlines()
        raise SshRefuses("; ".join(line for line in lines if "Pseudo-terminal" not in line))
    return output


def parse(output: str) -> dict[str, list[str]]:
    """What ``ssh -G`` prints, as far as drumline makes use of it."""
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword not in keywords.READERS or value == _UNSET.get(keyword):
            continue
        found.setdefault(keyword, []).extend(_values(keyword, value))
    return found


def _values(keyword: str, value: str) -> list[str]:
    if keyword in LISTS:
        return _NEXT_FILE.split(value)
    words = value.split() if keyword.startswith("canonical") else [value]
    with contextlib.suppress(ValueError):
        return keywords.READERS[keyword](ConfigLine("", keyword, value, tuple(words)))
    return [value]
