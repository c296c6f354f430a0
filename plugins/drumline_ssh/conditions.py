"""Conditions of ``Match`` in OpenSSH's client settings."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import NamedTuple

from drumline_ssh import patterns, tokens
from drumline_ssh.configlines import ConfigLine

#: Whether a condition holds; a text says why that can't be known.
Verdict = bool | str

_WORD = re.compile(r'[ \t]*(?:"([^"]*)"|\'([^\']*)\'|([^ \t="\']+))[ \t]*=?')
#: Depend on this machine and on ``ssh`` alone, so that all hosts have the same answer.
_OF_SSH = frozenset(("localnetwork", "version", "sessiontype", "command"))
#: Seconds for a program of ``Match exec``.
_PATIENCE = 10.0


class Criteria(NamedTuple):
    """What the conditions are about."""

    host: str  #: As HostName has it so far.
    original: str
    user: str
    tag: str
    final: bool  #: The second reading.
    doubtful: frozenset[str]  #: Keywords whose values so far can't be known.
    #: The command of ``exec`` with its tokens replaced (may raise ``ValueError``); None: it is not to be run.
    command: Callable[[str], str] | None


class Match:
    """The criteria of one line."""

    def __init__(self, line: ConfigLine) -> None:
        """Raises ``ValueError`` for a line that OpenSSH refuses."""
        self._line = line
        self._criteria = list(_criteria(line.rest))
        names = [name for _, name, _ in self._criteria]
        self.wants_final = "final" in names
        self.has_program = "exec" in names

    def holds(self, facts: Criteria) -> Verdict:
        """Whether all of them hold. Once one doesn't, no program is run."""
        doubts = []
        for negated, name, argument in self._criteria:
            verdict = _verdict(name, argument, facts)
            if isinstance(verdict, str):
                doubts.append(f"'Match {self._line.rest}' ({self._line.place}): {verdict}")
            elif verdict is negated:
                return False
        return doubts[0] if doubts else True


def _criteria(text: str) -> Iterator[tuple[bool, str, str]]:
    words = list(_words(text))
    if not words:
        raise ValueError("Match has no criteria")
    count = 0
    while words:
        word = words.pop(0)
        name = word.lower().removeprefix("!")
        if name == "all" and (words or count):
            raise ValueError("'all' can't be combined with other criteria of Match")
        if name not in ("all", "canonical", "final"):
            count += 1
            if not words:
                raise ValueError(f"Match lacks what '{word}' is to match")
        yield word.startswith("!"), name, "" if name in ("all", "canonical", "final") else words.pop(0)


def _words(text: str) -> Iterator[str]:
    position = 0
    while (match := _WORD.match(text, position)) and not (match[3] or "").startswith("#"):
        yield next(group for group in match.groups() if group is not None)
        position = match.end()
    if not match and text[position:].strip():
        raise ValueError(f"'{text[position:].strip()}' can't be read")


def _verdict(name: str, argument: str, facts: Criteria) -> Verdict:
    about = {
        "host": ("hostname", facts.host.lower()),
        "originalhost": ("", facts.original.lower()),
        "user": ("user", facts.user),
        "localuser": ("", tokens.local_user()),
        "tagged": ("tag", facts.tag),
    }
    if name == "all":
        return True
    if name in ("canonical", "final"):
        return facts.final
    if name in about:
        keyword, value = about[name]
        if keyword in facts.doubtful:
            return f"what {name} is depends on a condition that can't be decided"
        lower = name in ("host", "originalhost")
        return patterns.matches_list(value, (argument.lower() if lower else argument).split(","))
    if name == "exec":
        return "its program is run by ssh" if facts.command is None else _succeeds(facts.command(argument))
    if name in _OF_SSH:
        return f"only the program ssh, of a version that knows it, can say whether '{name}' holds"
    return f"'{name}' is no criterion that is known"


def _succeeds(command: str) -> bool:
    shell = os.environ.get("SHELL") or "/bin/sh"
    nothing = subprocess.DEVNULL
    try:
        done = subprocess.run(
            [shell, "-c", command], stdin=nothing, stdout=nothing, stderr=nothing, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"'{command}' didn't end within {_PATIENCE:g} s") from None
    return done.returncode == 0
