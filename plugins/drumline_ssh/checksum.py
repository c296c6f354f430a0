"""POSIX ``cksum``, the one checksum that every host can compute."""

from __future__ import annotations

import zlib

#: Each byte with its bits in reverse: ``cksum`` goes through them from the other end than zlib's CRC-32.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ALL = 0xFFFFFFFF


class Cksum:
    """Fed piece by piece. The polynomial is zlib's; order of bits, start value and the length at the end differ."""

    def __init__(self) -> None:
        self._register = _ALL  # zlib inverts it before and after: this is a register of zero
        self._length = 0

    def update(self, data: bytes) -> None:
        """The next piece."""
        self._register = zlib.crc32(data.translate(_REVERSED), self._register)
        self._length += len(data)

    def text(self) -> str:
        """What ``cksum <file`` prints: checksum and length."""
        length = self._length.to_bytes((self._length.bit_length() + 7) // 8, "little")
        register = zlib.crc32(length.translate(_REVERSED), self._register) ^ _ALL
        reflected = int(f"{register:032b}"[::-1], 2)
        return f"{reflected ^ _ALL} {self._length}"
