"""``wait_for`` on real ports and files, ``wait_for_connection`` and ``ping``."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.narrowing import expect

from drumline.plugin import (
    ActionFailed,
    AuthenticationFailed,
    Completed,
    ConnectionRefused,
    Ending,
    Platform,
    Reconnect,
    Request,
    Run,
    Sleep,
    Waiting,
)
from drumline.testing import ActionHost, Answer
from drumline.testing.cases import ActionCases, Case, here


@pytest.fixture
def port() -> Iterator[int]:
    """A port that listens and greets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def greet() -> None:
            while not done.is_set():
                try:
                    link, _ = server.accept()
                except TimeoutError:
                    continue
                with link:
                    try:
                        link.sendall(b"SSH-2.0-example\r\n")
                    except OSError:
                        continue

        greeter = threading.Thread(target=greet)
        greeter.start()
        yield server.getsockname()[1]
        done.set()
        greeter.join()


@pytest.fixture
def patient_port() -> Iterator[int]:
    """A port that greets, and then stays open without a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def greet() -> None:
            while True:
                link, _ = server.accept()
                if done.is_set():
                    link.close()
                    return
                link.sendall(b"SSH-2.0-example\r\n")
                held.append(link)

        done = threading.Event()
        greeter = threading.Thread(target=greet)
        greeter.start()
        yield server.getsockname()[1]
        done.set()
        socket.create_connection(server.getsockname()).close()
        greeter.join()
        for link in held:
            link.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which no one listens, and no one else will."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]


def test_ports(posix: ActionHost, port: int, patient_port: int, closed_port: int) -> None:
    result = posix("wait_for", port=port, timeout=5)
    assert not result.changed
    assert result.values["state"] == "started"
    assert len(posix.requests) == 1
    assert posix("wait_for", port=port, timeout=5, search_regex="SSH-2").values["port"] == port
    assert posix("wait_for", port=patient_port, timeout=9, connect_timeout=9, search_regex="ex").values["elapsed"] < 9
    assert posix("wait_for", port=closed_port, state="stopped", timeout=5).values["elapsed"] < 5
    with pytest.raises(ActionFailed, match=f"Timeout when waiting for 127.0.0.1:{closed_port}") as failed:
        posix("wait_for", port=closed_port, timeout=1)
    assert failed.value.values["elapsed"] >= 1
    with pytest.raises(ActionFailed, match="not yet"):
        posix("wait_for", port=port, state="stopped", timeout=1, msg="not yet")


def test_what_comes_while_it_waits(posix: ActionHost, tmp_path: Path) -> None:
    path = tmp_path / "the file"
    real = posix.answer

    def answer(request: Request) -> Answer:
        timer = threading.Timer(0.3, path.write_text, ["first\nready 42\n"])
        timer.start()
        try:
            return real(request)
        finally:
            timer.join()

    posix.answer = answer
    result = posix("wait_for", path=str(path), search_regex=r"^ready [0-9]+$", timeout=20)
    assert result.values["elapsed"] < 20
    assert len(posix.requests) == 1


class TestWaitForPaths(ActionCases):
    action = "wait_for"
    cases = (
        Case("a directory", {"path": here(), "timeout": 1}, changed=False, values={"path": here(), "elapsed": ...}),
        Case("what isn't there", {"path": here("absent"), "state": "absent", "timeout": 1}, values={"elapsed": ...}),
        Case(
            "a line of a file",
            {"path": here("log"), "search_regex": "^ready [0-9]+", "timeout": 1},
            before={"log": "first\nready 42\n"},
            requests=[Run],
        ),
        Case(
            "a text that isn't in a file",
            {"path": here("log"), "state": "absent", "search_regex": "idle", "timeout": 1},
            before={"log": "busy"},
        ),
        Case(
            "what doesn't come",
            {"path": here("absent"), "timeout": 1},
            failed=f"Timeout when waiting for {here('absent')}",
            values={"elapsed": ...},
        ),
        Case(
            "a text that doesn't come",
            {"path": here("log"), "search_regex": "idle", "timeout": 1},
            before={"log": "busy"},
            failed=f"Timeout when waiting for search string idle in {here('log')}",
        ),
        Case(
            "no expression",
            {"path": here("log"), "search_regex": "a(b", "timeout": 1},
            platforms=[Platform.POSIX],
            before={"log": ""},
            failed="isn't an expression",
        ),
        Case(
            "time alone",
            {"timeout": 7, "delay": 3},
            answers=[None, None],
            requests=[Sleep(seconds=3), Sleep(seconds=7)],
            values={"elapsed": 10},
        ),
        *(
            Case(f"wrong: {arguments}", arguments, answers=[], failed=message)
            for arguments, message in (
                ({"state": "drained", "path": "/x"}, "state=drained is about the connections to a port"),
                ({"state": "drained"}, "state=drained is about the connections to a port"),
                ({"state": "stopped", "path": "/x"}, "state=stopped should only be used for checking a port"),
                ({"port": 1, "exclude_hosts": ["::1"]}, "exclude_hosts should only be with state=drained"),
                (
                    {"state": "drained", "port": 1, "active_connection_states": ["OPEN"]},
                    "unknown active_connection_states: OPEN",
                ),
                ({"port": 1, "path": "/x"}, "mutually exclusive"),
                ({"command": "true", "path": "/x"}, "mutually exclusive"),
                ({"command": "true", "search_regex": "x"}, "search_regex needs path or port"),
                ({"search_regex": "x"}, "search_regex needs path or port"),
            )
        ),
    )


class TestWaitForCommands(ActionCases):
    action = "wait_for"
    cases = (
        Case(
            "one that has to fail",
            {"command": "exit 3", "state": "absent", "timeout": 5},
            changed=False,
            values={"rc": 3},
            requests=[Run],
        ),
        Case(
            "one that never succeeds",
            {"command": "echo no; exit 7", "timeout": 30, "sleep": 10},
            platforms=[Platform.POSIX],
            failed="Timeout when waiting for 'echo no; exit 7' to succeed",
            values={"rc": 7, "stdout": "no\n", "stderr": ""},
            requests=[Run, Sleep, Run, Sleep, Run],
        ),
        Case(
            "one that is interrupted",
            {"command": "true", "timeout": 9},
            answers=[Completed(code=None, ending=Ending.INTERRUPTED)],
            failed="Interrupted",
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"port": 5432}, "for port 5432 of 127.0.0.1"),
        ({"port": 80, "host": "10.0.0.7", "state": "stopped"}, "for port 80 of 10.0.0.7 to be gone"),
        ({"port": 22, "search_regex": "SSH"}, "for 'SSH' to come from port 22 of 127.0.0.1"),
        ({"path": "/run/app.pid"}, "for /run/app.pid"),
        ({"path": "/run/app.pid", "state": "absent"}, "for /run/app.pid to be gone"),
        ({"path": "/var/log/app", "search_regex": "up"}, "for 'up' to come from /var/log/app"),
        ({"command": "systemctl is-active app"}, "for 'systemctl is-active app' to succeed"),
        ({"command": "pgrep app", "state": "absent"}, "for 'pgrep app' to fail"),
        ({}, "for 60 seconds"),
    ],
)
@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_people_are_told_what_it_waits_for(posix: ActionHost, arguments: dict[str, object], reason: str) -> None:
    def answer(request: Request) -> Answer:
        assert posix.waits == [Waiting(reason=reason, seconds=65)]  # before anything is sent
        there = 1 if arguments.get("state") == "absent" else 0
        return Completed(code=there, stdout=b"elapsed=0\0") if isinstance(request, Run) else None

    posix.answer = answer
    posix("wait_for", timeout=60, delay=5, **arguments)


def test_a_command_is_tried_until_it_succeeds(posix: ActionHost, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    line = f"echo x >>'{tries}'; echo again; [ $(wc -l <'{tries}') -ge 3 ]"
    result = posix("wait_for", command=line, timeout=20, sleep=2)
    assert not result.changed
    assert (result.values["rc"], result.values["stdout"], result.values["command"]) == (0, "again\n", line)
    assert 4 <= result.values["elapsed"] < 10
    assert [type(request) for request in posix.requests] == [Run, Sleep, Run, Sleep, Run]


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_a_command_that_hangs(posix: ActionHost) -> None:
    began = time.monotonic()
    with pytest.raises(ActionFailed, match="not up yet"):
        posix("wait_for", command="sleep 60", timeout=1, msg="not up yet")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("tools", [["python3"], ["perl"], ["nc"], []])
def test_each_way_to_try_a_port(
    posix: ActionHost, tmp_path: Path, port: int, patient_port: int, closed_port: int, tools: list[str]
) -> None:
    """On hosts that have just one of the programs; the last has none of them."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for tool in [*tools, "cat", "date", "sleep", "grep", "rm", "sh"]:
        place = shutil.which(tool, path="/usr/bin:/bin")
        if place is None:
            pytest.skip(f"{tool} isn't installed")
        (directory / tool).symlink_to(place)
    real = posix.answer
    posix.answer = lambda step: real(_with_path(expect(Run, step), directory))
    if not tools:
        with pytest.raises(ActionFailed, match="none of bash"):
            posix("wait_for", port=port, timeout=1)
        return
    posix("wait_for", port=port, timeout=5)
    posix("wait_for", port=port, timeout=5, search_regex="example")
    assert posix("wait_for", port=patient_port, timeout=9, connect_timeout=9, search_regex="ex").values["elapsed"] < 9
    posix("wait_for", port=closed_port, state="stopped", timeout=5)
    with pytest.raises(ActionFailed):
        posix("wait_for", port=closed_port, timeout=0)


def _with_path(step: Run, directory: Path) -> Run:
    return replace(step, environment={**step.environment, "PATH": str(directory)})


@pytest.mark.windows
def test_ports_on_windows(windows: ActionHost, port: int, patient_port: int, closed_port: int) -> None:
    assert windows("win_wait_for", port=port, timeout=5).values["elapsed"] < 5
    assert windows("win_wait_for", port=closed_port, state="stopped", timeout=5).values["state"] == "stopped"
    with pytest.raises(ActionFailed, match="Timeout"):
        windows("wait_for", port=closed_port, timeout=1)
    windows("wait_for", port=port, search_regex=r"^SSH-\d", timeout=5)
    assert windows("wait_for", port=patient_port, connect_timeout=9, search_regex="ex").values["elapsed"] < 9
    with pytest.raises(ActionFailed, match="search string idle"):
        windows("wait_for", port=port, search_regex="idle", timeout=1)


@pytest.mark.windows
def test_a_command_on_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    name, place = directory
    line = f"Add-Content {name}\\tries x; if ((Get-Content {name}\\tries).Count -lt 2) {{ exit 5 }}; 'there'"
    result = windows("win_wait_for", command=line, timeout=60, sleep=0)
    assert (result.values["rc"], result.values["stdout"].strip()) == (0, "there")
    assert (place / "tries").read_text().split() == ["x", "x"]


def test_ping(posix: ActionHost) -> None:
    result = posix("ping")
    assert result.values == {"ping": "pong"}
    assert not result.changed
    assert posix("ping", data="x").values == {"ping": "x"}
    posix.answer = lambda _: Completed(code=0, stdout=b"This account is not available.\n")
    with pytest.raises(ActionFailed, match="This account is not available"):
        posix("ping")


@pytest.mark.windows
def test_ping_on_windows(windows: ActionHost) -> None:
    assert windows("win_ping").values == {"ping": "pong"}


def test_wait_for_connection(posix: ActionHost) -> None:
    real, refusals = posix.answer, iter(range(3))

    def answer(request: Request) -> Answer:
        if isinstance(request, Reconnect) and next(refusals, None) is not None:
            raise ConnectionRefused("connection refused")
        return real(request) if isinstance(request, Run) else None

    posix.answer = answer
    result = posix("wait_for_connection", delay=2, sleep=3)
    assert 11 <= result.values["elapsed"] < 20
    assert posix.waits == [Waiting(reason="for the host to be there again", seconds=602)]
    kinds = [type(request).__name__ for request in posix.requests]
    assert kinds == ["Sleep", *["Reconnect", "Sleep"] * 3, "Reconnect", "Run"]


def test_wait_for_connection_gives_up(posix: ActionHost) -> None:
    def refuse(request: Request) -> None:
        if isinstance(request, Reconnect):
            raise ConnectionRefused("connection refused", "Is it up?")

    posix.answer = refuse
    began = time.monotonic()
    with pytest.raises(ActionFailed, match="timed out waiting for the connection: connection refused"):
        posix("wait_for_connection", timeout=60)
    assert time.monotonic() - began < 5
    assert sum(isinstance(request, Reconnect) for request in posix.requests) in (60, 61)


# What never comes to an end by itself.


@pytest.fixture
def dribbling_port() -> Iterator[int]:
    """A port that says a word now and then, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def dribble(link: socket.socket) -> None:
            with link, suppress(OSError):
                while not done.wait(0.2):
                    link.sendall(b"tick ")

        def accept() -> None:
            threads = []
            while not done.is_set():
                with suppress(TimeoutError):
                    threads.append(threading.Thread(target=dribble, args=(server.accept()[0],)))
                    threads[-1].start()
            for thread in threads:
                thread.join()

        accepting = threading.Thread(target=accept)
        accepting.start()
        yield server.getsockname()[1]
        done.set()
        accepting.join()


def _took(wait: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(ActionFailed, match="Timeout when waiting for"):
        wait()
    return time.monotonic() - began


def test_a_deadline_reaches_every_step(
    posix: ActionHost, dribbling_port: int, closed_port: int, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    slow = {"timeout": 1, "connect_timeout": 30}
    assert _took(lambda: posix("wait_for", port=dribbling_port, search_regex="READY", **slow)) < 5
    assert _took(lambda: posix("wait_for", port=closed_port, sleep=30, **slow)) < 5
    assert _took(lambda: posix("wait_for", path=str(tmp_path / "pipe"), search_regex="x", **slow)) < 5
    assert _took(lambda: posix("wait_for", path=str(tmp_path), state="absent", sleep=30, **slow)) < 5


@pytest.mark.windows
def test_a_deadline_reaches_every_step_on_windows(
    windows: ActionHost, directory: tuple[str, Path], dribbling_port: int, closed_port: int
) -> None:
    (directory[1] / "log").write_text("a" * 40 + "!")
    slow = {"timeout": 1, "connect_timeout": 30}
    assert _took(lambda: windows("wait_for", port=dribbling_port, search_regex="READY", **slow)) < 10
    assert _took(lambda: windows("wait_for", port=closed_port, sleep=30, **slow)) < 10
    assert _took(lambda: windows("wait_for", path=f"{directory[0]}\\log", search_regex="(a+)+$", **slow)) < 10


@pytest.fixture
def connected() -> Iterator[tuple[int, socket.socket]]:
    """A port of this machine, and a connection to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        yield server.getsockname()[1], client
        accepted.close()
        client.close()


def _drained(wait_on: ActionHost, port: int, **arguments: object) -> None:
    wait_on("wait_for", port=port, state="drained", timeout=1, **arguments)


def _check_drained(host: ActionHost, connected: tuple[int, socket.socket]) -> None:
    port, client = connected
    with pytest.raises(ActionFailed, match=f"Timeout when waiting for 127.0.0.1:{port} to drain"):
        _drained(host, port)
    with pytest.raises(ActionFailed, match="to drain"):
        _drained(host, port, host="0.0.0.0")
    _drained(host, port, host="127.0.0.9")
    _drained(host, port, exclude_hosts=["127.0.0.1"])
    _drained(host, port, active_connection_states=["SYN_SENT"])
    client.close()


def test_drained(posix: ActionHost, connected: tuple[int, socket.socket]) -> None:
    _check_drained(posix, connected)
    with pytest.raises(ActionFailed, match="needs addresses"):
        _drained(posix, 1, host="no.such.name")


@pytest.mark.windows
def test_drained_on_windows(windows: ActionHost, connected: tuple[int, socket.socket]) -> None:
    _check_drained(windows, connected)


@pytest.mark.parametrize(("timeout", "tries", "slept"), [(600, 3, 120), (100, 2, 60), (20, 1, 0)])
def test_wait_for_connection_tries_a_refused_log_in_twice_more_at_long_intervals(
    posix: ActionHost, timeout: int, tries: int, slept: int
) -> None:
    def refuse(request: Request) -> None:
        if isinstance(request, Reconnect):
            raise AuthenticationFailed("Log-in rejected", "Wrong password.")

    posix.answer = refuse
    with pytest.raises(ActionFailed, match=r"Log-in rejected. Wrong password."):
        posix("wait_for_connection", timeout=timeout)
    assert sum(isinstance(request, Reconnect) for request in posix.requests) == tries
    assert sum(request.seconds for request in posix.requests if isinstance(request, Sleep)) == slept
