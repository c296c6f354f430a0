"""Table-driven tests of actions: arguments, what is on the host, and what is expected, on real hosts and fakes alike.

A suite is a pytest class with an action and its cases, for fixtures ``posix`` and ``windows`` that give an
:class:`drumline.testing.ActionHost`; those that no case needs aren't asked for::

    class TestService(ActionCases):
        action = SERVICE
        cases = (
            Case(
                "a link is made",
                {"path": here("link"), "src": "file", "state": "link"},
                before={"file": "x"},
                changed=True,
                after={"file": "x", "link": HostLink("file")},
            ),
            Case(
                "it is started",
                {"name": "nginx"},
                answers=[{"changed": True, "state": "started"}],
                requests=[Asked(SCRIPT, name="nginx", state="started")],
                changed=True,
                values={"state": "started"},
            ),
        )

A case with ``answers`` is played without a host, once for each platform; any other is performed on every host that the
fixture gives, in a new directory there. One that changes something is then performed again, and must change nothing.
Before all that it is checked, unless the action can't be: it must change nothing, and say the same of ``changed``. That
this can't be known may only be said by an action that can be checked partly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest

from drumline.errors import HostError
from drumline.model.outcome import Completed, Result
from drumline.model.request import Request, Run, Waiting
from drumline.model.target import Platform
from drumline.model.traits import Checks
from drumline.plugin.actions import Action, ActionFailed, Call, CheckImpossible
from drumline.plugin.hostpath import HostPath
from drumline.plugin.kit import Script, script_run
from drumline.testing.acting import play
from drumline.testing.fakes import Answer
from drumline.testing.hosts import ActionHost, HostDirectory, HostEntries, HostFile, HostLink, find_action

_TOKEN = re.compile("\ue000(here|local):([^\ue001]*)\ue001")


def here(name: str = "") -> str:
    """Stands for a path in the case's directory on the host, in any text of it; ``name`` is relative, with ``/``."""
    return f"\ue000here:{name}\ue001"


def local(name: str = "") -> str:
    """Stands for a path in the case's directory on this machine."""
    return f"\ue000local:{name}\ue001"


class Some(dict[str, Any]):
    """Stands for a dictionary that has at least these, in the ``values`` of a case: ``Some(exists=True)``."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and all(
            name in other and (value is ... or other[name] == value) for name, value in self.items()
        )

    __hash__ = None  # as that of a dictionary


class Asked:
    """A request that runs a script with these variables, as ``drumline.plugin.kit.ask`` makes it on any platform."""

    def __init__(
        self, script: Script, /, *, stdin: bytes = b"", seconds: float | None = None, **variables: Any
    ) -> None:
        self._script, self._stdin, self._seconds, self._variables = script, stdin, seconds, variables

    def on(self, platform: Platform, fill: Callable[[Any], Any], environment: Mapping[str, str]) -> Run:
        """The request as such a host is sent it; ``fill`` puts paths in."""
        call = Call(host="host", platform=platform, arguments={}, environment=environment)
        return script_run(call, self._script, fill(self._variables), stdin=self._stdin, timeout=self._seconds)


#: An answer to play: as of ``play``, or what a script says, by name, for whichever platform.
CaseAnswer: TypeAlias = Answer | Mapping[str, Any]
#: A request that is expected: itself, its kind, or what a script is asked.
CaseRequest: TypeAlias = Request | type[Request] | Asked


@dataclass(frozen=True)
class Case:
    """One use of an action. What isn't expected isn't compared."""

    name: str  #: What it shows; the test's id.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    _: KW_ONLY
    platforms: Sequence[Platform] | None = None  #: None: those of the suite.
    #: What there is in the directory on the host, and in the one on this machine, in which relative files are found.
    before: HostEntries = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    #: A line for the host's shell, run before the action.
    setup: str = ""
    #: For :class:`drumline.plugin.Call`: ``environment``, ``become``, ``timeout``, ``lookup``, …
    call: Mapping[str, Any] = field(default_factory=dict)
    #: With these no host is asked.
    answers: Sequence[CaseAnswer] | None = None

    #: Words of the message with which it fails; without them it must not fail.
    failed: str | None = None
    changed: bool | None = None
    skipped: bool | None = None
    message: str | None = None
    #: Some of the result's values; ``...`` for any, ``Some(…)`` for a dictionary with these among others.
    values: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] | None = None
    #: All that there is in the directory on the host afterwards; ``...`` for any content.
    after: Mapping[str, Any] | None = None
    #: All files that are in the directory on this machine afterwards, beside ``files``; ``...`` for any content.
    made: Mapping[str, Any] | None = None
    requests: Sequence[CaseRequest] | None = None
    waits: Sequence[str] | None = None  #: What it says it waits for.
    repeats: bool = True  #: It changes nothing when it is performed again.


#: A method of a suite; None where there is nothing to test.
_Test: TypeAlias = Callable[..., None] | None


class ActionCases:
    """A suite of cases; subclass it. ``action`` may be the name of an installed one.

    ``answers`` and ``platforms`` are those of its cases that name none themselves. An action that asks hosts for
    nothing has answers ``()``.
    """

    action: ClassVar[Action | str]
    cases: ClassVar[Sequence[Case]]
    answers: ClassVar[Sequence[CaseAnswer] | None] = None
    platforms: ClassVar[Sequence[Platform]] = tuple(Platform)
    #: How many requests it takes to find that nothing is to be changed; None: that isn't checked.
    round_trips: ClassVar[int | None] = None
    # Made for each suite, where it has cases for them.
    test_played: ClassVar[_Test] = None
    test_on_posix: ClassVar[_Test] = None
    test_on_windows: ClassVar[_Test] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not hasattr(cls, "cases"):
            return
        played = [(case, platform) for case in cls.cases for platform in cls._platforms(case) if cls._is_played(case)]
        cls.test_played = _played_test(played)
        cls.test_on_posix = _posix_test(cls._on(Platform.POSIX))
        cls.test_on_windows = _windows_test(cls._on(Platform.WINDOWS))

    @classmethod
    def _is_played(cls, case: Case) -> bool:
        return case.answers is not None or cls.answers is not None

    @classmethod
    def _platforms(cls, case: Case) -> Sequence[Platform]:
        return cls.platforms if case.platforms is None else case.platforms

    @classmethod
    def _on(cls, platform: Platform) -> list[Case]:
        """The cases for real hosts of the platform."""
        return [case for case in cls.cases if platform in cls._platforms(case) and not cls._is_played(case)]


def _posix_test(cases: Sequence[Case]) -> _Test:
    @pytest.mark.parametrize("case", cases, ids=_ids(cases))
    def test_on_posix(self: ActionCases, case: Case, posix: ActionHost, tmp_path: Path) -> None:
        check_case(case, find_action(self.action), posix, tmp_path, self.round_trips)

    return test_on_posix if cases else None


def _windows_test(cases: Sequence[Case]) -> _Test:
    @pytest.mark.parametrize("case", cases, ids=_ids(cases))
    def test_on_windows(self: ActionCases, case: Case, windows: ActionHost, tmp_path: Path) -> None:
        check_case(case, find_action(self.action), windows, tmp_path, self.round_trips)

    return test_on_windows if cases else None


def _played_test(cases: Sequence[tuple[Case, Platform]]) -> _Test:
    @pytest.mark.parametrize(("case", "platform"), cases, ids=[f"{case.name}-{platform}" for case, platform in cases])
    def test_played(self: ActionCases, case: Case, platform: Platform, tmp_path: Path) -> None:
        answers = self.answers if case.answers is None else case.answers
        play_case(replace(case, answers=answers), find_action(self.action), platform, tmp_path)

    return test_played if cases else None


def _ids(cases: Iterable[Case]) -> list[str]:
    return [case.name for case in cases]


def check_case(case: Case, action: Action, host: ActionHost, directory: Path, round_trips: int | None = None) -> None:
    """Perform a case on a host. ``directory`` is an empty one on this machine; ``round_trips`` as in the suite."""
    with host.directory() as there, _settings_kept(host):
        fill = _Filling(directory, there)
        fill.write(case.files)
        there.fill(fill(case.before))
        if case.setup:
            host.run(fill(case.setup))
        if action.checks is not Checks.NOT:
            _check_only(case, action, host, there, fill)
        _check_once(case, action, host, there, fill)
        if case.changed and case.repeats:
            again = replace(case, changed=False, message=None, values={}, requests=None, waits=None)
            _check_once(again, action, host, there, fill)
            assert round_trips in (None, len(host.requests))


@contextmanager
def _settings_kept(host: ActionHost) -> Iterator[None]:
    """The settings of one case don't reach the next, which may have the same host."""
    settings = host.settings
    try:
        yield
    finally:
        host.settings = settings


def _check_only(case: Case, action: Action, host: ActionHost, there: HostDirectory, fill: _Filling) -> None:
    """In a check nothing changes, and ``changed`` is what it will be."""
    settings = host.settings
    host.settings = {**settings, **fill.call(case), "check": True, "diff": True}
    before = _all_entries(there, host), fill.made(case)
    outcome = _Outcome.of(lambda: host(action, **fill(case.arguments)))
    assert (_all_entries(there, host), fill.made(case)) == before, f"the check changed something: {outcome}"
    known = not outcome.result.unclear or action.checks is Checks.FULLY
    if known and case.failed is None and case.changed is not None:
        assert (outcome.result.changed, outcome.result.failed) == (case.changed, False), f"in the check: {outcome}"
    host.settings = settings


def _all_entries(there: HostDirectory, host: ActionHost) -> HostEntries:
    """With their modes, where there are any."""
    return there.entries(there.entries() if host.platform is Platform.POSIX else ())


def _check_once(case: Case, action: Action, host: ActionHost, there: HostDirectory, fill: _Filling) -> None:
    host.settings = {**host.settings, **fill.call(case)}
    outcome = _Outcome.of(lambda: host(action, **fill(case.arguments)))
    came, expected = _compared(case, fill, outcome, host.platform, host.requests, host.waits)
    if case.after is not None:
        came["after"], expected["after"] = _entries(there, fill(case.after)), fill(case.after)
    assert came == expected, outcome


def play_case(case: Case, action: Action, platform: Platform, directory: Path) -> None:
    """Play a case with its answers, as if on a host of the platform."""
    fill = _Filling(directory, None, platform)
    fill.write(case.files)
    assert case.answers is not None
    left = [_answer(answer, platform) for answer in fill(list(case.answers))]
    requests: list[Request] = []
    waits: list[Waiting] = []

    def answer(request: Request) -> Answer:
        if isinstance(request, Waiting):
            waits.append(request)
            return None
        requests.append(request)
        assert left, f"no answer is left for {request!r}"
        return left.pop(0)

    given = fill.call(case)
    outcome = _Outcome.of(lambda: play(action, fill(case.arguments), answer, platform=platform, **given)[1])
    came, expected = _compared(case, fill, outcome, platform, requests, waits)
    assert came == expected, outcome
    assert not left, f"the action did not ask for {left!r}"


def _answer(given: CaseAnswer, platform: Platform) -> Answer:
    """What a script says, as such a host prints it; anything else as it is."""
    if not isinstance(given, Mapping):
        return given
    if platform is Platform.WINDOWS:
        return Completed(code=0, stdout=json.dumps(given).encode())
    pairs = [f"{name}:={json.dumps(value)}" for name, value in given.items()]
    return Completed(code=0, stdout="".join(f"{pair}\0" for pair in pairs).encode())


@dataclass(frozen=True)
class _Outcome:
    """What came of an action: its result, or what it raised."""

    result: Result
    error: ActionFailed | HostError | None = None

    @classmethod
    def of(cls, perform: Callable[[], Result]) -> _Outcome:
        try:
            return cls(perform())
        except CheckImpossible as error:
            return cls(Result(skipped=True, message=error.reason, values=error.values, unclear=error.reason))
        except ActionFailed as error:
            return cls(Result(failed=True, message=error.message, values=error.values), error)
        except HostError as error:
            return cls(Result(failed=True, message=str(error)), error)


class _Filling:
    """Puts the paths of one test where ``here`` and ``local`` stand for them."""

    def __init__(self, local: Path, there: HostDirectory | None, platform: Platform = Platform.POSIX) -> None:
        self._local, self._there = local, there
        self._nowhere = r"C:\case" if platform is Platform.WINDOWS else "/case"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, HostPath):
            return HostPath(self(str(value)), self(value.below))
        if isinstance(value, str):
            return type(value)(_TOKEN.sub(self._path, value)) if "\ue000" in value else value
        if isinstance(value, Some):
            return Some({name: self(item) for name, item in value.items()})
        if isinstance(value, Mapping):
            return {self(name): self(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self(item) for item in value)
        if isinstance(value, HostLink):
            return HostLink(self(value.target))
        return value

    def _path(self, token: re.Match[str]) -> str:
        kind, name = token.groups()
        if kind == "local":
            return str(self._local / name)
        return self._there.at(name) if self._there else (f"{self._nowhere}/{name}" if name else self._nowhere)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Make these files on this machine."""
        for name, content in files.items():
            path = self._local / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def made(self, case: Case) -> dict[str, bytes]:
        """The files on this machine that aren't the case's own, by their relative paths."""
        found = {path.relative_to(self._local).as_posix(): path for path in self._local.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in sorted(found.items()) if name not in case.files}

    def call(self, case: Case) -> dict[str, Any]:
        """What the action gets beside its arguments."""
        return {"find_file": lambda src, _directory: self._local / src, **self(dict(case.call))}


def _compared(
    case: Case,
    fill: _Filling,
    outcome: _Outcome,
    platform: Platform,
    requests: Sequence[Request],
    waits: Sequence[Waiting],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What came, and what was expected of it."""
    result = outcome.result
    expected: dict[str, Any] = {"failed": fill(case.failed) if case.failed is not None else False}
    came: dict[str, Any] = {"failed": result.failed}
    if case.failed is not None and result.failed:
        came["failed"] = expected["failed"] if expected["failed"] in result.message else result.message
    for name in ("changed", "skipped", "message", "facts"):
        if getattr(case, name) is not None:
            came[name], expected[name] = getattr(result, name), fill(getattr(case, name))
    came["values"] = {name: result.values[name] for name in case.values if name in result.values}
    expected["values"] = _anything(fill(case.values), came["values"])
    if case.made is not None:
        wanted = fill(case.made)
        came["made"], expected["made"] = _shown(fill.made(case), wanted), wanted
    if case.waits is not None:
        came["waits"], expected["waits"] = [waiting.reason for waiting in waits], fill(list(case.waits))
    if case.requests is not None:
        environment = fill(dict(case.call)).get("environment", {})
        asked = [
            request.on(platform, fill, environment) if isinstance(request, Asked) else request
            for request in case.requests
        ]
        expected["requests"] = asked
        came["requests"] = list(_requests(requests, asked))
    return came, expected


def _anything(expected: Mapping[str, Any], came: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected, with what came in place of ``...``."""
    return {name: came.get(name) if value is ... else value for name, value in expected.items()}


def _requests(came: Sequence[Request], wanted: Sequence[Any]) -> Iterator[Any]:
    """The requests; where just a kind is expected, their kinds."""
    for number, request in enumerate(came):
        kind = number < len(wanted) and isinstance(wanted[number], type)
        yield type(request) if kind else request


def _shown(files: Mapping[str, bytes], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Contents in the terms in which they are expected: text, bytes, or any."""
    return {
        name: ...
        if (wanted := expected.get(name)) is ...
        else content.decode(errors="replace")
        if isinstance(wanted, str)
        else content
        for name, content in files.items()
    }


def _entries(there: HostDirectory, expected: Mapping[str, Any]) -> dict[str, Any]:
    """What is in the directory, in the terms in which it is expected."""
    modes = {name for name, entry in expected.items() if isinstance(entry, HostFile)}
    found: dict[str, Any] = {}
    for name, entry in there.entries(modes).items():
        wanted = expected.get(name)
        if wanted is ...:
            found[name] = ...
        else:
            found[name] = entry.encode() if isinstance(entry, str) and isinstance(wanted, bytes) else entry
    return found
