"""Files to and from a Windows host: as few bytes as can be, stopped in mid-file, and nothing left behind."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.program import wait_until

from drumline.plugin import ConnectionLost, Get, HostError, Language, Put, Run, TransferFailed, TransferStopped
from drumline.plugin.leftovers import own_prefix
from drumline.testing.collect import collect
from drumline_lab.wsman import Dropped, Settings, WsmanServer
from drumline_winrm.transport import Winrm

pytestmark = pytest.mark.windows

#: What would be read as lines of the worker, if it were text.
CONTENT = bytes(range(256)) * 3000 + b"\n= -\n=\n+5\n\r\n\0" * 20_000
LARGE = bytes(30_000_000)
PONG = Run(language=Language.POWERSHELL, text="'pong'")


@pytest.fixture(scope="module")
def server(windows_host: Any) -> Iterator[WsmanServer]:
    with WsmanServer(Settings(users={"vagrant": "pässw:örd"}), backend=windows_host) as server:
        yield server


@pytest.fixture(scope="module")
def session(transport: Winrm, server: WsmanServer, target_for: Any) -> Iterator[Any]:
    connection = transport.connect(target_for(server))
    yield connection.open_session()
    connection.close()


@pytest.fixture
def there(windows_host: Any) -> Path:
    """A directory of the host, as this machine sees it; ``C:\\NAME`` there."""
    path: Path = windows_host.path(f"C:\\transfer-{secrets.token_hex(4)}")
    path.mkdir()
    return path


@pytest.fixture
def slow(server: WsmanServer) -> Iterator[None]:
    server.change(latency=0.1)
    yield
    server.change(latency=0.0)


def name_of(there: Path, name: str) -> str:
    return f"C:\\{there.name}\\{name}"


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_bytes_go_as_they_are(session: Any, server: WsmanServer, there: Path, tmp_path: Path) -> None:
    collect(session, PONG)
    server.log.clear()
    session.put(Put(source=CONTENT, destination=name_of(there, "a")))
    sent = sum(exchange.received for exchange in server.log)
    assert sent < 1.36 * len(CONTENT)
    assert (there / "a").read_bytes() == CONTENT
    session.get(Get(source=name_of(there, "a"), destination=tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == CONTENT
    assert (left(there), left(tmp_path)) == (["a"], ["b"])


@pytest.mark.usefixtures("slow")
class TestStopped:
    @pytest.mark.parametrize("by", ["timeout", "interrupt"])
    def test_on_the_way_up(self, session: Any, there: Path, by: str) -> None:
        (there / "old").write_bytes(b"as it was")
        collect(session, PONG)
        if by == "interrupt":
            threading.Thread(target=lambda: wait_until(lambda: len(left(there)) > 1) and session.interrupt()).start()
        began = time.monotonic()
        put = Put(source=LARGE, destination=name_of(there, "old"), timeout=1.0 if by == "timeout" else None)
        with pytest.raises(TransferStopped, match=r"what had arrived was removed") as caught:
            session.put(put)
        assert time.monotonic() - began < 8
        assert caught.value.timed_out is (by == "timeout")
        assert left(there) == ["old"]
        assert (there / "old").read_bytes() == b"as it was"
        assert collect(session, PONG).stdout == b"pong\r\n"

    @pytest.mark.parametrize("by", ["timeout", "interrupt"])
    def test_on_the_way_down(self, session: Any, there: Path, tmp_path: Path, by: str) -> None:
        (there / "large").write_bytes(LARGE)
        collect(session, PONG)
        if by == "interrupt":
            threading.Thread(target=lambda: wait_until(lambda: left(tmp_path)) and session.interrupt()).start()
        get = Get(source=name_of(there, "large"), destination=tmp_path / "x", timeout=1.0 if by == "timeout" else None)
        with pytest.raises(TransferStopped) as caught:
            session.get(get)
        assert caught.value.timed_out is (by == "timeout")
        assert left(tmp_path) == []
        assert collect(session, PONG).stdout == b"pong\r\n"

    def test_a_host_that_falls_silent_amid_a_file(self, session: Any, server: WsmanServer, there: Path) -> None:
        collect(session, PONG)
        silent = threading.Event()

        def fall_silent(kind: str) -> None:
            if kind == "Send" and left(there):
                silent.wait(30)

        server.before = fall_silent
        began = time.monotonic()
        with pytest.raises(TransferStopped, match="timed out"):
            session.put(Put(source=LARGE, destination=name_of(there, "a"), timeout=2.0))
        assert time.monotonic() - began < 15
        server.before = None
        silent.set()
        assert collect(session, PONG).stdout == b"pong\r\n"


def test_a_connection_that_is_lost_amid_a_file(
    session: Any, server: WsmanServer, there: Path, transport: Winrm, target_for: Any
) -> None:
    """What is left can be deleted at once, though the host still has it open for the run that is gone."""
    collect(session, PONG)

    def drop(kind: str) -> None:
        if kind == "Send" and left(there):
            raise Dropped

    server.before = drop
    with pytest.raises(ConnectionLost):
        session.put(Put(source=LARGE, destination=name_of(there, "a")))
    server.before = None
    [name] = left(there)
    assert name.startswith(own_prefix())
    connection = transport.connect(target_for(server))
    delete = Run(language=Language.POWERSHELL, text=f"[IO.File]::Delete('{name_of(there, name)}')")
    assert collect(connection.open_session(), delete).code == 0
    connection.close()
    assert collect(session, PONG).stdout == b"pong\r\n"
    wait_until(lambda: left(there) == [])


@pytest.mark.parametrize("name", ["a|b", "a?b", "nowhere\\a", "", "a\\b:c"])
def test_a_name_that_is_none_is_in_the_message(session: Any, there: Path, tmp_path: Path, name: str) -> None:
    path = name_of(there, name)
    with pytest.raises(TransferFailed) as caught:
        session.put(Put(source=b"x", destination=path))
    assert path in str(caught.value)
    assert "web1" in str(caught.value)
    with pytest.raises(HostError) as refused:
        session.get(Get(source=path, destination=tmp_path / "x"))
    assert path in str(refused.value)
    assert left(there) == []
    assert collect(session, PONG).stdout == b"pong\r\n"
