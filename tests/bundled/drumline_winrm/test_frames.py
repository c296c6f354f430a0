"""The end of a command is found wherever the host cuts its output."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.plugin import OptionInvalid
from drumline_winrm.frames import (
    EndMarks,
    Garbled,
    Note,
    go_line,
    loader,
    request_line,
    runner,
    script_line,
    start_line,
    worker,
)

NAME = "0123456789abcdef01234567"
MARK = b"\0" + NAME.encode()


@given(
    out=st.lists(st.sampled_from([b"\0", b"\0" + NAME[:5].encode(), b"x", b"\n", NAME[1:].encode()])).map(b"".join),
    err=st.binary(max_size=40),
    size=st.integers(1, 30),
)
def test_output_passes_untouched_however_it_is_cut(out: bytes, err: bytes, size: int) -> None:
    said = {"stdout": b"", "stderr": b""}
    marks = EndMarks(NAME)

    def emit(stream: str, data: bytes) -> None:
        said[stream] += data

    whole = {"stdout": out + MARK + b" -2 abc\nlate", "stderr": err + MARK + b"\n"}
    for stream, data in whole.items():
        assert not marks.complete
        for start in range(0, len(data), size):
            marks.feed(stream, data[start : start + size], emit)  # type: ignore[arg-type]  # a name of a stream from a list
    assert marks.complete
    assert said == {"stdout": out, "stderr": err}
    assert (marks.code, marks.detail) == (2**32 - 2, "abc")


def test_what_was_held_back_is_told_when_the_mark_never_comes() -> None:
    marks = EndMarks(NAME)
    said: list[bytes] = []
    marks.feed("stdout", b"a" + MARK[:9], lambda _stream, data: said.append(data))
    assert said == [b"a"]
    assert list(marks.rest()) == [("stdout", MARK[:9])]


@given(
    before=st.lists(st.sampled_from([b"\0+", b"\0" + NAME.encode(), b"x" * 30, b"\n"])).map(b"".join),
    behind=st.binary(max_size=60),
    size=st.integers(1, 30),
)
def test_a_note_is_found_however_it_is_cut(before: bytes, behind: bytes, size: int) -> None:
    note = Note(NAME)
    whole = before + b"\0+" + NAME.encode() + b" started 639309718273451877\n" + behind
    assert b"".join(note.pass_on(whole[start : start + size]) for start in range(0, len(whole), size)) == behind
    assert note.time == pytest.approx(1795375027.3451877, abs=1e-6)


def test_an_instant_is_told_in_the_hosts_ticks() -> None:
    assert go_line(NAME, 1795375027.25) == f"= {NAME} go 639309718272500000\n".encode()
    assert go_line(NAME) == f"= {NAME} go\n".encode()


def test_nul_is_refused() -> None:
    with pytest.raises(OptionInvalid, match="NUL"):
        request_line(NAME, "exec", "a\0b")


def test_the_start_fits_into_a_line_of_cmd() -> None:
    program = "C:\\Program Files\\PowerShell\\7\\pwsh.exe"
    assert len(start_line(program)) < 8191
    assert len(script_line(program)) < 8191


@pytest.mark.windows
def test_5_1_would_run_what_is_sent(powershell_parser: Any) -> None:
    assert powershell_parser({"loader": loader(), "worker": worker(), "runner": runner()}) == {}


@pytest.mark.parametrize(
    "line", [b" x abc\n", b"\n", b" 99999999999999 \n", b" 0 ../x\n", b" 0 \xff\n", b" 0" + b"1" * 5000, b"x" * 5000]
)
def test_an_end_that_the_worker_would_not_write_is_refused(line: bytes) -> None:
    marks = EndMarks(NAME)
    with pytest.raises(Garbled):
        marks.feed("stdout", MARK + line, lambda _stream, _data: None)


@pytest.mark.parametrize("line", [b"staged\n", b"staged soon\n", b"staged " + b"9" * 30 + b"\n", b"x" * 5000])
def test_a_note_that_the_worker_would_not_write_is_refused(line: bytes) -> None:
    with pytest.raises(Garbled):
        Note(NAME).pass_on(b"\0+" + NAME.encode() + b" " + line)
