"""Who may log in, in the forms that acceptors read: files named by ``NTLM_USER_FILE`` and ``KRB5_KTNAME``."""

from __future__ import annotations

import contextlib
import hmac
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

#: Where Kerberos finds no keys, also on a machine that has some of its own.
_NO_KEYS = "/dev/null"
#: The variables belong to the whole process while several servers have users of their own.
_lock = threading.Lock()


class Credentials:
    """Users and passwords of one server, and the file with its own keys in Kerberos, if it has any."""

    def __init__(self, users: Mapping[str, str], keytab: Path | None = None) -> None:
        self._keytab = keytab
        self._users = {name.lower(): password for name, password in users.items()}
        # The other form, DOMAIN:USER:PASSWORD, breaks on a colon in the password.
        self._lines = "".join(
            f"{user}:1000:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-00000000\n"
            for user, password in users.items()
        )

    def check(self, user: str, password: str) -> bool:
        """Whether this is a user's password."""
        known = self._users.get(user.lower())
        return known is not None and hmac.compare_digest(known.encode(), password.encode())

    @contextlib.contextmanager
    def for_acceptors(self) -> Iterator[None]:
        """While inside, acceptors in this thread look users and keys up here; others wait."""
        with _lock, tempfile.NamedTemporaryFile("w", prefix="drumline-users-", encoding="utf-8") as file:
            file.write(self._lines)
            file.flush()
            with _variables({"NTLM_USER_FILE": file.name, "KRB5_KTNAME": str(self._keytab or _NO_KEYS)}):
                yield


@contextlib.contextmanager
def _variables(wanted: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
