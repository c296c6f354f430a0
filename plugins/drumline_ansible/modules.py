"""Ansible's modules in Python, run on hosts by what the first of them leaves there.

A module comes to a host once: it lies in the run's directory there, by its hash. The first one also leaves a process
that has imported what all modules share, which later ones are forks of: they cost a tenth. What tasks say goes by
standard input alone. At the end of the run all that is removed, and by a later run where that couldn't be.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from drumline.plugin import AtEnd, Call, Completed, Language, Request, Run
from drumline.plugin.kit import output_text
from drumline.plugin.leftovers import is_left_behind, temporary_name
from drumline_ansible.bridge import Talk

#: The most bytes that a command of a task may say.
MOST = 64 * 1024 * 1024
#: What the caller says first on standard error where the module has to be launched.
_NOT_RUN = b"drumline: not run: "
_BASE = "${TMPDIR:-/tmp}"


def _text(name: str) -> str:
    """One of the programs for hosts, without its comments."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("#"))


_LAUNCHER, _CALLER = _text("launcher.txt"), _text("caller.txt")


class OnHost(Struct):
    """What the tasks of one user have on one host."""

    directory: str = field(default_factory=temporary_name)  #: The run's, but for the number of the user.
    launched: bool = False
    modules: set[str] = field(default_factory=set)  #: Those that are there.
    python: str = ""  #: The Python that was found there.


#: By host, and whether tasks are another user's there: the program keeps its directories apart by the user's number.
_places: dict[tuple[str, bool], OnHost] = {}
#: Modules by their hashes.
_contents: dict[str, bytes] = {}


def place_of(call: Call) -> OnHost:
    """What there is on the call's host."""
    return _places.setdefault((call.host, call.become), OnHost())


def run_module(call: Call, talk: Talk, said: Mapping[str, Any], arguments: bytes) -> Generator[Request, Any, Completed]:
    """Run a module that the child has built, and bring it to the host first where that hasn't got it."""
    place, key = place_of(call), said["key"]
    if not place.launched:
        yield from _prepare()
    module = b"" if key in place.modules else (yield from _content(talk, key))
    completed: Completed | None = None
    if place.launched:
        completed = yield _command(call, place, said, _CALLER, module, arguments)
    if completed is None or completed.stderr.startswith(_NOT_RUN):
        module = module or (yield from _content(talk, key))
        yield _removal(place)  # this may be another user than the first one
        completed = yield _command(call, place, said, _LAUNCHER, module, arguments)
    if completed.code is not None:
        place.launched = True
        place.modules.add(key)
    return completed


def _content(talk: Talk, key: str) -> Generator[Request, Any, bytes]:
    if key not in _contents:
        talk.say({"missing": True}, [b"", b""])
        _, [_contents[key]] = yield from talk.listen()
    return _contents[key]


def _command(call: Call, place: OnHost, said: Mapping[str, Any], program: str, module: bytes, arguments: bytes) -> Run:
    """Arguments of tasks are never part of the line."""
    options = ["-SE"] if program is _CALLER else []
    text = " ".join([said["interpreter"], *options, "-c", shlex.quote(program), place.directory])
    head = {**said["head"], "key": said["key"], "size": len(module)}
    stdin = b"".join((json.dumps(head).encode(), b"\n", module, arguments))
    return Run(language=Language.SH, text=text, stdin=stdin, environment=call.environment, most=MOST)


def _removal(place: OnHost) -> AtEnd:
    """Have this user's directory removed at the end of the run."""
    return AtEnd(run=Run(language=Language.SH, text=f'rm -rf -- "{_BASE}/{place.directory}.$(id -u)"'))


def _prepare() -> Generator[Request, Any, None]:
    """Remove what earlier runs have left."""
    completed = yield Run(language=Language.SH, text=f'cd "{_BASE}" && ls -d .drumline-* 2>/dev/null')
    left = [name for name in output_text(completed.stdout).split() if is_left_behind(name)]
    if left:
        yield Run(language=Language.SH, text=f'cd "{_BASE}" && rm -rf -- {shlex.join(left)}')
