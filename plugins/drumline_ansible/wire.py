"""Messages between drumline and the process that has Ansible: JSON, with byte strings after it.

Both sides import this module, so it needs nothing but Python's own library.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any, TypeAlias

#: What is said, and the byte strings that belong to it.
Message: TypeAlias = tuple[dict[str, Any], list[bytes]]
_LENGTH = struct.Struct("!I")


def send(channel: socket.socket, said: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Write a message; raises ``OSError`` where no one reads it any more."""
    text = json.dumps([said, [len(blob) for blob in blobs]]).encode()
    channel.sendall(b"".join((_LENGTH.pack(len(text)), text, *blobs)))


def receive(channel: socket.socket) -> Message:
    """Wait for a message; raises ``EOFError`` where none comes any more, and ``OSError``."""
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size))
    said, sizes = json.loads(_exactly(channel, length))
    return said, [_exactly(channel, size) for size in sizes]


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, got = memoryview(data), 0
    while got < size:
        count = channel.recv_into(view[got:])
        if not count:
            raise EOFError
        got += count
    return bytes(data)
