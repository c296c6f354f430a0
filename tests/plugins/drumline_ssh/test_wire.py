"""Finding the end of a command's output, however it is cut; and the texts, as every sh here reads them."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline_ssh import wire

WORD = "0123456789abcdef"
MARK = wire.mark(WORD)
SHELLS = [path for path in map(shutil.which, ("sh", "dash", "bash", "ksh", "mksh", "yash", "busybox")) if path]


def command_of(shell: str) -> list[str]:
    return [shell, "sh"] if shell.endswith("busybox") else [shell]


@given(
    output=st.lists(st.sampled_from([b"", b"\x1e", b"text", MARK[:5], MARK[:-1], b"\x1e\x1e0", b"\n", b"\xff\x00"])),
    cuts=st.lists(st.integers(0, 200)),
)
def test_output_is_the_same_however_it_is_cut(output: list[bytes], cuts: list[int]) -> None:
    said = b"".join(output)
    stream = said + MARK + b" 7\nlate"
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    tail = wire.Tail(WORD)
    found = b"".join(tail.feed(stream[start:end]) for start, end in itertools.pairwise(edges))
    assert (found, tail.answer, tail.rest) == (said, b"7", b"late")


def test_what_may_be_a_mark_is_held_back_until_it_is_known() -> None:
    tail = wire.Tail(WORD)
    assert tail.feed(b"out" + MARK[:4]) == b"out"
    assert tail.feed(b"!") == MARK[:4] + b"!"
    assert tail.feed(MARK) == b""
    assert tail.flush() == MARK


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "script", ["printf 'a b'; echo é >&2; exit 3", "echo $$ | grep -q .; printf 'a b'; echo é >&2; exit 3"]
)
def test_a_command_in_the_warm_shell(shell: str, script: str) -> None:
    sent = wire.command(script, WORD, started="begin") + wire.command("cat", "second", bytes(range(256)))
    done = subprocess.run(command_of(shell), input=sent, capture_output=True, check=False, timeout=20)
    begin, rest = done.stdout.split(b"\n", 1)
    assert begin.startswith(b"\x1ebegin ")
    assert rest == b"a b" + MARK + b" 3\n" + bytes(range(256)) + wire.mark("second") + b" 0\n"
    assert done.stderr == b"\x1ebegin\n\xc3\xa9\n" + MARK + b"\n" + wire.mark("second") + b"\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_with_the_rest_of_the_channel_for_its_input(shell: str) -> None:
    script = "printf '%s|' 'é \\ \\n ' \"it's\"; cat; exit 3"
    data = bytes(range(256)) * 500
    start = wire.START_ONCE.replace("exec /bin/sh", f"exec {' '.join(command_of(shell))}")
    sent = wire.command_once(script, "begin", WORD) + data
    done = subprocess.run(["sh", "-c", start], input=sent, capture_output=True, check=False, timeout=20)
    assert done.stdout.split(b"\n", 1)[1] == "é \\ \\n |it's|".encode() + data + MARK + b" 3\n"


def test_words_are_never_the_same() -> None:
    assert len({wire.nonce() for _ in range(1000)}) == 1000
