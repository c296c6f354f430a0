"""Actions that send nothing to the host."""

from __future__ import annotations

import pytest

from drumline.plugin import ActionFailed, Sleep


@pytest.fixture
def nobody(posix):
    """Any host: nothing is sent."""
    posix.answer = lambda request: None
    return posix


def _undefined(name: str) -> object:
    raise ActionFailed(f"{name} is undefined")


def test_debug(nobody) -> None:
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


def test_set_fact(nobody) -> None:
    result = nobody("set_fact", version=3, names=["a"], cacheable=True)
    assert result.facts == {"version": 3, "names": ["a"]}
    assert not result.changed
    for wrong in ({}, {"a-b": 1}):
        with pytest.raises(ActionFailed):
            nobody("set_fact", **wrong)


def test_assert(nobody) -> None:
    assert nobody("assert", that=[("a", True)]).message == "All assertions passed"
    assert nobody("assert", that=[("a", True)], success_msg="fine").message == "fine"
    assert nobody("assert", that=[("a", True)], quiet=True).message == ""
    with pytest.raises(ActionFailed) as failed:
        nobody("assert", that=[("a", True), ("b > 1", False)], fail_msg="b is small")
    assert failed.value.message == "b is small"
    assert failed.value.values == {"assertion": "b > 1", "evaluated_to": False}


def test_fail(nobody) -> None:
    with pytest.raises(ActionFailed, match="Failed as requested"):
        nobody("fail")
    with pytest.raises(ActionFailed, match="why"):
        nobody("fail", msg="why")


def test_pause(nobody) -> None:
    assert nobody("pause", minutes=1.5).values["delta"] == 90
    assert nobody.requests == [Sleep(seconds=90.0)]
    assert nobody("pause", seconds=2.0, prompt="wait").message == "wait"
    for wrong in ({}, {"prompt": "Continue?"}, {"seconds": 1.0, "minutes": 1.0}):
        with pytest.raises(ActionFailed):
            nobody("pause", **wrong)
