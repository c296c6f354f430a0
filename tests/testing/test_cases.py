"""Table-driven cases of actions: what they find right, and that they notice what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Completed,
    HostPath,
    Language,
    Mode,
    Platform,
    Result,
    Run,
    Sleep,
    Steps,
    TransferFailed,
    Waiting,
)
from drumline.plugin.kit import (
    Script,
    ask,
    result_of,
)
from drumline.testing import ActionHost, HostFile, HostLink
from drumline.testing.cases import ActionCases, Asked, Case, Some, check_case, here, local, play_case
from drumline_local.transport import LocalSession

WRITE = Script(
    sh="""
    [ -n "$text" ] || fail "nothing to write to $path"
    if [ "$(cat -- "$path" 2>/dev/null)" != "$text" ]; then
        printf %s "$text" >"$path"
        changed=1
    fi
    say changed "$changed"
    say path "$path"
    say_json size "${#text}"
    """,
    powershell="""
    $path = Full $path
    if (-not $text) { throw "nothing to write to $path" }
    $answer.changed = -not [IO.File]::Exists($path) -or [IO.File]::ReadAllText($path) -ne $text
    if ($answer.changed) { [IO.File]::WriteAllText($path, $text) }
    $answer.path = $path
    $answer.size = $text.Length
    """,
)


def perform(call: Call) -> Steps:
    yield Waiting(reason=f"for {call['path']}")
    if call["pause"]:
        yield Sleep(seconds=call["pause"])
    answer = yield from ask(call, WRITE, path=call["path"], text=call["text"])
    return result_of(answer, mode_is=type(call["mode"]).__name__)


ACTION = Action(
    name="write",
    perform=perform,
    help="Writes.",
    arguments=(
        Argument(name="path", type=HostPath, required=True),
        Argument(name="text"),
        Argument(name="mode", type=Mode),
        Argument(name="pause", type=float),
    ),
)


@pytest.fixture
def posix() -> ActionHost:
    return ActionHost(platform=Platform.POSIX, session=LocalSession())


class TestWrite(ActionCases):
    action = ACTION
    cases = (
        Case(
            "a file is written",
            {"path": here("a b"), "text": "new", "mode": "0644"},
            before={"sub/": None, "other": "x"},
            changed=True,
            values={"path": here("a b"), "size": 3, "mode_is": "Mode"},
            after={"a b": "new", "sub/": None, "other": ...},
            requests=[Asked(WRITE, path=HostPath(here("a b")), text="new")],
            waits=[f"for {here('a b')}"],
        ),
        Case(
            "a file that is right stays",
            {"path": here("file"), "text": "new"},
            before={"file": "new"},
            changed=False,
            after={"file": "new"},
        ),
        Case("without a text it fails", {"path": here("x")}, failed=f"nothing to write to {here('x')}", after={}),
        Case(
            "variables are the host's",
            {"path": "$PLACE/file", "text": "x"},
            call={"environment": {"PLACE": here()}},
            platforms=[Platform.POSIX],
            values={"path": ...},
            after={"file": "x"},
        ),
        Case(
            "what the host says is the result",
            {"path": "~/it", "text": "abc", "pause": 3.0},
            answers=[None, {"changed": True, "path": here("it"), "size": 3}],
            requests=[Sleep(seconds=3), Asked(WRITE, path=HostPath("~/it"), text="abc")],
            changed=True,
            values={"path": here("it"), "size": 3},
            waits=["for ~/it"],
        ),
        Case(
            "a host that can not is told of",
            {"path": "x", "text": "y"},
            answers=[TransferFailed("disk full")],
            failed="disk full",
            requests=[Run],
        ),
    )


def case(name: str = "it", arguments: Mapping[str, Any] | None = None, **fields: Any) -> Case:
    return Case(name, {"path": here("file"), "text": "new"} if arguments is None else arguments, **fields)


@pytest.mark.parametrize(
    "wrong",
    [
        case(changed=False),
        case(failed="no"),
        case(values={"size": 4}),
        case(values={"nothing": ...}),
        case(message="done"),
        case(skipped=True),
        case(facts={"a": 1}),
        case(after={}),
        case(after={"file": "old"}),
        case(after={"file": "new", "more": ...}),
        case(after={"file": HostFile("new", 0o600)}),
        case(before={"x/y": "z"}, after={"file": "new"}),
        case(requests=[]),
        case(requests=[Sleep]),
        case(requests=[Run, Run]),
        case(requests=[Asked(WRITE, path=HostPath(here("file")), text="old")]),
        case(waits=[]),
        case(arguments={"path": here("file")}),
        case(arguments={"path": here("file"), "text": "new", "more": 1}),
        case(setup="false"),
    ],
)
def test_what_is_wrong_on_a_host_is_noticed(wrong: Case, posix: ActionHost, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        check_case(wrong, ACTION, posix, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        case(answers=[]),
        case(answers=[{"changed": True}, None]),
        case(answers=[{"changed": True}], changed=False),
        case(answers=[{"failed": True, "msg": "no"}]),
        case(answers=[{"changed": True}], failed="no"),
        case(answers=[{"changed": True}], requests=[Asked(WRITE, path=HostPath("other"), text="new")]),
    ],
)
@pytest.mark.parametrize("platform", Platform)
def test_what_is_wrong_when_played_is_noticed(wrong: Case, platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        play_case(wrong, ACTION, platform, tmp_path)


def test_what_changes_something_every_time_is_noticed_unless_it_may(posix: ActionHost, tmp_path: Path) -> None:
    def always(call: Call) -> Steps:
        return Result(changed=True)
        yield

    action = Action(name="always", perform=always, help="Changes.")
    with pytest.raises(AssertionError):
        check_case(Case("it", changed=True), action, posix, tmp_path)
    check_case(Case("it", changed=True, repeats=False), action, posix, tmp_path)


def test_files_of_this_machine_and_modes(posix: ActionHost, tmp_path: Path) -> None:
    def copy(call: Call) -> Steps:
        completed: Completed = yield Run(
            language=Language.SH, text=f"cat '{call.find_file('in/a', '')}'; cat '{call['there']}'"
        )
        if not completed.ok:
            raise ActionFailed("no")
        return Result(values={"said": completed.stdout.decode()})

    action = Action(name="copy", perform=copy, help="Copies.", arguments=(Argument(name="there"),))
    it = Case(
        "it",
        {"there": local("b")},
        files={"in/a": "1", "b": b"2"},
        before={"private": HostFile("x", 0o600), "sub/": HostFile(None, 0o711)},
        values={"said": "12"},
        after={"private": HostFile("x", 0o600), "sub/": HostFile(None, 0o711)},
    )
    check_case(it, action, posix, tmp_path)


def _keep(call: Call) -> Steps:
    """Keep something on this machine."""
    yield Sleep(seconds=0)
    target = Path(call["kept"])
    target.parent.mkdir(exist_ok=True)
    target.write_text("1")
    return Result(values={"kept": {"path": call["kept"], "size": 1}})


KEEP = Action(name="keep", perform=_keep, help="Keeps.", arguments=(Argument(name="kept", type=str),))


def _kept(**fields: Any) -> Case:
    return Case("it", {"kept": local("sub/kept")}, files={"in": "x"}, **fields)


@pytest.mark.parametrize(
    "right",
    [
        _kept(made={"sub/kept": "1"}, values={"kept": Some(path=local("sub/kept"))}),
        _kept(made={"sub/kept": b"1"}, values={"kept": Some(size=1, path=...)}),
        _kept(made={"sub/kept": ...}, values={"kept": {"size": 1, "path": local("sub/kept")}}),
    ],
)
def test_what_is_made_on_this_machine_and_parts_of_values(right: Case, posix: ActionHost, tmp_path: Path) -> None:
    check_case(right, KEEP, posix, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        _kept(made={}),
        _kept(made={"sub/kept": "2"}),
        _kept(made={"sub/kept": ..., "more": ...}),
        _kept(values={"kept": Some(size=2)}),
        _kept(values={"kept": Some(more=...)}),
        _kept(values={"kept": {"size": 1}}),
    ],
)
def test_what_else_is_made_and_other_parts_are_noticed(wrong: Case, posix: ActionHost, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        check_case(wrong, KEEP, posix, tmp_path)


def test_what_one_case_is_told_is_not_told_to_the_next(posix: ActionHost, tmp_path: Path) -> None:
    posix.settings = {"timeout": 5.0}
    check_case(case(call={"environment": {"A": "1"}}), ACTION, posix, tmp_path)
    assert posix.settings == {"timeout": 5.0}


def test_nothing_is_left_on_the_host(posix: ActionHost) -> None:
    with posix.directory() as directory:
        directory.fill({"a/b": b"\xff", "c": HostLink("nowhere")})
        assert directory.entries() == {"a/": None, "a/b": b"\xff", "c": HostLink("nowhere")}
        assert Path(directory.path).is_dir()
    assert not Path(directory.path).exists()


def test_a_suite_has_only_tests_that_it_has_cases_for() -> None:
    class Played(ActionCases):
        action = ACTION
        cases = (Case("it", answers=[]),)

    assert Played.test_on_posix is None
    assert Played.test_on_windows is None
    assert Played.test_played is not None
    assert TestWrite.test_on_windows is not None
