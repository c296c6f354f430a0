"""The fakes keep the protocols of what they stand for, and say so when a test asks for the impossible."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.narrowing import expect

from drumline.errors import ConnectionLost, ConnectionRefused
from drumline.model.outcome import Completed, Ending
from drumline.model.request import Get, Language, Put, Run
from drumline.model.target import Platform, Target
from drumline.testing import (
    FakeClock,
    FakeSession,
    FakeTransport,
    NullTransport,
    all_well,
    collect,
    in_order,
    make_inventory,
)

COMMAND = Run(language=Language.SH, text="uptime")
TARGET = Target(host="web1", transport="fake")


def test_a_session_answers_in_order_and_remembers() -> None:
    told = [Completed(code=3, stdout=b"out", stderr=b"err"), Completed(code=None, ending=Ending.TIMED_OUT)]
    session = FakeSession(answering=in_order(told))
    assert [collect(session, COMMAND), collect(session, COMMAND)] == told
    assert session.requests == [COMMAND, COMMAND]


def test_a_session_without_an_answer_says_what_was_asked() -> None:
    session = FakeSession(host="web1", answering=in_order([]))
    with pytest.raises(AssertionError, match=r"uptime.*'web1'"):
        collect(session, COMMAND)


def test_answers_in_order_are_given_once_to_many_threads() -> None:
    answering = in_order([Completed(code=code) for code in range(200)])
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: expect(Completed, answering("h", COMMAND)).code, range(200)))
    assert set(codes) == set(range(200))


def test_an_answer_may_be_an_error() -> None:
    with pytest.raises(ConnectionLost):
        collect(FakeSession(answering=in_order([ConnectionLost("lost")])), COMMAND)


def test_files(tmp_path: Path) -> None:
    session = FakeSession(answering=in_order([None, b"content"]))
    put = Put(source=b"x", destination="/there")
    session.put(put)
    session.get(Get(source="/there", destination=tmp_path / "here"))
    assert (tmp_path / "here").read_bytes() == b"content"
    assert session.requests[0] is put


@pytest.mark.parametrize("answer", [None, b"bytes"])
def test_an_answer_of_the_wrong_kind_is_refused(answer: bytes | None) -> None:
    with pytest.raises(AssertionError, match="Completed"):
        collect(FakeSession(answering=in_order([answer])), COMMAND)


def test_a_closed_session_takes_nothing() -> None:
    connection = FakeTransport().connect(TARGET)
    session = connection.open_session()
    connection.close()
    with pytest.raises(AssertionError, match="closed"):
        collect(session, COMMAND)
    with pytest.raises(AssertionError, match="closed"):
        connection.open_session()


def test_a_transport_knows_what_each_host_was_asked() -> None:
    transport = FakeTransport(unreachable={"db1": ConnectionRefused("refused")}, host_platform=Platform.WINDOWS)
    session = transport.connect(TARGET).open_session()
    assert collect(session, COMMAND) == Completed(code=0)
    session.interrupt()
    assert session.interrupts == 1
    assert transport.requests("web1") == [COMMAND]
    assert transport.requests("web2") == []
    assert transport.platform(TARGET) is Platform.WINDOWS
    with pytest.raises(ConnectionRefused):
        transport.connect(Target(host="db1", transport="fake"))


def test_all_well_answers_every_request(tmp_path: Path) -> None:
    assert all_well("h", COMMAND) == Completed(code=0)
    assert all_well("h", Put(source=b"", destination="x")) is None
    assert all_well("h", Get(source="x", destination=tmp_path)) == b""


def test_the_null_transport_does_nothing_well(tmp_path: Path) -> None:
    connection = NullTransport().connect(TARGET)
    session = connection.open_session()
    assert collect(session, COMMAND) == Completed(code=0)
    session.put(Put(source=b"", destination="x"))
    session.get(Get(source="x", destination=tmp_path / "got"))
    assert (tmp_path / "got").read_bytes() == b""
    session.interrupt()
    session.close()
    connection.close()


def test_a_clock_stands_still_until_told() -> None:
    clock = FakeClock(now=100.0)
    assert (clock.now(), clock.monotonic()) == (100.0, 0.0)
    clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (102.5, 2.5)
    with pytest.raises(ValueError, match="go back"):
        clock.advance(-1)


def test_make_inventory() -> None:
    inventory = make_inventory({"web1": {"port": 1}, "db1": {}, "alone": {}}, {"web": ["web1"], "db": ["db1"]})
    assert inventory.hosts["web1"].variables == {"port": 1}
    assert inventory.hosts["web1"].groups == ("web",)
    assert inventory.groups["ungrouped"].hosts == ("alone",)
    assert inventory.groups["all"].children == ("web", "db", "ungrouped")
    assert list(make_inventory(["a", "b"]).hosts) == ["a", "b"]
