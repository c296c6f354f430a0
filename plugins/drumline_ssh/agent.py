"""The ssh-agent (draft-miller-ssh-agent): which keys it holds, and signatures by them.

Written here, since paramiko's client offers an agent's certificates as plain keys, which no host takes, and fails with
the whole agent for one comment that isn't UTF-8.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from drumline_ssh.publickeys import PublicKey, strings

_REQUEST_IDENTITIES, _IDENTITIES = 11, 12
_SIGN_REQUEST, _SIGNATURE = 13, 14
#: Flags for signatures with an RSA key.
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
#: Bytes of an answer: OpenSSH's agent sends no more.
_LONGEST = 256 * 1024
#: Seconds for the list of keys, and for a signature: that may need a finger on a security key, or its owner's leave.
_PATIENCE = 10.0
_PATIENCE_TO_SIGN = 60.0


class AgentRefuses(Exception):
    """The agent doesn't sign; why."""


class Agent:
    """An agent, asked only when its keys are needed. One that is gone holds none."""

    def __init__(self, path: str | None) -> None:
        """``path`` is its socket, or ``none``; None: that of the environment."""
        self._path = path or os.environ.get("SSH_AUTH_SOCK") or "none"
        self._socket: socket.socket | None = None
        self._keys: list[PublicKey] | None = None

    def list_keys(self) -> list[PublicKey]:
        """Its keys and certificates, in its order."""
        if self._keys is None:
            self._keys = []
            if self._path.lower() != "none":
                with contextlib.suppress(OSError, ValueError, AgentRefuses):
                    self._keys = self._list()
        return self._keys

    def _list(self) -> list[PublicKey]:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_PATIENCE)
        self._socket.connect(os.path.expanduser(self._path))
        answer = self._ask(_IDENTITIES, bytes([_REQUEST_IDENTITIES]))
        count, fields = int.from_bytes(answer[:4], "big"), strings(answer[4:])
        keys = []
        for _ in range(count):
            blob, _comment = next(fields), next(fields)
            with contextlib.suppress(ValueError):
                keys.append(PublicKey.of(blob))
        return keys

    def sign(self, key: PublicKey, data: bytes, algorithm: str) -> bytes:
        """A signature, as SSH has it on the wire. Raises ``AgentRefuses``."""
        assert self._socket is not None
        self._socket.settimeout(_PATIENCE_TO_SIGN)
        flags = _FLAGS.get(algorithm.removesuffix("-cert-v01@openssh.com"), 0)
        request = b"".join(
            (bytes([_SIGN_REQUEST]), *(struct.pack(">I", len(part)) + part for part in (key.blob, data)))
        )
        try:
            return next(strings(self._ask(_SIGNATURE, request + struct.pack(">I", flags))))
        except (OSError, ValueError) as error:
            raise AgentRefuses(f"the agent doesn't answer: {error}") from None

    def _ask(self, expected: int, request: bytes) -> bytes:
        assert self._socket is not None
        self._socket.sendall(struct.pack(">I", len(request)) + request)
        length = int.from_bytes(self._read(4), "big")
        if not 0 < length <= _LONGEST:
            raise AgentRefuses("what answers is no ssh-agent")
        answer = self._read(length)
        if answer[0] != expected:
            raise AgentRefuses("the agent refuses to sign")
        return answer[1:]

    def _read(self, size: int) -> bytes:
        assert self._socket is not None
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise AgentRefuses("the agent closed the connection")
            data += part
        return data

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
