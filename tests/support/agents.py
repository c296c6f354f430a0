"""An ssh-agent of the tests' own: it holds what a real one can't be given here, and refuses when told to."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Signer = Callable[[bytes], bytes]


def packed(*fields: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


class SecurityKey:
    """A key as a security key has it (OpenSSH's PROTOCOL.u2f), that is always touched."""

    kind = "sk-ssh-ed25519@openssh.com"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.blob = packed(self.kind.encode(), public, b"ssh:")
        self.line = f"{self.kind} {base64.b64encode(self.blob).decode()} security key"

    def sign(self, data: bytes) -> bytes:
        tail = b"\x01" + struct.pack(">I", 7)  # someone was there; how often it has signed
        signed = hashlib.sha256(b"ssh:").digest() + tail + hashlib.sha256(data).digest()
        return packed(self.kind.encode(), self._key.sign(signed)) + tail


class PlainKey:
    """An ordinary key."""

    kind = "ssh-ed25519"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.blob = packed(self.kind.encode(), public)
        self.line = f"{self.kind} {base64.b64encode(self.blob).decode()} plain key"

    def sign(self, data: bytes) -> bytes:
        return packed(self.kind.encode(), self._key.sign(data))


class TestAgent:
    """Serves keys at a socket; a context manager. ``asked`` are the blobs that it was to sign with."""

    __test__ = False

    def __init__(self, path: Path, keys: dict[bytes, Signer], *, comment: bytes = b"", refuses: bool = False) -> None:
        self._keys = keys
        self._comment = comment
        self._refuses = refuses
        self.asked: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(os.fspath(path))
        self._listener.listen(10)
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> TestAgent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                while header := stream.read(4):
                    answer = self._answer(stream.read(int.from_bytes(header, "big")))
                    stream.write(packed(answer))
                    stream.flush()

    def _answer(self, request: bytes) -> bytes:
        if request[0] == 11:
            keys = b"".join(packed(blob, self._comment) for blob in self._keys)
            return b"\x0c" + struct.pack(">I", len(self._keys)) + keys
        length = int.from_bytes(request[1:5], "big")
        blob, rest = request[5 : 5 + length], request[5 + length :]
        data = rest[4 : 4 + int.from_bytes(rest[:4], "big")]
        self.asked.append(blob)
        return b"\x05" if self._refuses else b"\x0e" + packed(self._keys[blob](data))
