"""For transports to POSIX hosts: a ``Run`` as one shell script."""

from __future__ import annotations

import hashlib
import re
import shlex

from drumline.errors import OptionInvalid
from drumline.model.request import Language, Run

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ITS_OWN_PROCESS = re.compile(r"\$\$|\$\{\$|\bPPID\b")
#: Longest script that may become an argument; Linux takes 131,071 bytes.
_LONGEST_ARGUMENT = 120_000


def shell_script(request: Run) -> str:
    """The text that carries out the request when a POSIX ``sh`` reads it, its stdin being the request's.

    Environment, working directory, another shell (``executable``) and another user (``become``) are in the text;
    stdin and time-out are the transport's part. Raises ``OptionInvalid`` for what a POSIX host can't do.
    """
    text = "\n".join([*settings_of(request), with_shell(request)])
    return as_user(request.become.user, text) if request.become else text


def means_its_own_process(script: str) -> bool:
    """The script speaks of ``$$`` and so has to be a process of its own, unless it is too long to be started so."""
    return bool(_ITS_OWN_PROCESS.search(script)) and len(script) < _LONGEST_ARGUMENT


def settings_of(request: Run) -> list[str]:
    """The lines that set environment and working directory. Raises as ``shell_script`` does."""
    if request.language not in (Language.SH, Language.EXEC):
        raise OptionInvalid(
            "This host speaks sh", f"A {request.language} command can't run on it; use a POSIX shell command."
        )
    settings = [_export(name, value) for name, value in request.environment.items()]
    if request.directory is not None:
        settings.append(f"cd -- {shlex.quote(request.directory)} || exit")
    return settings


def _export(name: str, value: str) -> str:
    if not _NAME.match(name):
        raise OptionInvalid("Not a name for an environment variable", f"{name!r} can't be exported by sh.")
    return f"export {name}={shlex.quote(value)}"


def with_shell(request: Run) -> str:
    """The text, with the program that is to read it."""
    if request.language is Language.EXEC:
        return f"exec {shlex.join(_words(request.text))}"
    if request.executable:
        return f"exec {shlex.quote(request.executable)} -c {shlex.quote(request.script)}"
    return request.script


def _words(text: str) -> list[str]:
    """A command line taken apart: quotes and backslashes count, nothing is expanded."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise OptionInvalid("A command line can't be read", f"{error}: {text}") from error


def as_user(user: str, text: str, after: str = "") -> str:
    """The script as another user's, and then what this user does ``after`` it.

    It goes ahead of the request's stdin, since everybody may read the arguments of ``sudo``. ``dd`` takes exactly the
    script's bytes, so that the rest is the command's. -n: never ask for a password; -H: the user's own HOME.
    """
    script = text.encode(errors="surrogateescape")
    mark = f"drumline-{hashlib.sha256(script).hexdigest()[:20]}"
    shell = f'eval "$(dd bs=1 count={len(script) + 1} 2>/dev/null)"'
    sudo = f"sudo -n -H -u {shlex.quote(user)} -- /bin/sh -c {shlex.quote(shell)}"
    return f"{{ cat <<'{mark}'; cat; }} | {f'{{ {sudo}; {after}; }}' if after else sudo}\n{text}\n{mark}"
