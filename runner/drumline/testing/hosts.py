"""Hosts on which tests perform actions: real ones by a session of any transport, and whatever answers as one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from msgspec.structs import replace

from drumline.errors import HostError
from drumline.model.outcome import Result
from drumline.model.request import Become, Get, Language, Put, Request, Run, Waiting
from drumline.model.target import Platform, Target
from drumline.plugin.actions import Action, Call
from drumline.plugin.hostpath import HostPath
from drumline.plugin.kit import HostAnswer, Script, ask
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import Registry
from drumline.plugin.transports import Session, Transport
from drumline.secret import Secret
from drumline.testing.acting import drive, play
from drumline.testing.collect import collect
from drumline.testing.fakes import Answer

_MAKE = Script.beside(__file__, "make")
_LIST = Script.beside(__file__, "list")
_REMOVE = Script.beside(__file__, "remove")


@dataclass(frozen=True, slots=True)
class HostFile:
    """A file or a directory (None) with its permission bits, on POSIX; most are just their content."""

    content: str | bytes | None
    mode: int


@dataclass(frozen=True, slots=True)
class HostLink:
    """A symbolic link, by what it says; on POSIX."""

    target: str


#: What there is at a path: a file's text or bytes, a link, or a directory (None).
HostEntry: TypeAlias = str | bytes | HostFile | HostLink | None
#: What there is in a directory: by paths relative to it, with ``/``.
HostEntries: TypeAlias = Mapping[str, HostEntry]


@dataclass(kw_only=True)
class ActionHost:
    """Performs actions on a host, and remembers what they asked it for.

    ``session`` is one of any transport. ``Sleep`` passes at once, and ``Reconnect`` does nothing. A test may set
    ``answer``, which carries a request out: to answer instead of the host, or to come between::

        result = host(SERVICE, name="nginx", state="started")
        assert len(host.requests) == 1
    """

    platform: Platform
    session: Session
    #: What becomes of each command before it is sent: another shell, more variables.
    adapt: Callable[[Run], Run] = lambda run: run
    #: For :class:`drumline.plugin.Call`: ``environment``, ``become``, ``timeout``, ``lookup``, …
    settings: dict[str, Any] = field(default_factory=dict)
    user: str = ""  #: Commands run as this user.
    requests: list[Request] = field(default_factory=list)  #: Of the last action, but for those to tell people.
    waits: list[Waiting] = field(default_factory=list)  #: What the last action said it waits for.

    def __post_init__(self) -> None:
        self.answer: Callable[[Request], Answer] = self.carry_out

    def __call__(self, action: Action | str, /, **arguments: Any) -> Result:
        """The action's result, or what it raises; an installed action may be given by its name."""
        self.requests.clear()
        self.waits.clear()
        return play(find_action(action), arguments, self._remembered, platform=self.platform, **self.settings)[1]

    def twice(self, action: Action | str, /, **arguments: Any) -> Result:
        """The first result, which must be a change; the second time nothing may be left to change."""
        first = self(action, **arguments)
        assert first.changed, f"{first!r} is no change"
        second = self(action, **arguments)
        assert not second.changed, f"the second time it changed something again: {second!r}"
        return first

    def _remembered(self, request: Request) -> Answer:
        if isinstance(request, Waiting):
            self.waits.append(request)
            return None
        self.requests.append(request)
        try:
            return self.answer(request)
        except HostError as error:
            return error

    def carry_out(self, request: Request) -> Answer:
        """Have the host carry a request out; raises its ``HostError``."""
        match request:
            case Run() if self.user:
                return collect(self.session, replace(request, become=Become(user=self.user)))
            case Run():
                return collect(self.session, self.adapt(request))
            case Put():
                self.session.put(request)
            case Get():
                self.session.get(request)
        return None

    @contextmanager
    def directory(self) -> Iterator[HostDirectory]:
        """A new directory on the host, removed at the end of the ``with``."""
        made = HostDirectory(self, self._ask(_MAKE, path="", mode=None, links=[])["path"])
        try:
            yield made
        finally:
            self._ask(_REMOVE, path=made.path)

    def run(self, line: str) -> None:
        """Run a line in ``sh`` or PowerShell; raises ``AssertionError`` unless it exits with 0."""
        language = Language.POWERSHELL if self.platform is Platform.WINDOWS else Language.SH
        completed = collect(self.session, self.adapt(Run(language=language, text=line)))
        assert completed.ok, f"{line!r} ended with {completed!r}"

    def _ask(self, script: Script, **variables: Any) -> HostAnswer:
        call = Call(host="host", platform=self.platform, arguments={})
        answer: HostAnswer = drive(ask(call, script, **variables), self.carry_out)[1]
        return answer


@contextmanager
def open_host(transport: Transport | str, /, **options: Any) -> Iterator[ActionHost]:
    """A host that a transport, or the installed one of this name, reaches with these connection variables.

    Those that aren't given have their defaults; secrets may be plain text. Raises the ``HostError`` of a host that
    can't be reached, and ``AssertionError`` for an option that the transport doesn't have::

        with open_host("ssh", host="web1.example.com", user="me") as host:
            host(SERVICE, name="nginx", state="started")
    """
    way = _installed().transports[transport] if isinstance(transport, str) else transport
    target = _target(way, options)
    connection = way.connect(target)
    try:
        yield ActionHost(platform=way.platform(target), session=connection.open_session())
    finally:
        connection.close()


def _target(transport: Transport, given: Mapping[str, Any]) -> Target:
    unknown = set(given) - {option.name for option in transport.options}
    assert not unknown, f"{transport.name} has no option {', '.join(sorted(unknown))}"
    options = {option.name: given.get(option.name, option.default) for option in transport.options}
    for option in transport.options:
        if option.secret and isinstance(options[option.name], str):
            options[option.name] = Secret(options[option.name])
    return Target(host=str(options.get("host") or "host"), transport=transport.name, options=options)


def find_action(action: Action | str) -> Action:
    """The action, or the installed one of this name or alias."""
    return _installed().actions[action] if isinstance(action, str) else action


@cache
def _installed() -> Registry:
    return load_plugins()


class HostDirectory:
    """A directory on a host, as a test fills and reads it."""

    def __init__(self, host: ActionHost, path: str) -> None:
        self._host = host
        self.path = path  #: Its full name on the host.
        self._separator = "\\" if host.platform is Platform.WINDOWS else "/"

    def at(self, name: str) -> str:
        """The full name of something in it, by its relative path with ``/``; ``""`` is the directory itself."""
        return f"{self.path}/{name}".replace("/", self._separator) if name else self.path

    def fill(self, entries: HostEntries) -> None:
        """Make these, with the directories that they are in."""
        for name, entry in entries.items():
            self._make(name.rstrip("/"), entry)

    def _make(self, name: str, entry: HostEntry) -> None:
        path = self.at(name)
        content, mode = (entry.content, entry.mode) if isinstance(entry, HostFile) else (entry, None)
        parent = path.rpartition(self._separator)[0]
        if isinstance(content, HostLink):
            self._host._ask(_MAKE, path=parent, mode=None, links=[path, content.target])
        elif content is None:
            self._host._ask(_MAKE, path=path, mode=mode and f"{mode:o}", links=[])
        else:
            self._host._ask(_MAKE, path=parent, mode=None, links=[])
            source = content.encode() if isinstance(content, str) else content
            self._host.session.put(Put(source=source, destination=path, mode=mode))

    def entries(self, modes: Collection[str] = ()) -> dict[str, HostEntry]:
        """All that is in it, at any depth: directories end with ``/``; files that are text come as text,
        and pipes and the like as None.

        What is named in ``modes`` comes as a :class:`HostFile`.
        """
        answer = self._host._ask(_LIST, path=HostPath(self.path))
        found: dict[str, HostEntry] = {}
        for name, kind in zip(answer.get("names", ()), answer.get("kinds", ()), strict=True):
            what, _, detail = kind.partition(" ")
            relative = name.replace(self._separator, "/") + ("/" if what == "directory" else "")
            if what == "link":
                found[relative] = HostLink(detail)
            else:
                content = self._content(name) if what == "file" else None
                found[relative] = HostFile(content, int(detail, 8)) if relative in modes else content
        return found

    def _content(self, name: str) -> str | bytes:
        with tempfile.TemporaryDirectory() as place:
            target = Path(place, "content")
            self._host.session.get(Get(source=f"{self.path}{self._separator}{name}", destination=target))
            data = target.read_bytes()
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data
