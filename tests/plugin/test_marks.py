"""Finding a mark in a stream, however it is cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from drumline.plugin.marks import Tail, mark, nonce

WORD = "0123456789abcdef"
MARK = mark(WORD)


@given(
    output=st.lists(st.sampled_from([b"", b"\x1e", b"text", MARK[:5], MARK[:-1], b"\x1e\x1e0", b"\n", b"\xff\x00"])),
    cuts=st.lists(st.integers(0, 200)),
)
def test_output_is_the_same_however_it_is_cut(output: list[bytes], cuts: list[int]) -> None:
    said = b"".join(output)
    stream = said + MARK + b" 7\nlate"
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    tail = Tail(WORD)
    found = b"".join(tail.feed(stream[start:end]) for start, end in itertools.pairwise(edges))
    assert (found, tail.answer, tail.rest) == (said, b"7", b"late")


def test_what_may_be_a_mark_is_held_back_until_it_is_known() -> None:
    tail = Tail(WORD)
    assert tail.feed(b"out" + MARK[:4]) == b"out"
    assert tail.feed(b"!") == MARK[:4] + b"!"
    assert tail.feed(MARK) == b""
    assert tail.flush() == MARK


def test_words_are_never_the_same() -> None:
    assert len({nonce() for _ in range(1000)}) == 1000


def test_a_mark_whose_line_never_ends_is_output() -> None:
    tail = Tail("word")
    given = b"".join(tail.feed(piece) for piece in [b"\x1eword", *[b"x" * 100] * 20])
    assert tail.answer is None
    assert given.startswith(b"\x1ewordxxx")
    assert len(given) > 1000
