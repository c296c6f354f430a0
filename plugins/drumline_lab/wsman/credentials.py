"""Who may log in, in the form that pyspnego's NTLM acceptor reads: a file named by ``NTLM_USER_FILE``."""

from __future__ import annotations

import contextlib
import hmac
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping

from spnego._ntlm_raw.crypto import ntowfv1

_VARIABLE = "NTLM_USER_FILE"
#: The variable belongs to the whole process while several servers have users of their own.
_lock = threading.Lock()


class Credentials:
    """Users and passwords of one server."""

    def __init__(self, users: Mapping[str, str]) -> None:
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
    def for_ntlm(self) -> Iterator[None]:
        """While inside, acceptors in this thread look users up here; others wait."""
        with _lock, tempfile.NamedTemporaryFile("w", prefix="drumline-users-", encoding="utf-8") as file:
            file.write(self._lines)
            file.flush()
            before = os.environ.get(_VARIABLE)
            os.environ[_VARIABLE] = file.name
            try:
                yield
            finally:
                if before is None:
                    del os.environ[_VARIABLE]
                else:
                    os.environ[_VARIABLE] = before
