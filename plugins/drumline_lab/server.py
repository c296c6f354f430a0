"""What the lab's ssh servers have in common: OpenSSH's, and the one inside this process."""

from __future__ import annotations

import contextlib
import getpass
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from drumline.plugin import UsageError


class SshServer(ABC):
    """A server on loopback addresses; a context manager that starts and stops it.

    Keys, and whatever else it needs, are in ``directory``. ``port`` 0 picks one that is free on all ``addresses``.
    ``client_key`` is a private key to let in instead of a new one (its public half beside it, ``.pub``). Clients log in
    as ``user``, who runs this process, and find the host keys in the file ``known_hosts``.
    """

    def __init__(self, directory: Path, addresses: Sequence[str], port: int, client_key: Path | None) -> None:
        self.directory = directory
        self.addresses = tuple(addresses)
        self.port = port
        self.user = getpass.getuser()
        self.client_key = client_key or directory / "id_ed25519"
        self.known_hosts = directory / "known_hosts"

    @property
    def address(self) -> str:
        """The first address that it listens on."""
        return self.addresses[0]

    @abstractmethod
    def start(self) -> None:
        """Start it; it listens when this returns."""

    @abstractmethod
    def host_keys(self) -> list[str]:
        """Its host keys, each as type and base64."""

    @abstractmethod
    def stop(self) -> None:
        """End it, its connections and whatever its sessions still run. May be called twice."""

    @abstractmethod
    def drop_connections(self) -> None:
        """End all its connections, as a network that fails would; it goes on listening."""

    def known_hosts_lines(self) -> list[str]:
        """A line of ``known_hosts`` for each address and host key."""
        return [f"[{address}]:{self.port} {key}" for address in self.addresses for key in self.host_keys()]

    def write_known_hosts(self) -> None:
        """Write the file, once the port is known."""
        self.known_hosts.write_text("".join(f"{line}\n" for line in self.known_hosts_lines()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_port(addresses: Sequence[str]) -> int:
    """A TCP port that no one uses on any of these addresses at the moment."""
    for _ in range(100):
        with contextlib.ExitStack() as stack:
            port = 0
            try:
                for address in addresses:
                    listener = stack.enter_context(socket.socket())
                    listener.bind((address, port))
                    port = listener.getsockname()[1]
            except OSError:
                continue
            return port
    raise UsageError("No free port", f"None is free on all of {', '.join(addresses)}.")
