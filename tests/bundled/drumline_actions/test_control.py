"""Actions that send nothing to the host."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from support.hosts import Host
from support.narrowing import expect

from drumline.plugin import ActionFailed, Approval, Ask, ClockReading, Duration, Moment, ReadClock, Sleep, Waiting
from drumline.plugin.manager import load_plugins
from drumline.testing import play

ACTIONS = load_plugins().actions


@pytest.fixture
def nobody(posix: Host) -> Host:
    """Any host: nothing is sent."""
    posix.answer = lambda request: None
    return posix


def _undefined(name: str) -> object:
    raise ActionFailed(f"{name} is undefined")


def test_debug(nobody: Host) -> None:
    assert nobody("debug").message == "Hello world!"
    assert nobody("ansible.builtin.debug", msg="text").message == "text"
    assert nobody("debug", msg=["a", 1]).values == {"msg": ["a", 1]}
    nobody.settings["lookup"] = {"a.b": {"c": 1}, "ansible_verbosity": 1}.__getitem__
    assert nobody("debug", var="a.b").values == {"a.b": {"c": 1}}
    assert not nobody("debug", msg="x", verbosity=1).skipped
    assert nobody("debug", msg="x", verbosity=2).skipped
    nobody.settings["lookup"] = _undefined
    assert nobody("debug", var="x").values == {"x": "VARIABLE IS NOT DEFINED!"}
    with pytest.raises(ActionFailed, match="mutually exclusive"):
        nobody("debug", msg="x", var="y")


def test_set_fact(nobody: Host) -> None:
    result = nobody("set_fact", version=3, names=["a"], cacheable=True)
    assert result.facts == {"version": 3, "names": ["a"]}
    assert not result.changed
    for wrong in ({}, {"a-b": 1}):
        with pytest.raises(ActionFailed):
            nobody("set_fact", **wrong)


def test_assert(nobody: Host) -> None:
    assert nobody("assert", that=[("a", True)]).message == "All assertions passed"
    assert nobody("assert", that=[("a", True)], success_msg="fine").message == "fine"
    assert nobody("assert", that=[("a", True)], quiet=True).message == ""
    with pytest.raises(ActionFailed) as failed:
        nobody("assert", that=[("a", True), ("b > 1", False)], fail_msg="b is small")
    assert failed.value.message == "b is small"
    assert failed.value.values == {"assertion": "b > 1", "evaluated_to": False}
    assert nobody("assert", that=[("a", True)], success_msg=["a", "b"]).values == {"msg": ["a", "b"]}
    with pytest.raises(ActionFailed) as failed:
        nobody("assert", that=[("b", False)], fail_msg=["one", "two"])
    assert failed.value.values == {"assertion": "b", "evaluated_to": False, "msg": ["one", "two"]}


def test_fail(nobody: Host) -> None:
    with pytest.raises(ActionFailed, match="Failed as requested"):
        nobody("fail")
    with pytest.raises(ActionFailed, match="why"):
        nobody("fail", msg="why")
    with pytest.raises(ActionFailed) as failed:
        nobody("fail", msg=["one", "two"])
    assert (failed.value.message, failed.value.values) == ("", {"msg": ["one", "two"]})


def test_pause(nobody: Host) -> None:
    assert nobody("pause", minutes=1.5).values["delta"] == 90
    assert nobody.requests == [Sleep(seconds=90.0)]
    assert nobody.waits == [Waiting(reason="for 1.5 minutes", seconds=90.0)]
    assert nobody("pause", seconds=2.0, prompt="the cache warms").message == "the cache warms"
    assert nobody.waits == [Waiting(reason="for 2 seconds: the cache warms", seconds=2.0)]
    for wrong in ({}, {"prompt": "Continue?"}, {"seconds": 1.0, "minutes": 1.0}):
        with pytest.raises(ActionFailed):
            nobody("pause", **wrong)


def test_pause_until(nobody: Host) -> None:
    soon = datetime.now().astimezone() + timedelta(hours=2)
    nobody("pause", until=Moment(soon.timestamp()))
    [wait], [sleep] = nobody.waits, nobody.requests
    assert expect(Sleep, sleep).seconds == wait.seconds == pytest.approx(7200, abs=10)
    assert wait.reason == f"until {soon.isoformat(sep=' ', timespec='seconds')}"
    before = datetime.now() - timedelta(minutes=1)  # a time of day that is past: tomorrow's is meant
    result = nobody("pause", until=Moment(before.time()))
    sleep = expect(Sleep, nobody.requests[0])
    assert sleep.seconds == pytest.approx(86_340, abs=3610)  # the clocks may be changed that night
    assert result.values["delta"] == round(sleep.seconds)
    with pytest.raises(ActionFailed, match=r"2020-.*can't be waited for"):
        nobody("pause", until=Moment(1_600_000_000.0))


def test_approve() -> None:
    approval = Approval(approved=True, by="ops@desk", at=1_800_000_000.0, comment="all green")
    requests, result = play(ACTIONS["approve"], {"message": "Go live?\n"}, [approval])
    assert requests == [Ask(message="Go live?")]
    assert not result.changed
    assert result.message == "approved by ops@desk: all green"
    assert result.values == {
        "approved_by": "ops@desk",
        "approved_at": "2027-01-15T08:00:00Z",
        "comment": "all green",
    }
    assert ACTIONS["approve"].once


@pytest.mark.parametrize(("default", "approves"), [("approve", True), ("reject", False), (None, False)])
def test_approve_with_a_time_out(default: str | None, approves: bool) -> None:
    arguments = {"message": "Go?", "timeout": Duration(600), "default": default}
    [request], _ = play(ACTIONS["approve"], arguments, [Approval(approved=True, by="x", at=0.0)])
    assert request == Ask(message="Go?", timeout=600, default=approves)


def test_a_rejection_fails() -> None:
    for comment, said in (("", "rejected by ops@desk"), ("too late", "rejected by ops@desk: too late")):
        approval = Approval(approved=False, by="ops@desk", at=1_800_000_000.0, comment=comment)
        with pytest.raises(ActionFailed) as failed:
            play(ACTIONS["approve"], {"message": "Go?"}, [approval])
        assert failed.value.message == said
        assert failed.value.values == {"rejected_by": "ops@desk", "rejected_at": "2027-01-15T08:00:00Z"}
    answers = [Approval(approved=False, by="nobody", at=0.0)]
    with pytest.raises(ActionFailed, match="rejected since no one answered in 3600 seconds"):
        play(ACTIONS["approve"], {"message": "Go?", "timeout": Duration(3600)}, answers)


@pytest.mark.parametrize("wrong", [{"message": " "}, {"message": "Go?", "default": "approve"}])
def test_an_approval_that_makes_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ActionFailed):
        play(ACTIONS["approve"], wrong)


def test_clock() -> None:
    reading = ClockReading(offset=-0.25, uncertainty=0.001, round_trip=0.004)
    requests, result = play(ACTIONS["clock"], answers=[reading])
    assert requests == [ReadClock()]
    assert result.values == {"offset": -0.25, "uncertainty": 0.001, "round_trip": 0.004}
    assert not result.changed
