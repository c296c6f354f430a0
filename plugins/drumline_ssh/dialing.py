"""Opens a connection, over other hosts where the way leads over them.

The TCP connection comes first, then paramiko is loaded: while Python reads modules, fifty hosts start the processes
that will answer it.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from drumline.plugin import ConnectionLost, HostError, QuotaExceeded
from drumline.plugin.resolving import Address, resolve_name
from drumline_ssh.library import load_paramiko
from drumline_ssh.link import Pipe
from drumline_ssh.proxying import ProxySocket
from drumline_ssh.settings import SshSettings
from drumline_ssh.tries import Tried, TriesUsedUp

if TYPE_CHECKING:
    import paramiko

    from drumline_ssh.greeting import Greeter

#: Seconds, on average, until a host that has too many logins under way is asked again: at first, and in the end.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.5
_FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}


class Dialer:
    """Opens the connections of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._greeter: Greeter | None = None

    def dial(self, settings: SshSettings) -> list[paramiko.Transport]:
        """Connections logged in to each host on the way, the target last. Raises the ``HostError`` that fits."""
        opened: list[paramiko.Transport] = []
        try:
            for hop in (*settings.jumps, settings):
                with _naming(hop, on_the_way=hop is not settings):
                    opened.append(self._reach(hop, opened))
        except BaseException:
            hang_up(opened)
            raise
        return opened

    def _reach(self, hop: SshSettings, way: list[paramiko.Transport]) -> paramiko.Transport:
        """A connection to the next host on the way. One that has too many logins under way is asked again in time."""
        deadline = time.monotonic() + hop.timeout
        pause = _FIRST_PAUSE
        tried = Tried()
        while True:
            try:
                return self._greet(_through(way[-1], hop) if way else _connect(hop), hop, tried)
            except TriesUsedUp:
                continue
            except QuotaExceeded:
                # Each at a time of its own, so that those who were refused don't all come again together.
                wait = pause * random.uniform(0.5, 1.5)
                if time.monotonic() + wait > deadline:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _greet(self, pipe: Pipe, hop: SshSettings, tried: Tried) -> paramiko.Transport:
        try:
            return self._loaded().greet(pipe, hop, tried)
        except (ConnectionLost, QuotaExceeded):
            fault = pipe.fault if isinstance(pipe, ProxySocket) else ""
            if not fault:
                raise
        raise ConnectionLost(
            "The proxy command failed", f"{hop.place}: {fault}. Try its line of ProxyCommand in a shell."
        )

    def _loaded(self) -> Greeter:
        with self._lock:
            if self._greeter is None:
                load_paramiko()
                from drumline_ssh.greeting import Greeter

                self._greeter = Greeter()
            return self._greeter


def hang_up(transports: list[paramiko.Transport]) -> None:
    """Close connections, the farthest first. Raises nothing."""
    for transport in reversed(transports):
        # Else the timer of a greeting that failed keeps Python from ending for as long as it runs.
        transport.packetizer.complete_handshake()
        with contextlib.suppress(Exception):
            transport.close()
            if not transport.is_alive():
                transport.sock.close()


def _connect(settings: SshSettings) -> socket.socket:
    try:
        if settings.proxy_command is not None:
            return ProxySocket(settings.proxy_command)
        pipe = _dial(settings)
    except OSError as error:
        load_paramiko()
        from drumline_ssh import faults

        raise faults.of_dialing(error, settings.place, settings.timeout) from None
    pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return pipe


def _dial(settings: SshSettings) -> socket.socket:
    """A TCP connection, within the time for it: names, and all addresses of a name one after the other, included."""
    deadline = time.monotonic() + settings.timeout
    addresses = _resolve(settings)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        pipe = socket.socket(family, kind, protocol)
        try:
            # An address that doesn't answer leaves the others their share of the time.
            pipe.settimeout(max(0.1, (deadline - time.monotonic()) / (len(addresses) - number)))
            if settings.bind_address:
                pipe.bind((settings.bind_address, 0))
            pipe.connect(address)
            return pipe
        except OSError as failed:
            pipe.close()
            error = failed
    raise error


def _resolve(settings: SshSettings) -> list[Address]:
    try:
        return resolve_name(settings.host, settings.port, settings.timeout, _FAMILIES[settings.address_family])
    except TimeoutError as error:
        raise socket.gaierror(socket.EAI_AGAIN, str(error)) from None


def _through(transport: paramiko.Transport, settings: SshSettings) -> paramiko.Channel:
    import paramiko

    from drumline_ssh import faults

    try:
        return transport.open_channel(
            "direct-tcpip", (settings.host, settings.port), ("127.0.0.1", 0), timeout=settings.timeout
        )
    except paramiko.ChannelException as error:
        refused = ConnectionRefusedError(error.text)
        raise faults.of_dialing(refused, settings.place, settings.timeout) from None
    except Exception as error:  # paramiko lets through whatever its parsers raise
        raise faults.of_forwarding(error, settings.place, settings.timeout) from None


@contextlib.contextmanager
def _naming(settings: SshSettings, *, on_the_way: bool) -> Iterator[None]:
    """Say of an error that it isn't about the target but about a host on the way to it."""
    try:
        yield
    except HostError as error:
        if not on_the_way:
            raise
        raise type(error)(f"On the way to the host: {error.summary}", error.detail) from None
