"""Output is kept up to a limit; what is beyond it goes to the journal, and no secret is cut in two on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.execution.output import Keep, Output
from drumline.masking import Secrets
from drumline.secret import MASK

WORD = "Tr0ub4dor-and-more"


def keeping(kept: list[bytes]) -> Keep:
    """Keeps what follows the beginning."""

    def keep(_stream: str, data: bytes, beginning: bool) -> bool:
        if not beginning:
            kept.append(data)
        return True

    return keep


def taken(data: bytes, *, room: int, size: int = 7, keep: bool = True) -> tuple[str, bytes, int]:
    """What is held (as it is shown), what is kept, and how much was cut, of data that comes in pieces."""
    secrets = Secrets()
    secrets.add(WORD)
    kept: list[bytes] = []
    output = Output(secrets, keeping(kept) if keep else None, room=room)
    for start in range(0, len(data), size):
        output.emit("stdout", data[start : start + size])
    output.finish()
    assert len(output.stdout) <= room
    return secrets.mask(output.stdout.decode()), b"".join(kept), output.cut


@pytest.mark.parametrize("place", range(len(WORD) + 2))
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_secret_across_the_limit_is_masked_wherever_the_limit_is(place: int, size: int) -> None:
    data = b"a" * 50 + WORD.encode() + b"z" * 50
    held, kept, cut = taken(data, room=50 + place, size=size)
    assert held + kept.decode() == "a" * 50 + MASK + "z" * 50
    assert cut == len(data) - 50 - (len(WORD) if place >= len(WORD) else 0) - max(0, place - len(WORD))


@given(before=st.integers(0, 600_000), size=st.sampled_from([4096, 65_536, 600_000]))
def test_what_goes_to_the_journal_is_masked_across_its_pieces(before: int, size: int) -> None:
    data = b"x" * before + WORD.encode() + b"y" * 300_000 + WORD.encode()
    held, kept, _ = taken(data, room=10, size=size)
    assert WORD[:5].encode() not in held.encode() + kept
    assert (held.encode() + kept).count(MASK.encode()) == 2


def test_without_secrets_nothing_is_changed() -> None:
    output = Output(Secrets(), None, room=5)
    output.emit("stdout", b"1234")
    output.emit("stderr", b"5678")
    output.emit("stdout", b"9")
    output.finish()
    assert (bytes(output.stdout), bytes(output.stderr), output.cut) == (b"1234", b"5", 4)
