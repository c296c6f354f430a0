"""Real OpenSSH servers on loopback addresses: for the practice fleet, the tests and the benchmarks.

Nothing on the machine is changed: configuration, keys and log are in the server's own directory, and whoever starts it
logs in as themselves with the key pair found there. (One exception: as root, sshd wants the directory ``/run/sshd``,
which the system's own service makes as well.) One server may listen on many addresses, and so stand for many hosts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from drumline.plugin import UsageError
from drumline_lab import processes
from drumline_lab.clocks import Shifted
from drumline_lab.server import SshServer, free_port

#: Where distributions put it; usually not in the PATH of users.
_PLACES = "/usr/sbin:/usr/local/sbin:/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin"
#: In the environment of everything that a server starts, with its directory as the value; stopping finds them by it.
_MARK = "DRUMLINE_LAB_SSHD"
#: Seconds for a server to listen.
_PATIENCE = 15.0
#: Other programs may take a free port between choosing it and listening on it.
_ATTEMPTS = 5
#: sshd's MAX_LISTEN_SOCKS: more addresses need more daemons.
_ADDRESSES_PER_DAEMON = 16


def find_sshd() -> str | None:
    """The path of OpenSSH's server, or None where it isn't installed."""
    return shutil.which("sshd") or shutil.which("sshd", path=_PLACES)


class Sshd(SshServer):
    """A server, of one ``sshd`` or as many as its addresses need.

    ``settings`` are lines of ``sshd_config`` and win over the defaults here, such as ``{"MaxSessions": "2"}``.
    ``sftp`` is the ``Subsystem``, or None for a server that has none. ``clock_offset`` is by how many seconds the clock
    of its commands is ahead (but for those of ``sudo``); other values than 0 need libfaketime.
    """

    def __init__(
        self,
        directory: Path,
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        port: int = 0,
        host_keys: Iterable[str] = ("ed25519",),
        client_key: Path | None = None,
        settings: Mapping[str, str] | None = None,
        sftp: str | None = "internal-sftp",
        clock_offset: float = 0.0,
    ) -> None:
        super().__init__(directory, addresses, port, client_key)
        self.log = directory / "sshd.log"
        self._port_is_free_choice = port == 0
        self._host_keys = [directory / f"host_{kind}" for kind in host_keys]
        self._settings = dict(settings or {})
        self._sftp = sftp
        self._clock = Shifted(clock_offset)
        self._variables: Mapping[str, str] = {}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start it and return when it listens. Raises ``UsageError`` when there is no sshd or it won't start."""
        program = find_sshd()
        if program is None:
            raise UsageError(
                "No sshd on this machine", "Install OpenSSH's server (Debian: apt install openssh-server)."
            )
        self._make_files()
        for attempt in range(_ATTEMPTS):
            if self._port_is_free_choice:
                self.port = free_port(self.addresses)
            if self._launch(program):
                break
            if not self._port_is_free_choice or attempt + 1 == _ATTEMPTS:
                raise UsageError("sshd doesn't start", self.log.read_text(errors="replace").strip())
        self.write_known_hosts()

    def host_keys(self) -> list[str]:
        return [" ".join(path.with_suffix(".pub").read_text().split()[:2]) for path in self._host_keys]

    def stop(self) -> None:
        stop_sshd(self.directory)
        for daemon in self._daemons:
            daemon.wait()
        self._daemons = []
        self._clock.stop()

    def drop_connections(self) -> None:
        daemons = {daemon.pid for daemon in self._daemons}
        processes.kill(processes.with_descendants(daemons) - daemons)

    def _make_files(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (*self._host_keys, self.client_key):
            if not path.exists():
                make_key(path, path.name.rpartition("_")[2])
        shutil.copyfile(f"{self.client_key}.pub", self.directory / "authorized_keys")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def _write_configuration(self, number: int, addresses: Sequence[str]) -> None:
        # At 1 bash believes that it isn't the first shell, and leaves out the user's ~/.bashrc.
        variables = {_MARK: str(self.directory), "SHLVL": "1", **self._variables}
        settings = {
            "AuthorizedKeysFile": self.directory / "authorized_keys",
            "PidFile": self._pid_file(number),
            "SetEnv": " ".join(f'{name}="{value}"' for name, value in variables.items()),
            "PermitRootLogin": "prohibit-password",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "UsePAM": "no",
            "StrictModes": "no",  # The directory may be below /tmp, which everyone can write to.
            "UseDNS": "no",
            "PrintMotd": "no",
            "PrintLastLog": "no",
            "MaxStartups": "1000",
            "MaxSessions": "100",
            "LogLevel": "VERBOSE",
            **({"Subsystem": f"sftp {self._sftp}"} if self._sftp else {}),
            **self._settings,
        }
        lines = [
            f"Port {self.port}",
            *(f"ListenAddress {address}" for address in addresses),
            *(f"HostKey {path}" for path in self._host_keys),
            *(f"{name} {value}" for name, value in settings.items()),
        ]
        self._config(number).write_text("".join(f"{line}\n" for line in lines))

    def _launch(self, program: str) -> bool:
        """Whether it listens now; if not, it has ended."""
        self.log.write_bytes(b"")
        self._variables = self._clock.start()
        groups = range(0, len(self.addresses), _ADDRESSES_PER_DAEMON)
        for number, first in enumerate(groups):
            self._pid_file(number).unlink(missing_ok=True)
            self._write_configuration(number, self.addresses[first : first + _ADDRESSES_PER_DAEMON])
            self._daemons.append(self._launch_daemon(program, number))
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and all(daemon.poll() is None for daemon in self._daemons):
            # It goes on with fewer addresses than asked for; the file is there when it has tried them all.
            if all(self._pid_file(number).exists() for number in range(len(groups))):
                if self.log.read_text(errors="replace").count("Server listening on ") == len(self.addresses):
                    return True
                break
            time.sleep(0.002)
        self.stop()
        return False

    def _launch_daemon(self, program: str, number: int) -> subprocess.Popen[bytes]:
        command = [program, "-D", "-f", str(self._config(number)), "-E", str(self.log)]
        nothing = subprocess.DEVNULL
        environment = {**os.environ, _MARK: str(self.directory)}
        return subprocess.Popen(
            command, stdin=nothing, stdout=nothing, stderr=nothing, env=environment, start_new_session=True
        )

    def _config(self, number: int) -> Path:
        return self.directory / f"sshd_config{number}"

    def _pid_file(self, number: int) -> Path:
        return self.directory / f"sshd{number}.pid"


def make_key(path: Path, kind: str, passphrase: str = "") -> None:
    """Make a key pair: ``path`` and ``path.pub``; ``kind`` is ``ed25519``, ``ecdsa`` or ``rsa``."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "drumline", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def stop_sshd(directory: Path) -> None:
    """End the server of a directory, its connections and sessions, also one that another process started."""
    processes.end(lambda: _processes_of(directory))
    for pid_file in directory.glob("sshd*.pid"):
        pid_file.unlink()


def _processes_of(directory: Path) -> set[int]:
    """Everything that carries the directory's mark, the daemons, and all that descend from them."""
    # sshd writes its title over its environment: the daemons are known by their command lines.
    config = str(directory / "sshd_config")
    return processes.with_descendants(processes.marked(_MARK, directory) | processes.of_program("sshd", config))
