r"""Message encryption: SOAP sealed by the security context of the connection that carries it ([MS-WSMV] 2.2.9.1).

A body is one part, or for CredSSP one part for each 16 KiB, then the closing marker::

    --Encrypted Boundary\r\n
    \tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n
    \tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=1234\r\n
    --Encrypted Boundary\r\n
    \tContent-Type: application/octet-stream\r\n
    <uint32, little endian: length of the signature><signature><sealed data>--Encrypted Boundary--\r\n
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

_BOUNDARY = b"--Encrypted Boundary"
_BINARY = b"\tContent-Type: application/octet-stream\r\n"
_LENGTH = re.compile(rb";Length=(\d+)")
_PROTOCOL = re.compile(r'protocol="([^"]+)"')
#: CredSSP seals records of TLS, which hold no more than this.
_PIECE = 16384
_CREDSSP = "application/HTTP-CredSSP-session-encrypted"


class Context(Protocol):
    """A complete security context of pyspnego."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]: ...

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes: ...


class Unsealable(Exception):
    """A body that was sealed by another context, out of sequence, or badly framed."""


def protocol_of(content_type: str) -> str:
    """The protocol of a sealed body by its Content-Type, or ``""`` for a plain one."""
    match = _PROTOCOL.search(content_type) if content_type.startswith("multipart/") else None
    return match[1] if match else ""


def unseal(context: Context, body: bytes) -> bytes:
    """The plain body."""
    end = _BOUNDARY + b"--\r\n"
    if not body.startswith(_BOUNDARY + b"\r\n") or not body.endswith(end):
        raise Unsealable("the frame is broken")
    # Sealed data is binary: only at the very end is the closing marker one.
    parts = body[: -len(end)].split(_BOUNDARY + b"\r\n")[1:]
    return b"".join(_unseal_part(context, head, sealed) for head, sealed in zip(parts[::2], parts[1::2], strict=True))


def _unseal_part(context: Context, head: bytes, sealed: bytes) -> bytes:
    length = _LENGTH.search(head)
    if length is None or not sealed.startswith(_BINARY) or len(sealed) < len(_BINARY) + 4:
        raise Unsealable("the frame is broken")
    data = sealed[len(_BINARY) :]
    (size,) = struct.unpack("<I", data[:4])
    try:
        plain = context.unwrap_winrm(data[4 : 4 + size], data[4 + size :])
    except Exception as error:  # each mechanism has errors of its own, and all mean the same
        raise Unsealable(str(error)) from error
    if len(plain) != int(length[1]):
        raise Unsealable("the length differs")
    return plain


def seal(context: Context, protocol: str, plain: bytes) -> tuple[str, bytes]:
    """(Content-Type, body) of a sealed message."""
    pieces = [plain]
    if protocol == _CREDSSP and len(plain) > _PIECE:
        pieces = [plain[start : start + _PIECE] for start in range(0, len(plain), _PIECE)]
    kind = "multipart/x-multi-encrypted" if len(pieces) > 1 else "multipart/encrypted"
    body = b"".join(_seal_part(context, protocol, piece) for piece in pieces) + _BOUNDARY + b"--\r\n"
    return f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"', body


def _seal_part(context: Context, protocol: str, piece: bytes) -> bytes:
    header, data, padding = context.wrap_winrm(piece)
    head = (
        f"\tContent-Type: {protocol}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(piece) + padding}\r\n"
    )
    return b"".join(
        (_BOUNDARY, b"\r\n", head.encode(), _BOUNDARY, b"\r\n", _BINARY, struct.pack("<I", len(header)), header, data)
    )
