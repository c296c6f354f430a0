"""The stores: what each makes of the name in ``lookup('secret', 'KIND:NAME')``.

No shell reads a name: it is one argument of a program that only the settings choose. What a program prints on its
standard output is the secret and is never shown; what it says on standard error when it fails is shown.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from drumline.plugin import SecretStore, SecretUnavailable

_KIND = re.compile(r"[A-Za-z][\w-]*")
#: Bytes of a secret; a key or a certificate has a few thousand.
_MOST = 1024 * 1024
#: Characters of what a program said that are shown.
_MOST_SHOWN = 300


def check_commands(commands: Mapping[str, object]) -> None:
    """Raise ``ValueError`` for commands of the settings that can't be used."""
    for kind, command in commands.items():
        if not _KIND.fullmatch(kind) or kind in ("env", "file"):
            raise ValueError(f"can't have a kind of secret '{kind}'.")
        words_of(kind, command)


def words_of(kind: str, command: object) -> Sequence[str]:
    """A command as a program and its arguments. Raises ``ValueError``."""
    try:
        words = shlex.split(command) if isinstance(command, str) else command
    except ValueError as error:
        raise ValueError(f"has a command for '{kind}' that can't be read: {error}.") from None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError(f"has to have a command line for '{kind}', or a list of a program and its arguments.")
    return words


def of_program(kind: str, command: object, seconds: float) -> SecretStore:
    """The store that a command of the settings makes."""
    words = words_of(kind, command)
    return SecretStore(
        name=kind, resolve=lambda name: from_program(words, seconds, name), help=f"By {shlex.join(words)}."
    )


def from_environment(name: str) -> str:
    """A variable of the environment."""
    if name not in os.environ:
        raise SecretUnavailable("There is no such variable in the environment.")
    return os.environ[name]


def from_file(name: str) -> str:
    """What is in a file, without the end of its last line."""
    try:
        with Path(name).expanduser().open("rb") as file:
            content = file.read(_MOST + 1)
    except (OSError, RuntimeError) as error:
        raise SecretUnavailable(f"{getattr(error, 'strerror', None) or error}.") from None
    return _text(content)


def from_pass(seconds: float, name: str) -> str:
    """The first line of an entry, which is the password by the rules of pass."""
    return from_program(("pass", "show"), seconds, name).partition("\n")[0]


def from_program(words: Sequence[str], seconds: float, name: str) -> str:
    """What the program prints with the name as its last argument, without the end of the last line."""
    if name.startswith("-"):
        raise SecretUnavailable(f"{words[0]} would take a name that begins with '-' for an option.")
    try:
        done = subprocess.run(
            [*words, name], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(f"{words[0]} took longer than {seconds:g} s (secrets.timeout).") from None
    except (OSError, ValueError) as error:
        raise SecretUnavailable(f"{words[0]} can't be run: {getattr(error, 'strerror', None) or error}.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        told = f": {said[-_MOST_SHOWN:]}" if said else "."
        raise SecretUnavailable(f"{words[0]} ended with exit status {done.returncode}{told}")
    return _text(done.stdout)


def _text(content: bytes) -> str:
    if len(content) > _MOST:
        raise SecretUnavailable(f"It is larger than {_MOST // 1024 // 1024} MiB.")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise SecretUnavailable("It is no text in UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r")
