"""Kerberos tickets got with passwords: one for each user of a process, in a private cache, renewed before it ends.

``kinit`` gets them, as in Ansible: it can be ended when the domain doesn't answer, and it knows everything that
``krb5.conf`` may say. The password goes to its standard input only. The user's own cache is neither read nor written.

A password that the domain has refused is not sent again by this process, however many hosts are to be reached with it:
domains lock accounts after a few tries.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from drumline.plugin import AuthenticationFailed, HostError
from drumline_winrm.logins import Account, Kinit

_PREFIX = "drumline-kerberos-"
#: seconds, longer than any one request lasts
_MARGIN = 300.0
#: seconds for which a domain that could not be asked is not asked again
_PAUSE = 30.0
#: What goes wrong in the same way for a password and for a ticket.
SILENT = "No answer from the Kerberos domain"
REACH = (
    "Are the servers (KDC) that /etc/krb5.conf or DNS name for the realm up, and does the network let port 88 through?"
)
UNKNOWN_REALM = "Unknown Kerberos realm"
CLOCKS = (
    "The clocks of this machine and of the Kerberos domain are too far apart (5 minutes are allowed by default). "
    "Set them by NTP."
)
#: bytes of what kinit says that are read
_MOST_SAID = 4096


def margin(lifetime: float) -> float:
    """How long before its end a ticket, or what came of it, is replaced."""
    return min(_MARGIN, lifetime / 2)


class NoTicket(HostError):
    """Kerberos can't be used for this host, and that is no one's judgement of the password."""


class Ticket:
    """The ticket of one account. Many threads may ask for it; one of them gets it."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._holders = 0
        self._home: _Home | None = None
        self._renewal = self._end = float("-inf")  # by the monotonic clock
        self._pause = float("-inf")
        self._failure: HostError | None = None

    def hold(self) -> None:
        """Keep it until ``release`` was called as often."""
        with self._lock:
            self._holders += 1

    def release(self) -> None:
        """Remove it if that was the last one who needs it. What the domain has refused stays refused."""
        with self._lock:
            self._holders -= 1
            if self._holders == 0 and self._home is not None:
                self._home.remove()
                self._home = None
                self._renewal = self._end = float("-inf")

    def cache(self) -> str:
        """The name of a cache with a ticket that is good for now.

        Raises ``NoTicket`` when the domain can't be asked, ``AuthenticationFailed`` when it refuses.
        """
        with self._lock:
            if self._home is None:
                self._home = _Home()
            now = time.monotonic()
            if now >= self._renewal and now >= self._pause:
                self._renew(self._home.file)
            if self._failure is not None and time.monotonic() >= self._end:
                raise type(self._failure)(self._failure.summary, self._failure.detail, said=self._failure.said)
            return f"FILE:{self._home.file}"

    def _renew(self, file: Path) -> None:
        fresh = file.with_name("fresh")
        try:
            lifetime = _get(self._account, fresh)
        except AuthenticationFailed as refused:
            self._failure, self._pause = refused, float("inf")
        except NoTicket as none:
            self._failure, self._pause = none, time.monotonic() + _PAUSE
        else:
            # In one step: other threads may be reading the old one.
            fresh.replace(file)
            self._failure = None
            self._end = time.monotonic() + lifetime
            self._renewal = self._end - margin(lifetime)


class Tickets:
    """Those of one process, by account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets: dict[tuple[object, ...], Ticket] = {}

    def of(self, account: Account) -> Ticket:
        """The ticket of an account; nothing is asked yet."""
        key = (account.user, account.password.reveal(), account.kinit)
        with self._lock:
            return self._tickets.setdefault(key, Ticket(account))


class _Home:
    """A directory of which other users see nothing. What a killed process has left goes when another makes one."""

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_if_left(left)
        while True:
            directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
            lock = os.open(directory, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if directory.exists():
                break
            os.close(lock)  # Another process took it for one that was left.
        self.file = directory / "ticket"
        self.remove = weakref.finalize(self, _remove, directory, lock, os.getpid())


def _remove(directory: Path, lock: int, process: int) -> None:
    if os.getpid() == process:  # a copy made by fork has no say in it
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _remove_if_left(directory: Path) -> None:
    """Remove the tickets of a process that was killed: whoever lives holds a lock."""
    with contextlib.suppress(OSError):
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
        finally:
            os.close(lock)


def _get(account: Account, file: Path) -> float:
    """Get a ticket into a file; returns for how many seconds it is good."""
    import gssapi
    from gssapi.raw.misc import GSSError

    code, said = _kinit(account, file)
    if code != 0:
        raise _refusal(account, said)
    try:
        credentials = gssapi.Credentials(usage="initiate", store={"ccache": f"FILE:{file}"})
        return float(credentials.lifetime or 0)
    except GSSError as error:
        raise NoTicket(
            "kinit got no ticket",
            f"'{account.kinit.program}' succeeded for {account.user}, but left none where KRB5CCNAME says: {error}",
        ) from None


def _kinit(account: Account, file: Path) -> tuple[int, str]:
    """(exit status, what it said)."""
    kinit = account.kinit
    said = file.with_name("said")
    password = account.password.reveal().encode(errors="surrogateescape")
    with said.open("wb") as output:
        try:
            process = subprocess.Popen(
                [kinit.program, *kinit.arguments, account.user],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(_environment(kinit, file)),
                start_new_session=True,  # Without a terminal it reads the password from its standard input.
            )
        except OSError as error:
            raise NoTicket("kinit can't be started", f"'{kinit.program}': {error.strerror}.") from None
        try:
            process.communicate(password + b"\n", kinit.patience)
        except subprocess.TimeoutExpired:
            raise NoTicket(
                SILENT, f"'{kinit.program}' had no ticket for {account.user} within {kinit.patience:g} seconds. {REACH}"
            ) from None
        finally:
            _end(process)
    return process.returncode, _without(password, said)


def _without(password: bytes, said: Path) -> str:
    """The beginning of what it said, the password left out, be it in the middle of the last bytes that are read."""
    most = _MOST_SAID + len(password)
    with said.open("rb") as file:
        read = file.read(most)
    text = read.replace(password, b"***") if password else read
    if len(read) == most:
        text = text[: len(text) - len(password)]
    return text.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _environment(kinit: Kinit, file: Path) -> Iterator[tuple[str, str]]:
    """Little but where things are: whatever else it is to have must be named, as in Ansible."""
    for name in ("PATH", "KRB5_CONFIG", *kinit.variables):
        if name in os.environ:
            yield name, os.environ[name]
    yield "LC_ALL", "C"
    yield "KRB5CCNAME", f"FILE:{file}"


class _Meaning(Struct, frozen=True):
    """What it means when kinit says something. ``detail`` may name the user, the program and a hint about case."""

    pattern: str
    kind: type[AuthenticationFailed] | type[NoTicket]
    summary: str
    detail: str


#: By the words of MIT's and Heimdal's kinit. The first that fits counts.
_MEANINGS = (
    _Meaning(
        r"Password (has )?expired|Cannot read password|must change",
        AuthenticationFailed,
        "The password has expired",
        "The Kerberos domain wants a new password for {user} before it gives out tickets.",
    ),
    _Meaning(
        r"Password incorrect|Preauthentication failed",
        AuthenticationFailed,
        "Wrong password",
        "The Kerberos domain refuses the password of {user}. It was sent once, and this run does not send it again. "
        "Check ansible_password.",
    ),
    _Meaning(
        r"not found in Kerberos database|Client .*unknown",
        AuthenticationFailed,
        "Unknown user",
        "The Kerberos domain knows no {user}. Check ansible_user.",
    ),
    _Meaning(
        r"revoked|locked out|entry in database has expired",
        AuthenticationFailed,
        "Account disabled",
        "The Kerberos domain says that the account of {user} is disabled, locked or expired.",
    ),
    _Meaning(
        r"[Cc]lock skew",
        AuthenticationFailed,
        "Clocks differ",
        CLOCKS,
    ),
    _Meaning(
        r"Cannot find KDC|[Uu]nable to find realm",
        NoTicket,
        UNKNOWN_REALM,
        "Neither /etc/krb5.conf nor DNS names a server (KDC) for the realm of {user}.{case}",
    ),
    _Meaning(
        r"Cannot contact any KDC|unable to reach any KDC|Cannot resolve",
        NoTicket,
        SILENT,
        REACH,
    ),
    _Meaning(r"", AuthenticationFailed, "No Kerberos ticket", "'{program}' got none for {user}.{case}"),
)


def _refusal(account: Account, said: str) -> HostError:
    program, realm = account.kinit.program, account.user.rpartition("@")[2]
    case = "" if realm.isupper() else f" Realms are usually written in upper case: {realm.upper()}."
    meaning = next(meaning for meaning in _MEANINGS if re.search(meaning.pattern, said))
    detail = meaning.detail.format(user=account.user, program=program, case=case)
    words = " ".join(re.sub(r"Password for [^:]*:", "", said).split())
    outcome = "failed." if words else "says: nothing"
    return meaning.kind(meaning.summary, f"{detail} {Path(program).name} {outcome}", said=words)
