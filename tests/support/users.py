"""Users of this machine for the time of a test, with passwords and rights of sudo and doas; it takes root."""

from __future__ import annotations

import fcntl
import os
import pickle
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from support.program import wait_until

T = TypeVar("T")

needs_users = pytest.mark.skipif(
    os.geteuid() != 0 or None in map(shutil.which, ("sudo", "su", "useradd", "runuser")),
    reason="needs root, sudo and useradd to make users who become others",
)
needs_doas = pytest.mark.skipif(shutil.which("doas") is None, reason="needs doas (Debian: opendoas)")
_DOAS = Path("/etc/doas.conf")
_DOAS_LOCK = Path(tempfile.gettempdir()) / "drumline-test-doas.lock"


@dataclass(frozen=True, slots=True)
class User:
    """A user; ``home`` is readable for all."""

    name: str
    password: str
    home: Path

    def sudo(self, *lines: str) -> None:
        """Set the user's rights; in a line NAME stands for the user."""
        rights = _rights(self.name)
        rights.write_text("".join(f"{line.replace('NAME', self.name)}\n" for line in lines))
        rights.chmod(0o440)

    def doas(self, *lines: str) -> None:
        """The same for doas, whose one file has lines of other tests' users as well."""
        with _lines_of_doas() as kept:
            kept[:] = [line for line in kept if not line.endswith(f"# {self.name}")]
            kept += [f"{line.replace('NAME', self.name)} # {self.name}" for line in lines]

    def processes(self) -> dict[int, str]:
        """The command lines of those that live."""
        command = ["ps", "-u", self.name, "-o", "pid=,stat=,args="]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        rows = [line.split(None, 2) for line in said.splitlines()]
        return {int(pid): line for pid, state, line in rows if not state.startswith("Z")}


@contextmanager
def _lines_of_doas() -> Iterator[list[str]]:
    """The lines of its file, which no other process changes meanwhile; without a line there is no file."""
    with _DOAS_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = _DOAS.read_text().splitlines() if _DOAS.exists() else []
        yield lines
        if not lines:
            _DOAS.unlink(missing_ok=True)
            return
        new = _DOAS.with_name(f"doas.conf.{os.getpid()}")  # doas reads all of it or the one before
        new.write_text("".join(f"{line}\n" for line in lines))
        new.chmod(0o400)
        new.replace(_DOAS)


def _rights(name: str) -> Path:
    return Path("/etc/sudoers.d") / name


@contextmanager
def temporary_user() -> Iterator[User]:
    """A user who has a password and no rights."""
    name = f"drumline{secrets.token_hex(4)}"
    with ExitStack() as undo:
        # Below pytest's own directory no other user could read anything.
        home = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="drumline-test-")))
        home.chmod(0o755)
        subprocess.run(["useradd", "-s", "/bin/sh", "-M", "-d", home, name], check=True)
        undo.callback(_remove, name)
        user = User(name, secrets.token_hex(8), home)
        subprocess.run(["chpasswd"], input=f"{name}:{user.password}\n".encode(), check=True)
        shutil.chown(home, name)
        undo.callback(_rights(name).unlink, missing_ok=True)
        undo.callback(user.doas)
        yield user


def _remove(name: str) -> None:
    # They are still there for a moment after the signal, and then userdel refuses.
    wait_until(lambda: subprocess.run(["pkill", "-KILL", "-u", name], check=False).returncode == 1)
    subprocess.run(["userdel", name], check=True)


def run_as(user: User, work: Callable[[], T]) -> T:
    """What a function gives that is run as a user, in a process of its own: everything that it imports is there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - it can't say that it was here
        found: tuple[bool, Any] = False, "it ended without a word"
        try:
            entry = pwd.getpwnam(user.name)
            os.setgroups([entry.pw_gid])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            os.chdir(user.home)
            os.environ["HOME"] = str(user.home)
            found = True, work()
        except BaseException as error:
            found = False, f"{type(error).__name__}: {error}"
        finally:
            with open(writer, "wb") as file:
                pickle.dump(found, file)
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        good, value = pickle.load(file)
    os.waitpid(child, 0)
    assert good, value
    return cast(T, value)
