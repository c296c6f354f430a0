"""Actions that send nothing to the host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from drumline.plugin import (
    ActionFailed,
    Approval,
    Ask,
    ClockReading,
    Duration,
    Moment,
    ReadClock,
    Result,
    Sleep,
    Waiting,
)
from drumline.plugin.manager import load_plugins
from drumline.testing import play
from drumline.testing.cases import ActionCases, Case


def _undefined(name: str) -> object:
    raise ActionFailed(f"{name} is undefined")


def _looking_up(variables: Mapping[str, object]) -> dict[str, object]:
    return {"lookup": variables.__getitem__}


VERBOSE = _looking_up({"a.b": {"c": 1}, "ansible_verbosity": 1})


class TestDebug(ActionCases):
    action = "ansible.builtin.debug"
    answers = ()
    cases = (
        Case("it greets", message="Hello world!", changed=False, values={}),
        Case("a text", {"msg": "text"}, message="text"),
        Case("a list", {"msg": ["a", 1]}, message="", values={"msg": ["a", 1]}),
        Case("a variable", {"var": "a.b"}, call=VERBOSE, values={"a.b": {"c": 1}}),
        Case("verbose enough", {"msg": "x", "verbosity": 1}, call=VERBOSE, skipped=False),
        Case("not verbose enough", {"msg": "x", "verbosity": 2}, call=VERBOSE, skipped=True),
        Case(
            "an undefined variable", {"var": "x"}, call={"lookup": _undefined}, values={"x": "VARIABLE IS NOT DEFINED!"}
        ),
        Case("text and variable", {"msg": "x", "var": "y"}, failed="mutually exclusive"),
    )


FACTS = {"version": 3, "names": ["a"]}


class TestSetStats(ActionCases):
    action = "ansible.builtin.set_stats"
    answers = ()
    cases = (
        Case(
            "values of the run",
            {"data": {"n": 1}},
            changed=False,
            values={"ansible_stats": {"data": {"n": 1}, "per_host": False, "aggregate": True}},
        ),
        Case("no name", {"data": {"a b": 1}}, failed="'a b' is not valid"),
    )


class TestSetFact(ActionCases):
    action = "set_fact"
    answers = ()
    cases = (
        Case("any name", {**FACTS, "cacheable": True}, facts=FACTS, changed=False),
        Case("nothing", failed="No key/value pairs provided"),
        Case("not a name", {"a-b": 1}, failed="'a-b' is not valid"),
    )


class TestAssert(ActionCases):
    action = "assert"
    answers = ()
    cases = (
        Case("all hold", {"that": [("a", True)]}, message="All assertions passed"),
        Case("a message", {"that": [("a", True)], "success_msg": "fine"}, message="fine"),
        Case("lines", {"that": [("a", True)], "success_msg": ["a", "b"]}, values={"msg": ["a", "b"]}),
        Case("quietly", {"that": [("a", True)], "quiet": True}, message=""),
        Case(
            "one fails",
            {"that": [("a", True), ("b > 1", False)], "fail_msg": "b is small"},
            failed="b is small",
            values={"assertion": "b > 1", "evaluated_to": False},
        ),
        Case(
            "lines for one that fails",
            {"that": [("b", False)], "fail_msg": ["one", "two"]},
            failed="",
            values={"assertion": "b", "evaluated_to": False, "msg": ["one", "two"]},
        ),
    )


class TestFail(ActionCases):
    action = "fail"
    answers = ()
    cases = (
        Case("without a message", failed="Failed as requested"),
        Case("a message", {"msg": "why"}, failed="why", message="why"),
        Case("lines", {"msg": ["one", "two"]}, failed="", message="", values={"msg": ["one", "two"]}),
    )


NO_TERMINAL = "Not waiting for Enter: the run has no terminal"


class TestPause(ActionCases):
    action = "pause"
    answers = ()
    cases = (
        Case(
            "minutes",
            {"minutes": 1.5},
            answers=[None],
            requests=[Sleep(seconds=90.0)],
            waits=["for 1.5 minutes"],
            values={"delta": 90},
        ),
        Case(
            "a prompt",
            {"seconds": 2.0, "prompt": "the cache warms"},
            answers=[None],
            message="the cache warms",
            waits=["for 2 seconds: the cache warms"],
        ),
        Case("no time and no terminal", values={"delta": 0, "user_input": "", "warnings": [NO_TERMINAL]}),
        Case("a question and no terminal", {"prompt": "Continue?"}, values={"rc": 0, "warnings": [NO_TERMINAL]}),
        Case("two times", {"seconds": 1.0, "minutes": 1.0}, failed="mutually exclusive"),
        Case("a moment that is past", {"until": Moment(1_600_000_000.0)}, failed="can't be waited for"),
    )


def _paused_until(moment: Moment) -> tuple[Waiting, Sleep, Result]:
    [wait, sleep], result = play(load_plugins().actions["pause"], {"until": moment}, lambda _: None)
    assert isinstance(wait, Waiting)
    assert isinstance(sleep, Sleep)
    return wait, sleep, result


def test_pause_until() -> None:
    soon = datetime.now().astimezone() + timedelta(hours=2)
    wait, sleep, _ = _paused_until(Moment(soon.timestamp()))
    assert sleep.seconds == wait.seconds == pytest.approx(7200, abs=10)
    assert wait.reason == f"until {soon.isoformat(sep=' ', timespec='seconds')}"
    before = datetime.now() - timedelta(minutes=1)  # a time of day that is over: tomorrow's is meant
    _, sleep, result = _paused_until(Moment(before.time()))
    assert sleep.seconds == pytest.approx(86_340, abs=3610)  # the clocks may be changed that night
    assert result.values["delta"] == round(sleep.seconds)


YES = Approval(approved=True, by="ops@desk", at=1_800_000_000.0, comment="all green")
NO = Approval(approved=False, by="ops@desk", at=1_800_000_000.0)
NO_ONE = Approval(approved=False, by="nobody", at=0.0)


class TestApprove(ActionCases):
    action = "approve"
    answers = ()
    cases = (
        Case(
            "approved",
            {"message": "Go live?\n"},
            answers=[YES],
            requests=[Ask(message="Go live?")],
            changed=False,
            message="approved by ops@desk: all green",
            values={"approved_by": "ops@desk", "approved_at": "2027-01-15T08:00:00Z", "comment": "all green"},
        ),
        *(
            Case(
                f"{default} when the time is up",
                {"message": "Go?", "timeout": Duration(600), "default": default},
                answers=[YES],
                requests=[Ask(message="Go?", timeout=600, default=default == "approve")],
            )
            for default in ("approve", "reject", None)
        ),
        Case(
            "rejected",
            {"message": "Go?"},
            answers=[NO],
            failed="rejected by ops@desk",
            message="rejected by ops@desk",
            values={"rejected_by": "ops@desk", "rejected_at": "2027-01-15T08:00:00Z"},
        ),
        Case(
            "rejected with a reason",
            {"message": "Go?"},
            answers=[Approval(approved=False, by="ops@desk", at=0.0, comment="too late")],
            failed="rejected by ops@desk: too late",
        ),
        Case(
            "no one answers",
            {"message": "Go?", "timeout": Duration(3600)},
            answers=[NO_ONE],
            failed="answered in 3600 seconds",
        ),
        Case("no message", {"message": " "}, failed="needs a message"),
        Case("a default without a time", {"message": "Go?", "default": "approve"}, failed="timeout"),
    )

    def test_one_job_asks_for_all_hosts(self) -> None:
        assert load_plugins().actions["approve"].once


class TestClock(ActionCases):
    action = "clock"
    answers = ()
    cases = (
        Case(
            "a reading",
            answers=[ClockReading(offset=-0.25, uncertainty=0.001, round_trip=0.004)],
            requests=[ReadClock()],
            changed=False,
            values={"offset": -0.25, "uncertainty": 0.001, "round_trip": 0.004},
        ),
    )
