"""The checksum is that of the program ``cksum``."""

from __future__ import annotations

import subprocess

import pytest

from drumline_ssh.checksum import Cksum


@pytest.mark.parametrize("content", [b"", b"\0", b"123456789", bytes(range(256)), b"x" * 70_000])
def test_as_the_program_has_it(content: bytes) -> None:
    checksum = Cksum()
    for start in range(0, len(content), 1000):
        checksum.update(content[start : start + 1000])
    said = subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout.decode()
    assert checksum.text() == said.strip()
