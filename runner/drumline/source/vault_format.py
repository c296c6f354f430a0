"""The format of ansible-vault, 1.1 and 1.2: text that holds data encrypted with a password.

::

    $ANSIBLE_VAULT;1.2;AES256;prod      the last field, a label that says which password, is in 1.2 only
    6261…                               80 digits a line: the hexadecimal of three lines, each hexadecimal again:
                                        salt, HMAC-SHA256 of the encrypted data, encrypted data

PBKDF2 (SHA-256, 10,000 rounds) makes 80 bytes of password and salt: the key of AES-256-CTR, the key of the HMAC, and
the first counter. The data is padded to whole blocks (PKCS #7).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from binascii import unhexlify
from functools import lru_cache

from msgspec import Struct

_HEADER = rb"\$ANSIBLE_VAULT;([^;\r\n]*);([^;\r\n]*)(?:;([^\r\n]*))?\Z"
_HEX = rb"[0-9a-fA-F]*\Z"
_VERSIONS = (b"1.1", b"1.2")
_ROUNDS = 10_000
_KEY, _BLOCK = 32, 16
_SALT = 32
_WIDTH = 80


class VaultDamaged(Exception):
    """The text isn't what ansible-vault writes. ``line`` counts from 1."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


class WrongPassword(Exception):
    """The password doesn't fit the data."""


class Sealed(Struct, frozen=True):
    """Encrypted data, taken apart."""

    label: str  #: Empty in format 1.1.
    salt: bytes
    digest: bytes
    data: bytes

    def open(self, password: bytes) -> bytes:
        """The data in clear. Raises ``WrongPassword``, also for data that was changed."""
        key, signing, counter = _keys(password, self.salt)
        if not hmac.compare_digest(hmac.digest(signing, self.data, "sha256"), self.digest):
            raise WrongPassword
        padded = _cipher(key, counter, self.data)
        size = padded[-1] if padded else 0
        if not 1 <= size <= _BLOCK:
            raise WrongPassword
        return padded[:-size]


def parse(text: bytes) -> Sealed:
    """Take encrypted data apart. Raises ``VaultDamaged``."""
    lines = [line.strip() for line in text.strip().splitlines()]
    header = re.match(_HEADER, lines[0] if lines else b"")
    if header is None:
        raise VaultDamaged("the first line has to be $ANSIBLE_VAULT;1.1;AES256, or 1.2 and a label", 1)
    version, cipher, label = header.groups()
    if version not in _VERSIONS:
        raise VaultDamaged(f"its format is {_shown(version)}; 1.1 and 1.2 can be read", 1)
    if cipher != b"AES256":
        raise VaultDamaged(f"its cipher is {_shown(cipher)}; AES256 can be read", 1)
    for number, line in enumerate(lines[1:], 2):
        if not re.match(_HEX, line):
            raise VaultDamaged("after the first line there are only the digits 0 to 9 and a to f", number)
    inner = _unhex(b"".join(lines[1:]), len(lines))
    parts = inner.split(b"\n", 2)
    if len(parts) != 3 or not all(re.match(_HEX, part) for part in parts):
        raise VaultDamaged("a part of it is missing", len(lines))
    salt, digest, data = (_unhex(part, len(lines)) for part in parts)
    if len(digest) != _KEY or not data or len(data) % _BLOCK:
        raise VaultDamaged("its end is missing", len(lines))
    return Sealed((label or b"").decode("utf-8", "replace"), salt, digest, data)


def seal(data: bytes, password: bytes, label: str = "", salt: bytes | None = None) -> bytes:
    """Encrypt data: text that ends with a line end. A label makes it format 1.2. Without a salt it has a new one."""
    salt = salt or os.urandom(_SALT)
    key, signing, counter = _keys(password, salt)
    size = _BLOCK - len(data) % _BLOCK
    encrypted = _cipher(key, counter, data + bytes([size]) * size)
    digest = hmac.digest(signing, encrypted, "sha256")
    body = b"\n".join(part.hex().encode() for part in (salt, digest, encrypted)).hex()
    lines = [body[start : start + _WIDTH] for start in range(0, len(body), _WIDTH)]
    header = f"$ANSIBLE_VAULT;1.2;AES256;{label}" if label else "$ANSIBLE_VAULT;1.1;AES256"
    return "\n".join([header, *lines, ""]).encode()


@lru_cache(maxsize=256)  # it takes 10 ms, and many hosts may be given the same file
def _keys(password: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    made = hashlib.pbkdf2_hmac("sha256", password, salt, _ROUNDS, 2 * _KEY + _BLOCK)
    return made[:_KEY], made[_KEY : 2 * _KEY], made[2 * _KEY :]


def _cipher(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Encrypt, or decrypt, which is the same in this mode."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    work = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return work.update(data) + work.finalize()


def _unhex(digits: bytes, line: int) -> bytes:
    if len(digits) % 2:
        raise VaultDamaged("a digit is missing", line)
    return unhexlify(digits)


def _shown(field: bytes) -> str:
    return repr(field[:20].decode("ascii", "replace"))
