"""For transports to POSIX hosts: a ``Run`` as one shell script."""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import PurePosixPath

from drumline.errors import OptionInvalid
from drumline.model.request import Become, Language, Run
from drumline.plugin.become_methods import method_of

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ITS_OWN_PROCESS = re.compile(r"\$\$|\$\{\$|\bPPID\b")
#: Shells that are known to evaluate what they read from a descriptor as if it was their argument.
_SHELLS = {"sh", "ash", "bash", "dash", "ksh", "ksh93", "mksh", "yash", "zsh"}
#: What such a shell is started with. The text itself never is an argument, which everyone sees in the process list.
_READER = 'drumline_text=$(cat <&3); exec 3<&-; eval "unset drumline_text;$drumline_text"'


def shell_script(request: Run) -> str:
    """The text that runs the request when a POSIX ``sh`` reads it, its stdin being the request's.

    Environment, working directory, another shell (``executable``) and another user (``become``) are in the text;
    stdin and time-out are the transport's part. Raises ``OptionInvalid`` for what a POSIX host can't do.
    """
    text = "\n".join([*settings_of(request), with_shell(request)])
    return as_user(request.become, text) if request.become else text


def means_its_own_process(script: str) -> bool:
    """The script speaks of ``$$`` and so has to be a process of its own."""
    return bool(_ITS_OWN_PROCESS.search(script))


def is_shell(program: str) -> bool:
    """Whether a program of this name reads scripts for ``sh``."""
    return PurePosixPath(program).name in _SHELLS


def run_in(program: str, script: str) -> str:
    """Lines that become a program which runs the script; they end with a line end.

    The script is on descriptor 3, and what reads it is no shell gets ``/dev/fd/3`` for its file.
    """
    mark = _end_mark(script)
    reader = f"-c {shlex.quote(_READER)}" if is_shell(program) else "/dev/fd/3"
    return f"exec {shlex.quote(program)} {reader} 3<<'{mark}'\n{script}\n{mark}\n"


def _end_mark(script: str) -> str:
    return f"drumline-{hashlib.sha256(script.encode(errors='surrogateescape')).hexdigest()[:20]}"


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
        return run_in(request.executable, request.script)
    return request.script


def _words(text: str) -> list[str]:
    """A command line taken apart: quotes and backslashes count, nothing is expanded."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise OptionInvalid("A command line can't be read", f"{error}: {text}") from error


def as_user(become: Become, text: str, after: str = "") -> str:
    """The script as another user's, and then what this user does ``after`` it.

    It goes ahead of the request's stdin, since everyone may read the arguments of ``sudo``. ``dd`` takes exactly the
    script's bytes, so that the rest is the command's. Nothing here could answer a question for a password
    (:mod:`drumline.plugin.becoming` can): raises ``OptionInvalid`` where one is given.
    """
    if become.password is not None:
        raise OptionInvalid(
            "This transport can't answer for a password",
            f"Allow '{become.method}' without one, or reach the host over ssh.",
        )
    script, mark = text.encode(errors="surrogateescape"), _end_mark(text)
    reader = f'eval "$(dd bs=1 count={len(script) + 1} 2>/dev/null)"'
    shell = f"drumline_shell={shlex.quote(f'exec /bin/sh -c {shlex.quote(reader)}')}"
    command = method_of(become).command(become, prompt="")
    then = f"; {after}" if after else ""
    return f"{{ cat <<'{mark}'; cat; }} | {{ {shell}; {command}{then}; }}\n{text}\n{mark}"
