"""A Kerberos realm on a loopback address: a real KDC with a database of its own, for as long as a test wants it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from drumline_lab import clocks

NAME = "DRUMLINE.TEST"
#: What the hosts of the realm are called; they all listen on loopback addresses.
HOSTS = ("localhost", "web1.drumline.test", "web2.drumline.test")
_PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")


class Realm:
    """Users, services, and the KDC's own words about who asked for what."""

    def __init__(self, directory: Path, users: Mapping[str, str], port: int, settings: str) -> None:
        self.port = port
        self.keytab = directory / "keytab"
        self.own_cache = directory / "own-cache"  #: Where the tickets of whoever runs the tests would be.
        self._directory = directory
        self._log = directory / "kdc.log"
        self._kdc: subprocess.Popen[bytes] | None = None
        (directory / "krb5.conf").write_text(_CLIENT.format(name=NAME, port=port, settings=settings))
        (directory / "kdc.conf").write_text(_KDC.format(name=NAME, port=port, directory=directory))
        self.environment = {
            "KRB5_CONFIG": str(directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.own_cache}",
            "KRB5RCACHENAME": "none:",  # or it leaves a file in /var/tmp
        }
        self._run(["kdb5_util", "create", "-s", "-r", NAME, "-P", "the key of the database"])
        self.administer(*(f'addprinc +requires_preauth -pw "{word}" {user}' for user, word in users.items()))
        for host in HOSTS:
            self.administer(f"addprinc -randkey HTTP/{host}", f"ktadd -k {self.keytab} HTTP/{host}")

    def administer(self, *lines: str) -> None:
        """Run commands of ``kadmin.local``."""
        for line in lines:
            self._run(["kadmin.local", "-q", line])

    def start(self, *, ahead: int = 0) -> None:
        """Start the KDC, its clock so many seconds ahead; returns when it answers."""
        program = [shutil.which("krb5kdc", path=_path()) or "krb5kdc", "-n"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._kdc = subprocess.Popen(program, env={**self._environment(), **clocks.ahead(ahead)}, **quiet)
        until = time.monotonic() + 20
        while not self._answers():
            assert self._kdc.poll() is None, self._log.read_text()
            assert time.monotonic() < until, "the KDC does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        if self._kdc is not None:
            self._kdc.kill()
            self._kdc.wait()
            clocks.forget(self._kdc.pid)
            self._kdc = None

    def log_in(self, user: str, password: str, *arguments: str) -> None:
        """Get a ticket into the own cache, as people do by hand."""
        self._run(["kinit", *arguments, f"{user}@{NAME}"], f"{password}\n")

    def forget(self) -> None:
        """Remove the own cache."""
        self.own_cache.unlink(missing_ok=True)

    def answers(self, user: str) -> list[str]:
        """What the KDC has answered to attempts to log in as a user, but for the demand to prove the password."""
        said = re.findall(rf"AS_REQ .*: ([A-Z_]+): (?:.*, )?{user}@", self._log.read_text())
        return [word for word in said if word != "NEEDED_PREAUTH"]

    def _answers(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def _run(self, command: list[str], text: str = "") -> None:
        command = [shutil.which(command[0], path=_path()) or command[0], *command[1:]]
        done = subprocess.run(
            command,
            env=self._environment(),
            input=text,
            text=True,
            capture_output=True,
            start_new_session=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _environment(self) -> dict[str, str]:
        return os.environ | self.environment


@contextmanager
def realm(directory: Path, users: Mapping[str, str], settings: str = "") -> Iterator[Realm]:
    """A realm whose KDC answers, and that this process uses; ``settings`` are lines of ``libdefaults``."""
    missing = [name for name in _PROGRAMS if shutil.which(name, path=_path()) is None]
    missing += [name for name in ("gssapi", "krb5") if find_spec(name) is None]
    if missing:
        pytest.skip(f"Kerberos needs {', '.join(missing)}; scripts/test installs it")
    with pytest.MonkeyPatch.context() as patch:
        made = Realm(directory, users, _free_port(), settings)
        for name, value in made.environment.items():
            patch.setenv(name, value)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _path() -> str:
    return os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        return int(tcp.getsockname()[1])


_CLIENT = """[libdefaults]
    default_realm = {name}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    {settings}
[realms]
    {name} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .drumline.test = {name}
"""
_KDC = """[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {name} = {{
        database_name = {directory}/principal
        key_stash_file = {directory}/stash
        acl_file = {directory}/acl
    }}
[logging]
    kdc = FILE:{directory}/kdc.log
"""
