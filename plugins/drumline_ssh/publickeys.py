"""Public keys and certificates as SSH has them on the wire (RFC 4253 section 6.6, OpenSSH's PROTOCOL.certkeys)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from drumline_ssh.cache import content_of

_CERTIFICATE = "-cert-v01@openssh.com"
#: Fields of a plain key of each kind behind its name; a certificate has them behind its nonce.
_FIELDS = {
    "ssh-rsa": 2,
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519": 2,
    "sk-ecdsa-sha2-nistp256": 3,
}
_MAGIC = b"openssh-key-v1\0"


class PublicKey(NamedTuple):
    """A key or a certificate for one."""

    kind: str  #: Its type, such as ``ssh-ed25519``.
    blob: bytes

    @classmethod
    def of(cls, blob: bytes) -> PublicKey:
        """From its bytes. Raises ``ValueError``."""
        return cls(next(strings(blob)).decode("ascii"), blob)

    @property
    def is_certificate(self) -> bool:
        return self.kind.endswith(_CERTIFICATE)

    @property
    def is_hardware(self) -> bool:
        """It is in a security key, which may have to be touched."""
        return self.kind.startswith("sk-")

    @property
    def plain(self) -> PublicKey:
        """The key that a certificate is for, else itself. Raises ``ValueError``."""
        if not self.is_certificate:
            return self
        base = self.kind.removesuffix(_CERTIFICATE)
        if base not in _FIELDS:
            raise ValueError(f"{self.kind} is unknown")
        fields = strings(self.blob)
        next(fields), next(fields)  # its name, its nonce
        kind = f"{base}@openssh.com" if base.startswith("sk-") else base
        return PublicKey(kind, b"".join(map(_packed, (kind.encode(), *(next(fields) for _ in range(_FIELDS[base]))))))

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it: of the key, also for a certificate."""
        digest = hashlib.sha256(self.plain.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"


def _packed(field: bytes) -> bytes:
    return struct.pack(">I", len(field)) + field


def strings(data: bytes) -> Iterator[bytes]:
    """The fields of a message. Ends with a ``ValueError``."""
    position = 0
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        field = data[position + 4 : position + 4 + length]
        if len(data) < position + 4 or len(field) < length:
            raise ValueError("it ends too early")
        yield field
        position += 4 + length


def read_public(path: Path) -> PublicKey | None:
    """The public key or certificate in a file, or the public half of a private key; None if it doesn't exist.

    A private key need not be decrypted for it, if OpenSSH has written it.
    """
    try:
        text = content_of(path)
        return _of_private(text) if b"-----BEGIN" in text else _of_line(text)
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _of_line(text: bytes) -> PublicKey:
    kind, blob = text.split(None, 2)[:2]
    key = PublicKey.of(base64.b64decode(blob, validate=True))
    if key.kind != kind.decode("ascii"):
        raise ValueError("its name and its key differ")
    return key


def _of_private(text: bytes) -> PublicKey:
    lines = text.strip().splitlines()
    if b"OPENSSH PRIVATE KEY" not in lines[0]:
        raise ValueError("a file of this kind holds no public key in clear")
    try:
        data = base64.b64decode(b"".join(lines[1:-1]))
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if not data.startswith(_MAGIC):
        raise ValueError("it is damaged")
    # Behind the magic: the cipher, how its key is made and with what; how many keys; the keys.
    rest = data[len(_MAGIC) :]
    fields = strings(rest)
    before = sum(4 + len(next(fields)) for _ in range(3))
    return PublicKey.of(next(strings(rest[before + 4 :])))
