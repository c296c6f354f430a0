"""Another user's commands on this machine, with passwords: by real sudo, su and doas, for an ordinary user."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil  # noqa: F401 - a process of another user can't import it
import pytest
from support.users import T, User, needs_doas, needs_users, run_as, temporary_user

import drumline_local.becoming
import drumline_local.staging
import drumline_local.tree  # noqa: F401 - as above
from drumline.plugin import Become, CommandRefused, Completed, Ending, Language, Run, Secret, StagingSession
from drumline.testing.collect import collect, collect_staged
from drumline_local import terminal
from drumline_local.transport import LocalSession

pytestmark = needs_users
METHODS = pytest.mark.parametrize("method", ["sudo", "su", pytest.param("doas", marks=needs_doas)])


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """Who runs drumline."""
    with temporary_user() as user:
        yield user


@pytest.fixture(scope="module")
def other() -> Iterator[User]:
    """Whom the commands run as."""
    with temporary_user() as user:
        yield user


@pytest.fixture
def session(user: User, monkeypatch: pytest.MonkeyPatch) -> LocalSession:
    user.sudo("Defaults:NAME timestamp_timeout=0", "NAME ALL=(ALL:ALL) ALL")
    user.doas("permit NAME")
    # The Python of the tests may be where no other user can start it.
    monkeypatch.setattr(terminal, "PYTHON", "/usr/bin/python3")
    return LocalSession()


def sh(text: str, **fields: Any) -> Run:
    return Run(language=Language.SH, text=text, **fields)


def by(method: str, me: User, other: User, **fields: Any) -> Become:
    password = other.password if method == "su" else me.password
    return Become(**{"user": other.name, "method": method, "password": Secret(password), **fields})


@METHODS
class TestWithAPassword:
    @pytest.mark.parametrize("size", [1, 3000], ids=["little input", "much input"])
    def test_both_outputs_and_all_of_the_input(
        self, session: LocalSession, user: User, other: User, method: str, size: int
    ) -> None:
        request = sh("id -un >&2; cat; exit 3", stdin=bytes(range(256)) * size, become=by(method, user, other))
        completed = run_as(user, lambda: collect(session, request))
        assert completed == Completed(code=3, stdout=request.stdin, stderr=f"{other.name}\n".encode())

    def test_a_wrong_one_and_none(self, session: LocalSession, user: User, other: User, method: str) -> None:
        before = time.monotonic()
        wrong = by(method, user, other, password=Secret("wr0ng-one"))
        said = run_as(user, lambda: refused(lambda: collect(session, sh("id", become=wrong))))
        assert said.startswith(f"Incorrect {method} password. this machine: ")
        assert "wr0ng-one" not in said
        assert time.monotonic() - before < 10
        none = by(method, user, other, password=None)
        said = run_as(user, lambda: refused(lambda: collect(session, sh("id", become=none))))
        assert said.startswith(f"Missing {method} password. ")

    def test_the_end_of_a_command_is_the_end_of_all_its_processes(
        self, session: LocalSession, user: User, other: User, method: str
    ) -> None:
        request = sh("trap '' TERM; sleep 1001 & echo $!; wait", become=by(method, user, other), timeout=1.5)
        completed = run_as(user, lambda: collect(session, request))
        assert completed.ending is Ending.TIMED_OUT
        assert completed.stdout
        assert int(completed.stdout) not in other.processes()

    def test_an_interrupt(self, session: LocalSession, user: User, other: User, method: str) -> None:
        request = sh("sleep 1001 & echo $!; wait", become=by(method, user, other))

        def interrupted() -> tuple[Ending, bytes]:
            said: list[bytes] = []

            def emit(_stream: str, data: bytes) -> None:
                said.append(data)
                threading.Thread(target=session.interrupt).start()

            return session.run(request, emit).ending, b"".join(said)

        ending, pids = run_as(user, interrupted)
        assert ending is Ending.INTERRUPTED
        assert pids
        assert int(pids.split()[0]) not in other.processes()

    def test_a_command_that_waits_for_a_start(
        self, session: StagingSession, user: User, other: User, method: str
    ) -> None:
        request = sh("id -un; cat", stdin=b"in\0put", become=by(method, user, other))

        def start() -> Completed:
            session.stage(request).cancel()
            staged = session.stage(request)
            staged.release(time.time() + 0.2)
            return collect_staged(staged)

        assert run_as(user, start) == Completed(code=0, stdout=f"{other.name}\nin\0put".encode())


def refused(work: Callable[[], T]) -> str:
    with pytest.raises(CommandRefused) as error:
        work()
    return str(error.value)


def test_a_terminal_that_is_required(session: LocalSession, user: User, other: User) -> None:
    user.sudo("Defaults:NAME requiretty, timestamp_timeout=0", "NAME ALL=(ALL:ALL) ALL")
    request = sh("cat; tty >&2; true", stdin=b"\3\4a\r\n", become=by("sudo", user, other))
    completed = run_as(user, lambda: collect(session, request))
    assert completed == Completed(code=0, stdout=b"\3\4a\r\n", stderr=b"not a tty\n")
    user.sudo("Defaults:NAME requiretty", "NAME ALL=(ALL:ALL) NOPASSWD: ALL")
    assert run_as(user, lambda: collect(session, sh("id -un", become=Become(user="root")))).stdout == b"root\n"


def test_the_python_of_terminals_is_the_one_that_runs() -> None:
    assert sys.executable == terminal.PYTHON
