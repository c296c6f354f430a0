"""An SSH server inside this process, for machines without OpenSSH's: runs commands and serves files as this user.

It is for practice on loopback addresses: no terminals, no forwarding, one key pair (and a password, if one is given).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED

from drumline.plugin import Secret
from drumline_lab import processes
from drumline_lab.clocks import Shifted
from drumline_lab.embedded_sftp import LocalFiles
from drumline_lab.server import SshServer, free_port

#: In the environment of everything that a server starts, with its directory as the value; stopping finds them by it.
_MARK = "DRUMLINE_LAB_EMBEDDED_SSHD"
_CHUNK = 32_768


class EmbeddedSshd(SshServer):
    """Used as :class:`drumline_lab.sshd.Sshd` is."""

    def __init__(
        self,
        directory: Path,
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        port: int = 0,
        client_key: Path | None = None,
        password: Secret | None = None,
        sftp: bool = True,
        clock_offset: float = 0.0,
    ) -> None:
        super().__init__(directory, addresses, port, client_key)
        self._clock = Shifted(clock_offset)
        self._variables: Mapping[str, str] = {}
        self.password = password
        self.sftp = sftp
        self._host_key = directory / "host_ed25519"
        self._listeners = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._lock = threading.Lock()
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._accept, daemon=True, name="drumline lab ssh")

    def start(self) -> None:
        """Start it; it listens when this returns. Raises ``OSError`` for an address or port that can't be had."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (self._host_key, self.client_key):
            if not path.exists():
                make_key(path)
        self._variables = self._clock.start()
        self.port = self.port or free_port(self.addresses)
        for address in self.addresses:
            self._listeners.register(socket.create_server((address, self.port)), selectors.EVENT_READ)
        self._listeners.register(self._woken, selectors.EVENT_READ)
        self.write_known_hosts()
        self._thread.start()

    def host_keys(self) -> list[str]:
        return [self._host_key.with_suffix(".pub").read_text().strip()]

    def stop(self) -> None:
        self._wake.close()
        if self._thread.is_alive():
            self._thread.join()
        self.drop_connections()
        processes.end(lambda: processes.with_descendants(processes.marked(_MARK, self.directory)))
        for key in list((self._listeners.get_map() or {}).values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._listeners.close()
        self._clock.stop()

    def drop_connections(self) -> None:
        with self._lock:
            transports, self._transports = self._transports, []
        for transport in transports:
            transport.packetizer.complete_handshake()  # ends the timer of a greeting that isn't over
            transport.close()
            transport.join()

    def _accept(self) -> None:
        while True:
            for key, _ in self._listeners.select():
                if key.fileobj is self._woken:
                    return
                assert isinstance(key.fileobj, socket.socket)
                with contextlib.suppress(OSError):
                    self._serve(key.fileobj.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(connection)
        transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(self._host_key)))
        if self.sftp:
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, LocalFiles)
        with self._lock:
            self._transports = [*(known for known in self._transports if known.is_alive()), transport]
        # With an event it returns at once; the client's greeting is the business of the transport's own thread.
        transport.start_server(event=threading.Event(), server=_Login(self))

    def environment(self) -> dict[str, str]:
        """What commands find there."""
        home = str(Path.home())
        mine = {_MARK: str(self.directory), "HOME": home, "USER": self.user, "LOGNAME": self.user}
        return {**os.environ, **mine, **self._variables}


class _Login(paramiko.ServerInterface):
    """What one client may do."""

    def __init__(self, server: EmbeddedSshd) -> None:
        self._server = server
        self._key = server.client_key.with_name(server.client_key.name + ".pub").read_text().split()[1]

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password" if self._server.password else "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if username == self._server.user and key.get_base64() == self._key else AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        right = username == self._server.user and self._server.password == Secret(password)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        # The answer to the request must go out before the command's output does.
        _in_background(lambda: _execute(channel, command, self._server.environment()))
        return True


def _execute(channel: paramiko.Channel, command: bytes, environment: dict[str, str]) -> None:
    """Run a command with the channel's streams, and report its exit status."""
    process = subprocess.Popen(
        [shutil.which("sh") or "/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=environment,
        cwd=environment["HOME"],
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    with process, contextlib.suppress(OSError, EOFError):
        feeding = _in_background(lambda: _pump(lambda: channel.recv(_CHUNK), stdin.write, stdin.close))
        other = _in_background(lambda: _pump(lambda: stderr.read(_CHUNK), channel.sendall_stderr))
        _pump(lambda: stdout.read(_CHUNK), channel.sendall)
        other.join()
        code = process.wait()
        channel.send_exit_status(code if code >= 0 else 128 - code)
        channel.close()
        feeding.join()


def _pump(
    read: Callable[[], bytes | None], write: Callable[[bytes], object], close: Callable[[], None] = lambda: None
) -> None:
    """Copy until the end, or until no one takes it any more."""
    with contextlib.suppress(OSError, EOFError, ValueError):
        while data := read():
            view = memoryview(data)
            while view:
                written = write(bytes(view))
                view = view[written if isinstance(written, int) else len(view) :]
    with contextlib.suppress(OSError):
        close()


def _in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def make_key(path: Path) -> None:
    """Make an Ed25519 key pair, ``path`` and ``path.pub``, without OpenSSH's programs."""
    key = Ed25519PrivateKey.generate()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    path.with_name(path.name + ".pub").write_bytes(public + b"\n")
