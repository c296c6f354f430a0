"""Who may log in, in the form that pyspnego's NTLM acceptor reads: a file named by ``NTLM_USER_FILE``."""

from __future__ import annotations

import contextlib
import hmac
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

_VARIABLE = "NTLM_USER_FILE"
#: The variable belongs to the whole process while several servers have users of their own.
_lock = threading.Lock()


class Credentials:
    """Users and passwords of one server, and the file that holds them for NTLM."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = {name.lower(): password for name, password in users.items()}
        handle, name = tempfile.mkstemp(prefix="drumline-users-")
        self._file = Path(name)
        with open(handle, "w", encoding="utf-8") as file:
            # The other form, DOMAIN:USER:PASSWORD, breaks on a colon in the password.
            file.writelines(
                f"{user}:1000:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-00000000\n"
                for user, password in users.items()
            )

    def check(self, user: str, password: str) -> bool:
        """Whether this is a user's password."""
        known = self._users.get(user.lower())
        return known is not None and hmac.compare_digest(known.encode(), password.encode())

    @contextlib.contextmanager
    def for_ntlm(self) -> Iterator[None]:
        """While inside, acceptors in this thread look users up here; others wait."""
        with _lock:
            before = os.environ.get(_VARIABLE)
            os.environ[_VARIABLE] = str(self._file)
            try:
                yield
            finally:
                if before is None:
                    del os.environ[_VARIABLE]
                else:
                    os.environ[_VARIABLE] = before

    def close(self) -> None:
        """Remove the file."""
        self._file.unlink(missing_ok=True)
