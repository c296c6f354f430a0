"""The hosts of a practice fleet: which there are, and the servers behind them.

Linux hosts are ssh servers and Windows hosts are WS-Management servers, each on a loopback address of its own. All are
this one machine and this one user, so each works in a directory of its own, which the inventory calls ``lab_root``.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from drumline.plugin import UsageError
from drumline_lab.sshd import Sshd, find_sshd, make_key, stop_sshd
from drumline_lab.wsman import START_PATIENCE, Backend, Settings, Windows, WsmanServer, find_backend

#: The one user of Windows hosts.
WINDOWS_USER = "Administrator"
#: Where files of a real Windows host go.
_WINDOWS_ROOT = r"C:\lab"
#: In the environment of every command that a host runs, with the fleet's directory as the value.
MARK = "DRUMLINE_LAB"
#: A host that is no host: tells whether sshd works here.
PROBE = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRequest:
    """What ``lab up`` was asked for."""

    linux: int
    windows: int
    program: str | None = None  #: What runs command lines of Windows hosts; None: the best that is found.


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetHost:
    """One host of the fleet, as the state file and the inventory have it."""

    name: str
    kind: Literal["linux", "windows"]
    address: str
    port: int
    groups: tuple[str, ...]
    behind: str  #: What stands behind it, for people.
    root: str  #: The directory on the host that is its own.
    user: str
    variables: dict[str, str] = field(default_factory=dict)  #: Of its connection, besides address, port and user.

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "groups": tuple(data["groups"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Server(Protocol):
    """An ssh server of the lab."""

    port: int
    user: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Fleet:
    """All hosts of a lab while they are up. ``stop`` may follow a ``start`` that failed half-way."""

    def __init__(self, directory: Path, wanted: FleetRequest, token: str) -> None:
        self.directory = directory
        self._wanted = wanted
        self._token = token
        self._stops: list[Callable[[], None]] = []
        self._key = directory / "id_ed25519"
        self._why_embedded = ""  #: Why Linux hosts can't be real sshd processes.

    def start(self) -> list[FleetHost]:
        """Start every host, a few at a time, and return when each of them can run commands."""
        if self._wanted.linux:
            make_key(self._key, "ed25519")
            self._why_embedded = self._try_sshd()
        linux = linux_names(self._wanted.linux)
        windows = [(f"app{number}", ("app",)) for number in range(1, self._wanted.windows + 1)]
        with ThreadPoolExecutor(4) as pool:
            started = [
                *(pool.submit(self._start_linux, number, *host) for number, host in enumerate(linux, 1)),
                *(pool.submit(self._start_windows, number, *host) for number, host in enumerate(windows, 1)),
            ]
        return [host.result() for host in started]

    def stop(self) -> None:
        """Stop every host, whatever it does at the moment."""
        with ThreadPoolExecutor(4) as pool:
            stopped = [pool.submit(stop) for stop in self._stops]
        for stop in stopped:
            stop.result()

    def _start_linux(self, number: int, name: str, groups: tuple[str, ...]) -> FleetHost:
        address = loopback(1, number)
        root = self._root(name)
        server = self._ssh_server(host_directory(self.directory, name) / "sshd", address)
        self._stops.append(server.stop)
        server.start()
        known = host_directory(self.directory, name) / "sshd" / "known_hosts"
        return FleetHost(
            name=name,
            kind="linux",
            address=address,
            port=server.port,
            groups=groups,
            behind=f"drumline's own ssh server ({self._why_embedded})" if self._why_embedded else "OpenSSH's sshd",
            root=str(root),
            user=server.user,
            variables={
                "ansible_connection": "ssh",
                "ansible_ssh_private_key_file": str(self._key),
                "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes",
            },
        )

    def _try_sshd(self) -> str:
        """Why real sshd processes can't be used here, or ``""``. They refuse accounts that are locked."""
        if find_sshd() is None:
            return "no sshd is installed"
        if (ssh := shutil.which("ssh")) is None:
            return ""
        with Sshd(host_directory(self.directory, PROBE) / "sshd", client_key=self._key) as server:
            options = ["-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={server.known_hosts}"]
            address = ["-i", str(self._key), "-p", str(server.port), "-l", server.user, server.address]
            done = subprocess.run([ssh, *options, *address, "exit 0"], capture_output=True, timeout=30, check=False)
        return "sshd refuses this account" if done.returncode else ""

    def _ssh_server(self, directory: Path, address: str) -> Server:
        if not self._why_embedded:
            return Sshd(directory, addresses=[address], client_key=self._key)
        from drumline_lab.embedded_sshd import EmbeddedSshd  # imports paramiko, which takes its time

        return EmbeddedSshd(directory, addresses=[address], client_key=self._key)

    def _start_windows(self, number: int, name: str, groups: tuple[str, ...]) -> FleetHost:
        password = secrets.token_urlsafe(18)
        home = self._root(name)
        backend = find_backend(windows_host(self._token, name), home, program=self._wanted.program, mark=self._mark)
        root = _WINDOWS_ROOT if isinstance(backend, Windows) else str(home)
        self._prepare(backend, name, root)
        settings = Settings(users={WINDOWS_USER: password}, machine=name.upper(), log_size=100)
        server = WsmanServer(settings, backend=backend, address=(loopback(2, number), 0))
        self._stops.append(server.stop)
        server.start()
        return FleetHost(
            name=name,
            kind="windows",
            address=server.host,
            port=server.port,
            groups=groups,
            behind=f"WinRM, in front of {backend.description}",
            root=root,
            user=WINDOWS_USER,
            variables={
                "ansible_connection": "winrm",
                "ansible_password": password,
                "ansible_winrm_scheme": "http",
                "ansible_winrm_transport": "ntlm",
                "ansible_winrm_message_encryption": "always",
            },
        )

    def _prepare(self, backend: Backend, name: str, root: str) -> None:
        """Make the host's directory by a command of its own: the first one also starts a Windows host's services."""
        line = f'mkdir "{root}"' if isinstance(backend, Windows) else f"test -d '{root}'"
        launch = backend.launch(line, direct=False, directory=None, variables={})
        # Not into a pipe, which would be open for as long as what the host leaves in the background has it.
        with tempfile.TemporaryFile() as said:
            try:
                done = subprocess.run(
                    launch.argv,
                    env=dict(launch.environment),
                    cwd=launch.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    timeout=START_PATIENCE,
                    start_new_session=True,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise UsageError(f"Windows host {name} doesn't start", str(error)) from error
            if done.returncode:
                said.seek(0)
                words = said.read().decode(errors="replace").strip()
                raise UsageError(f"Windows host {name} doesn't start", f"{backend.description} says: {words}")

    def _root(self, name: str) -> Path:
        root = host_directory(self.directory, name) / "root"
        root.mkdir(parents=True)
        return root

    @property
    def _mark(self) -> dict[str, str]:
        return {MARK: str(self.directory)}


def linux_names(count: int) -> list[tuple[str, tuple[str, ...]]]:
    """(name, groups) of Linux hosts: a balancer, a database and web servers, as far as they go round."""
    if count == 1:
        return [("web1", ("web", "db", "lb"))]
    if count == 2:
        return [("web1", ("web", "lb")), ("db1", ("db",))]
    first: list[tuple[str, tuple[str, ...]]] = [("lb1", ("lb",)), ("db1", ("db",))]
    return [*first[:count], *((f"web{number}", ("web",)) for number in range(1, count - 1))]


def host_directory(directory: Path, name: str) -> Path:
    """Where a host's files are: ``root`` in it is the host's own, the rest its server's."""
    return directory / "hosts" / name


def windows_host(token: str, name: str) -> str:
    """What the Windows program calls a host; unlike any of another lab."""
    return f"drumline-{token}-{name}"


def loopback(network: int, number: int) -> str:
    """An address of its own for a host, where the machine has more than one loopback address (Linux does)."""
    block, place = divmod(number - 1, 250)
    address = f"127.77.{network + 10 * block}.{place + 1}"
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return "127.0.0.1"
    return address


def answers(host: FleetHost, timeout: float = 5.0) -> bool:
    """Whether the host's server talks its protocol. Logs no one in, so that it is cheap and leaves no trace."""
    try:
        with socket.create_connection((host.address, host.port), timeout) as connected:
            if host.kind == "linux":
                return connected.recv(8) == b"SSH-2.0-"
            fields = f"Host: {host.address}\r\nWSMANIDENTIFY: unauthenticated\r\nContent-Length: 0\r\n\r\n"
            connected.sendall(f"POST /wsman HTTP/1.1\r\n{fields}".encode())
            return connected.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def remove_host(directory: Path, name: str, token: str, program: str | None) -> None:
    """End whatever a host has left running, whether or not its server ended in good order."""
    stop_sshd(host_directory(directory, name) / "sshd")
    if program and name.startswith("app"):
        try:
            Windows(program, windows_host(token, name)).remove()
        except (OSError, subprocess.SubprocessError) as error:
            raise UsageError(f"Windows host {windows_host(token, name)} can't be removed", str(error)) from error
