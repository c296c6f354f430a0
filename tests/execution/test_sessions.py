"""The pool of warm sessions: one connection per host, one user per session, and what happens when one is lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from drumline.errors import AuthenticationFailed, ConnectionLost, ConnectionRefused, SessionLimit, TransferFailed
from drumline.execution.sessions import SessionPool
from drumline.model.request import Language, Run
from drumline.model.target import Platform, Target
from drumline.testing import NullTransport
from drumline.testing.null import NullConnection, NullSession

TARGET = Target(host="a", transport="counting")
RUN = Run(language=Language.SH, text="true")


class Counting(NullTransport):
    """Counts what is opened and closed; refuses or breaks when it is told to."""

    name = "counting"

    def __init__(self) -> None:
        self.connections = 0
        self.sessions = 0
        self.closed = 0
        self.closed_sessions = 0
        self.refuse = False
        self.dead = False
        self.forbid = False
        self.room = 99  #: Sessions that may be open.
        self.gate = threading.Event()
        self.gate.set()

    def connect(self, target: Target) -> NullConnection:
        self.connections += 1
        self.gate.wait(10)
        if self.forbid:
            raise AuthenticationFailed("no", "wrong word")
        if self.refuse:
            raise ConnectionRefused("refused", "try again")
        return _Connection(self)


class _Session(NullSession):
    __slots__ = ("owner",)

    def __init__(self, owner: Counting) -> None:
        self.owner = owner

    def close(self) -> None:
        self.owner.closed_sessions += 1


class _Connection(NullConnection):
    __slots__ = ("owner",)

    def __init__(self, owner: Counting) -> None:
        self.owner = owner

    def open_session(self) -> NullSession:
        if self.owner.dead:
            raise ConnectionLost("lost")
        if self.owner.sessions - self.owner.closed_sessions >= self.owner.room:
            raise SessionLimit("full", "no more")
        self.owner.sessions += 1
        return _Session(self.owner)

    def close(self) -> None:
        self.owner.closed += 1


@pytest.fixture
def transport() -> Counting:
    return Counting()


@pytest.fixture
def pool(transport: Counting) -> SessionPool:
    assert transport.platform(TARGET) is Platform.POSIX
    return SessionPool({"counting": transport})


def test_a_session_is_used_again(pool: SessionPool, transport: Counting) -> None:
    for _ in range(3):
        with pool.lend(TARGET):
            pass
    assert (transport.connections, transport.sessions) == (1, 1)


def test_two_users_have_two_sessions_on_one_connection(pool: SessionPool, transport: Counting) -> None:
    with pool.lend(TARGET) as first, pool.lend(TARGET) as second:
        assert first is not second
    assert (transport.connections, transport.sessions) == (1, 2)


def test_hosts_that_are_reached_differently_have_connections_of_their_own(
    pool: SessionPool, transport: Counting
) -> None:
    for user in ("x", "y", "x"):
        with pool.lend(Target(host="a", transport="counting", options={"user": user})):
            pass
    assert transport.connections == 2


def test_only_one_thread_connects(pool: SessionPool, transport: Counting) -> None:
    transport.gate.clear()
    started = threading.Barrier(9)

    def use() -> None:
        started.wait()
        with pool.lend(TARGET):
            pass

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(use) for _ in range(8)]
        started.wait()
        transport.gate.set()
        for future in done:
            future.result()
    assert transport.connections == 1


def test_those_who_waited_for_a_failed_attempt_share_its_error_and_the_next_one_tries_again(
    pool: SessionPool, transport: Counting
) -> None:
    transport.refuse = True
    for _ in range(2):
        with pytest.raises(ConnectionRefused), pool.lend(TARGET):
            pass
    assert transport.connections == 2
    transport.refuse = False
    with pool.lend(TARGET):
        pass


def test_after_a_lost_connection_the_next_lease_connects_anew(pool: SessionPool, transport: Counting) -> None:
    with pytest.raises(ConnectionLost), pool.lend(TARGET):
        raise ConnectionLost("lost")
    assert transport.closed == 1
    with pool.lend(TARGET) as session:
        assert session.run(RUN, lambda _stream, _data: None).code == 0
    assert transport.connections == 2


def test_a_late_loss_leaves_the_connection_alone_that_was_opened_since(pool: SessionPool, transport: Counting) -> None:
    loan = pool.lend(TARGET)
    loan.__enter__()
    pool.reconnect(TARGET)
    loan.__exit__(ConnectionLost, ConnectionLost("lost"), None)
    assert (transport.connections, transport.closed) == (2, 1)


def test_a_session_of_an_older_connection_is_not_lent_again(pool: SessionPool, transport: Counting) -> None:
    with pool.lend(TARGET) as old:
        pool.reconnect(TARGET)
    with pool.lend(TARGET) as first, pool.lend(TARGET) as second:
        assert old not in (first, second)


def test_a_connection_that_opens_no_session_any_more_is_opened_anew(pool: SessionPool, transport: Counting) -> None:
    with pool.lend(TARGET):
        transport.dead = True
        with pytest.raises(ConnectionLost), pool.lend(TARGET):
            pass
    transport.dead = False
    with pool.lend(TARGET):
        pass
    assert (transport.connections, transport.closed) == (2, 1)


def test_a_session_is_not_used_again_after_a_fault_that_nobody_knows(pool: SessionPool, transport: Counting) -> None:
    with pytest.raises(KeyError), pool.lend(TARGET):
        raise KeyError
    with pool.lend(TARGET):
        pass
    assert (transport.connections, transport.sessions) == (1, 2)


def test_reconnect_opens_a_new_connection(pool: SessionPool, transport: Counting) -> None:
    with pool.lend(TARGET):
        pass
    pool.reconnect(TARGET)
    assert (transport.connections, transport.closed) == (2, 1)


def test_close_closes_everything(pool: SessionPool, transport: Counting) -> None:
    for host in ("a", "b"):
        with pool.lend(Target(host=host, transport="counting")):
            pass
    pool.close()
    assert transport.closed == 2


def test_a_session_is_used_again_after_a_refused_transfer_and_closed_after_a_fault(
    pool: SessionPool, transport: Counting
) -> None:
    for error in (TransferFailed("no such file", "look again"), TransferFailed("again")):
        with pytest.raises(TransferFailed), pool.lend(TARGET):
            raise error
    assert transport.sessions == 1
    assert transport.closed_sessions == 0
    with pytest.raises(ZeroDivisionError), pool.lend(TARGET):
        raise ZeroDivisionError
    assert transport.closed_sessions == 1
    with pool.lend(TARGET):
        pass
    assert (transport.connections, transport.sessions) == (1, 2)


def test_a_host_that_is_being_connected_does_not_hold_up_the_end(pool: SessionPool, transport: Counting) -> None:
    transport.gate.clear()
    with ThreadPoolExecutor(1) as threads:
        connecting = threads.submit(lambda: pool.lend(TARGET).__enter__())
        while not transport.connections:
            time.sleep(0.01)
        began = time.monotonic()
        pool.close()
        assert time.monotonic() - began < 1
        transport.gate.set()
        connecting.result()


def test_at_most_so_many_sessions_of_a_host_are_lent_at_once(transport: Counting) -> None:
    """Promise 4, also when many hosts delegate to one."""
    pool = SessionPool({"counting": transport}, limit=2)
    lent, most = 0, 0
    lock = threading.Lock()

    def use() -> None:
        nonlocal lent, most
        with pool.lend(TARGET):
            with lock:
                lent += 1
                most = max(most, lent)
            time.sleep(0.01)  # long enough for the others to come
            with lock:
                lent -= 1

    with ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(use) for _ in range(16)]:
            future.result()
    assert (most, transport.sessions) == (2, 2)


class TestRoom:
    """A host that has no room for one more session works with those that there are."""

    def test_users_wait_for_the_sessions_there_are(self, pool: SessionPool, transport: Counting) -> None:
        transport.room = 2
        at_once: list[int] = []
        busy = 0
        lock = threading.Lock()

        def use() -> None:
            nonlocal busy
            with pool.lend(TARGET):
                with lock:
                    busy += 1
                    at_once.append(busy)
                time.sleep(0.02)
                with lock:
                    busy -= 1

        with ThreadPoolExecutor(4) as threads:
            for future in [threads.submit(use) for _ in range(12)]:
                future.result(20)
        assert (len(at_once), max(at_once), transport.sessions) == (12, 2, 2)

    def test_without_any_session_it_is_told(self, pool: SessionPool, transport: Counting) -> None:
        transport.room = 0
        with pytest.raises(SessionLimit), pool.lend(TARGET):
            pass

    def test_a_session_that_finds_no_room_when_it_is_used_is_given_up(
        self, pool: SessionPool, transport: Counting
    ) -> None:
        with pool.lend(TARGET):
            with pytest.raises(SessionLimit), pool.lend(TARGET):
                raise SessionLimit("full", "no more")
            assert pool.others_have_room(TARGET)
        with pool.lend(TARGET):
            taken = threading.Thread(target=lambda: pool.lend(TARGET).__enter__(), daemon=True)
            taken.start()
            taken.join(0.2)
            assert taken.is_alive()  # one at a time from now on
        taken.join(10)
        assert (taken.is_alive(), transport.sessions) == (False, 2)


class TestRefusedLogIns:
    def test_the_next_users_are_told_without_another_log_in(self, pool: SessionPool, transport: Counting) -> None:
        transport.forbid = True
        for _ in range(20):
            with pytest.raises(AuthenticationFailed), pool.lend(TARGET):
                pass
            with pytest.raises(AuthenticationFailed):
                pool.reconnect(TARGET)
        assert transport.connections == 1

    def test_one_that_a_session_had_to_repeat_ends_the_others_too(self, pool: SessionPool, transport: Counting) -> None:
        with pytest.raises(AuthenticationFailed), pool.lend(TARGET):
            raise AuthenticationFailed("no", "the password was changed")
        with pytest.raises(AuthenticationFailed), pool.lend(TARGET):
            pass
        assert (transport.connections, transport.sessions) == (1, 1)
