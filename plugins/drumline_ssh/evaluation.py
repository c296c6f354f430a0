"""What OpenSSH's client settings say of one host, by the rules of ``ssh_config(5)``.

The first value that is found for a keyword counts. A line counts where the ``Host`` or ``Match`` above it holds; a file
that is included counts only where the line that includes it does, whatever ``Host`` stands in it. ``Match final`` and
canonical names ask for a second reading of all files, by the name that the first has found; in it, as in OpenSSH,
``Host`` and ``Match`` mean that name.

Some conditions can't be decided here: those that only ``ssh`` knows, and programs that are not to be run twice. A block
below such a condition is doubtful. It does no harm where it wouldn't change anything; else the host, and no other,
can't be reached by these settings.
"""

from __future__ import annotations

import contextlib
import glob
import ipaddress
import os
import socket
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from drumline_ssh import keywords, patterns, tokens
from drumline_ssh.cache import FileCache, stamp_of
from drumline_ssh.conditions import Criteria, Match, Verdict
from drumline_ssh.configlines import ConfigLine

#: As deep as OpenSSH goes.
_DEPTH = 16
_PORT = "22"
Values = dict[str, list[str]]


class ConfigSource(NamedTuple):
    """One of the files that are read for every host."""

    path: Path
    of_user: bool  #: Relative names in it are below ``~/.ssh``; else beside the file.
    guarded: bool = False  #: As with OpenSSH, only its owner may be able to write to it.


class Evaluation(Struct):
    """What was found for one host."""

    values: Values  #: By keyword, with nothing replaced in them.
    host: str = ""  #: Where to connect to.
    files: list[object] = []  #: That were read, and when they were written.
    verdicts: list[Verdict] = []  #: About all conditions, in their order.
    #: Another host's settings can't be taken for this one's: they depend on its name in ways that only ``ssh`` knows.
    alone: bool = False
    faults: list[str] = []  #: What concerns this host and can't be honoured.


class Evaluator:
    """Reads files for many hosts, each file once until it changes."""

    def __init__(self, files: FileCache[list[ConfigLine]], canonical: Callable[[str, Values, float], str]) -> None:
        """``canonical`` finds a host's canonical name in a time; it may raise ``ValueError`` and ``TimeoutError``."""
        self._files = files
        self._canonical = canonical

    def evaluate(
        self, name: str, given: Mapping[str, Sequence[str]], sources: Sequence[ConfigSource], *, patience: float | None
    ) -> Evaluation:
        """``given`` is what the command line of ``ssh`` would have.

        ``patience`` is how many seconds name servers may take; None: neither ask them nor run programs. Raises
        ``OSError`` for a file that can't be read, ``TimeoutError`` for name servers that are silent.
        """
        reading = _ConfigReading(self._files, name, given, deciding=patience is not None)
        found = reading.found
        for source in sources:
            reading.read(source, name)
        found.host = numeric(reading.host_name(name))
        canonical = found.values.get("canonicalizehostname", ["no"]) != ["no"]
        if canonical:
            found.alone = True
            if patience is not None:
                with reading.noting("CanonicalizeHostname"):
                    found.host = self._canonical(found.host, found.values, patience)
        if canonical or reading.wants_final:
            found.values["hostname"] = [found.host]
            for source in sources:
                reading.read(source, found.host, final=True)
        found.alone = found.alone or reading.doubts_the_way()
        return found


def numeric(host: str) -> str:
    """In lower case; an address in its usual form (``127.1`` is ``127.0.0.1``)."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    if host.replace(".", "").isdecimal():
        with contextlib.suppress(OSError):
            return socket.inet_ntoa(socket.inet_aton(host))
    return host.lower()


class _ConfigReading:
    """The files, read once or twice for one host."""

    def __init__(
        self, files: FileCache[list[ConfigLine]], name: str, given: Mapping[str, Sequence[str]], *, deciding: bool
    ) -> None:
        self.found = Evaluation({keyword: list(values) for keyword, values in given.items()})
        self.wants_final = False
        self._files = files
        self._name = name
        self._deciding = deciding
        self._ignored: list[str] = []
        self._doubtful: set[str] = set()  #: Keywords that doubtful blocks would have set.

    @contextlib.contextmanager
    def noting(self, place: str) -> Iterator[None]:
        """Make a ``ValueError`` a fault of this host's."""
        try:
            yield
        except ValueError as error:
            self.found.faults.append(f"{place}: {error}")

    def doubts_the_way(self) -> bool:
        """Where to connect to, and as whom, depends on conditions that can't be decided here."""
        return bool(self._doubtful & {"hostname", "user", "port"})

    def host_name(self, name: str) -> str:
        """What HostName makes of a name."""
        named = self.found.values.get("hostname")
        with self.noting("HostName"):
            return tokens.expand(named[0], lambda: {"h": name, "%": "%"}) if named else name
        return name

    def read(self, source: ConfigSource, host: str, *, final: bool = False) -> None:
        """Go through one of the files that are read for every host, and all that it includes."""
        self._host, self._final = host, final
        self._file(source, True, 0)

    def _file(self, source: ConfigSource, limit: Verdict, depth: int) -> None:
        """``limit``: whether the line that includes this file counts; nothing in it counts more than that."""
        _check_owner(source)
        self.found.files.append((source.path, stamp_of(source.path)))
        active = limit
        for line in self._files.get(source.path):
            if line.keyword == "include":
                self._include(line, source, active, depth)
            elif line.keyword in ("host", "match"):
                held = limit and self._condition(line)
                active = limit if held is True else held
            elif active:
                self._take(line, active)

    def _include(self, line: ConfigLine, source: ConfigSource, active: Verdict, depth: int) -> None:
        if line.fault or depth >= _DEPTH:
            self._fault(line, active, line.fault or f"files include one another more than {_DEPTH} levels deep")
            return
        base = Path("~/.ssh").expanduser() if source.of_user else source.path.parent
        for pattern in line.words:
            place = os.path.join(base, os.path.expanduser(pattern))
            for name in sorted(glob.glob(place)):
                if not os.path.isdir(name):
                    self._file(ConfigSource(Path(name), source.of_user, guarded=True), active, depth + 1)

    def _fault(self, line: ConfigLine, active: Verdict, what: str) -> None:
        if active:
            self.found.faults.append(f"{line.place}: {what}")

    # Conditions.

    def _condition(self, line: ConfigLine) -> Verdict:
        verdict: Verdict
        if line.fault and line.keyword == "host":
            verdict = f"{line.place}: {line.fault}"
        elif line.keyword == "host":
            verdict = patterns.matches_list(self._host, line.words)
        else:
            verdict = self._match(line)
        self.found.verdicts.append(verdict)
        return verdict

    def _match(self, line: ConfigLine) -> Verdict:
        try:
            match = Match(line)
            self.wants_final = self.wants_final or match.wants_final
            verdict = match.holds(self._criteria())
        except ValueError as error:
            return f"'Match {line.rest}' ({line.place}): {error}"
        self.found.alone = self.found.alone or (
            isinstance(verdict, str)
            and (match.has_program or not self._doubtful.isdisjoint(("hostname", "user", "tag")))
        )
        return verdict

    def _criteria(self) -> Criteria:
        values = self.found.values
        return Criteria(
            host=self.host_name(self._host),
            original=self._name,
            user=values.get("user", [tokens.local_user()])[0],
            tag=values.get("tag", [""])[0],
            final=self._final,
            doubtful=frozenset(self._doubtful),
            command=self._command if self._deciding else None,
        )

    def _command(self, text: str) -> str:
        values = self.found.values
        host = self.host_name(self._host)
        return tokens.expand(
            text,
            tokens.Connecting(
                original=self._name,
                host=host,
                port=int(values.get("port", [_PORT])[0]),
                user=values.get("user", [tokens.local_user()])[0],
                jumps=values.get("proxyjump", [""])[0],
                alias=values.get("hostkeyalias", [""])[0],
            ).tokens,
        )

    # Settings.

    def _take(self, line: ConfigLine, active: Verdict) -> None:
        keyword = keywords.ALIASES.get(line.keyword, line.keyword)
        values = self.found.values
        if keyword == "ignoreunknown":
            self._ignored += [name.lower() for word in line.words for name in word.split(",")]
        if keyword not in keywords.READERS:
            if keyword not in keywords.PASSED_OVER and not patterns.matches_list(keyword, self._ignored):
                self._fault(line, active, f"'{line.keyword}' is no setting that OpenSSH knows")
        elif keyword in values and keyword not in keywords.ADDING:
            return
        elif active is not True:
            self._fault(line, active, f"{line.keyword} is below a condition that can't be decided: {active}")
            self._doubtful.add(keyword)
        elif not _is_beaten(keyword, values):
            with self.noting(line.place):
                self._set(line, keyword)

    def _set(self, line: ConfigLine, keyword: str) -> None:
        if line.fault and keyword not in keywords.WHOLE:
            raise ValueError(line.fault)
        fresh = keywords.READERS[keyword](line)
        if keyword in keywords.ADDING:
            earlier = self.found.values.setdefault(keyword, [])
            earlier += [value for value in fresh if value not in earlier]
        else:
            self.found.values[keyword] = fresh
            self.found.alone = self.found.alone or (keyword == "userknownhostsfile" and "%" in "".join(fresh))


def _is_beaten(keyword: str, values: Values) -> bool:
    """Of ProxyJump and ProxyCommand the first one counts; ``ProxyJump none`` leaves the other its turn."""
    if keyword == "proxyjump":
        return "proxycommand" in values
    return keyword == "proxycommand" and values.get("proxyjump", ["none"]) != ["none"]


def _check_owner(source: ConfigSource) -> None:
    if not source.guarded:
        return
    status = os.stat(source.path)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or status.st_uid not in (0, os.getuid()):
        raise PermissionError(0, f"others may write to {source.path}; as with ssh, only you or root may ('chmod go-w')")
