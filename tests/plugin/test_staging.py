"""Scripts that wait for a word, as every sh here runs them; and what they remark, however it is cut."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.narrowing import expect
from support.needs import need

from drumline.model.request import Become, Language, Run
from drumline.plugin.marks import mark
from drumline.plugin.staging import NEVER, NOT_STARTED, Remarks, release_word, staged_script

WORD = "0123456789abcdef"
SHELLS = [path for path in map(shutil.which, ("dash", "bash", "ksh", "mksh", "yash", "busybox")) if path]
#: Names by which programs are started that are to read a text; a bash that is called sh keeps to POSIX.
PROGRAMS = {
    "sh": shutil.which("bash") or "/bin/sh",
    "bash": shutil.which("bash") or "/bin/sh",
    "python3": sys.executable,
}
SUDO = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
on_every_shell = pytest.mark.parametrize("shell", SHELLS)


def sh(text: str, **fields: Any) -> Run:
    return Run(language=Language.SH, text=text, **fields)


@pytest.fixture(params=["with bash", "without bash"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH with and without bash, and a sudo that needs no second user."""
    if request.param == "with bash":
        need("bash")
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "sudo").write_text(SUDO)
    (directory / "sudo").chmod(0o755)
    wanted = ["cat", "date", "sleep", "dd", "printf", "sh", *(["bash"] if request.param == "with bash" else [])]
    for name in wanted:
        (directory / name).symlink_to(expect(str, shutil.which(name)))
    return str(directory)


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


class Staged:
    """A staged script under way, and what it says."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.stdin, self.stdout = pipe(process.stdin), pipe(process.stdout)
        self.remarks = Remarks(WORD)
        self.said = b""
        self.remarks.pass_on(self._note)

    def _note(self, _stream: str, data: bytes) -> None:
        self.said += data

    def read_until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            data = os.read(self.stdout.fileno(), 4096)
            assert data, f"it ended and said only {self.said!r}"
            self.remarks.take("stdout", data)

    def send(self, data: bytes) -> int:
        with suppress(BrokenPipeError):  # it has ended, and hears nothing more
            self.stdin.write(data)
        self.stdin.close()
        while data := os.read(self.stdout.fileno(), 4096):
            self.remarks.take("stdout", data)
        self.remarks.flush()
        return self.process.wait(20)


@contextmanager
def staged(shell: str, path: str, request: Run) -> Iterator[Staged]:
    command = [shell, "sh"] if shell.endswith("busybox") else [shell]
    with subprocess.Popen(
        [*command, "-c", staged_script(request, WORD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": path, "LC_ALL": "C"},
        bufsize=0,
    ) as process:
        try:
            yield Staged(process)
        finally:
            process.kill()


@on_every_shell
@pytest.mark.parametrize("become", [None, Become(user="joe")], ids=["", "become"])
def test_a_staged_script(shell: str, path: str, become: Become | None) -> None:
    request = sh("printf 'a b'; cat; exit 3", stdin=b"\0in\xffput", become=become)
    before = time.time()
    with staged(shell, path, request) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        assert waiting.said == b""
        released = time.time()
        assert waiting.send(release_word() + request.stdin) == 3
        assert waiting.said == b"a b\0in\xffput"
        assert before - 1 < expect(float, waiting.remarks.ready)
        assert released - 1 < expect(float, waiting.remarks.began) < time.time() + 0.001
        assert waiting.remarks.over


@on_every_shell
def test_an_instant(shell: str, path: str) -> None:
    with staged(shell, path, sh("date +%s.%N")) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        at = time.time() + 0.3
        code = waiting.send(release_word(at))
        if shell.endswith("mksh") and not os.path.exists(f"{path}/bash"):  # it counts with 32 bits
            assert code == NOT_STARTED
            return
        assert code == 0
        assert at <= float(waiting.said) < at + 1
        assert at - 0.000001 <= expect(float, waiting.remarks.began) < at + 1


@on_every_shell
@pytest.mark.parametrize("word", [NEVER, b""], ids=["given up", "left alone"])
def test_it_does_not_start(shell: str, path: str, word: bytes) -> None:
    with staged(shell, path, sh("echo started")) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        assert waiting.send(word) == NOT_STARTED
        assert (waiting.said, waiting.remarks.began, waiting.remarks.over) == (b"", None, True)


@on_every_shell
def test_the_process_is_the_texts_own(shell: str, path: str) -> None:
    with staged(shell, path, sh("echo $$ >&2; kill -TERM $$; echo lives on")) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        assert waiting.send(release_word()) == 128 + 15
        assert waiting.said == b""
        assert waiting.remarks.began is not None


@on_every_shell
@pytest.mark.parametrize("program", PROGRAMS)
def test_another_program_reads_the_text(shell: str, path: str, program: str, tmp_path: Path) -> None:
    """Shells wait by themselves; other programs are started by the shell that waits."""
    link = tmp_path / program
    link.symlink_to(PROGRAMS[program])
    text = "print(input())" if program == "python3" else 'read -r line; echo "$line"'
    with staged(shell, path, sh(text, executable=str(link), stdin=b"read\n")) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        assert waiting.send(release_word() + b"read\n") == 0
        assert waiting.said == b"read\n"


@on_every_shell
@pytest.mark.parametrize(
    "request_", [sh("x", directory="/nowhere"), sh("x", executable="/no/shell/sh"), sh("x", become=Become(user="joe"))]
)
def test_what_can_not_be_staged_is_over(shell: str, tmp_path: Path, request_: Run) -> None:
    for name in ("cat", "printf"):  # and no sudo
        (tmp_path / name).symlink_to(expect(str, shutil.which(name)))
    with staged(shell, str(tmp_path), request_) as waiting:
        waiting.read_until(lambda: waiting.remarks.over)
        assert waiting.remarks.ready is None
        assert waiting.send(NEVER) not in (0, NOT_STARTED)


@on_every_shell
@pytest.mark.parametrize("executable", [None, "/bin/bash"])
@pytest.mark.parametrize("text", ["echo one\nif true; then", "echo 'open", "echo one\n)"])
def test_what_can_not_be_parsed_is_told_before_anything_starts(
    shell: str, path: str, text: str, executable: str | None
) -> None:
    with staged(shell, path, sh(text, executable=executable)) as waiting:
        waiting.read_until(lambda: waiting.remarks.over)
        assert (waiting.remarks.ready, waiting.said) == (None, b"")


@pytest.mark.parametrize(
    "text",
    ["shopt -s extglob\necho !(x)@(y)", "cat <<EOF\n@COMMAND@\n", "echo '\\' # \\", "[[ a =~ (b|a) ]] && echo a"],
)
def test_a_text_for_bash_is_taken_as_bash_takes_it(path: str, text: str) -> None:
    plain = subprocess.run(["/bin/bash", "-c", text], capture_output=True, check=False)
    with staged("/bin/sh", path, sh(text, executable="/bin/bash")) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        assert waiting.send(release_word()) == plain.returncode
        assert waiting.said == plain.stdout


def test_messages_count_the_lines_of_the_text(path: str) -> None:
    with staged("/bin/sh", path, sh("\n\nnosuchcommand 2>&1")) as waiting:
        waiting.read_until(lambda: waiting.remarks.ready is not None)
        waiting.send(release_word())
        plain = subprocess.run(["/bin/sh", "-c", "eval '\n\nnosuchcommand 2>&1'"], stdout=subprocess.PIPE, check=False)
        assert waiting.said == plain.stdout


@given(
    output=st.lists(st.sampled_from([b"text", b"\x1e", mark(WORD)[:9], b"\n", b"\xff\0"])),
    cuts=st.lists(st.integers(0, 300)),
)
def test_remarks_are_taken_out_however_they_are_cut(output: list[bytes], cuts: list[int]) -> None:
    said = b"".join(output)
    stream = mark(WORD) + b" ready 12.5\n" + said + mark(WORD) + b" over 13,25\n"
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    remarks = Remarks(WORD)
    found = []
    for start, end in itertools.pairwise(edges):
        if remarks.ready is not None:
            remarks.pass_on(lambda stream, data: found.append((stream, data)))
        remarks.take("stdout", stream[start:end])
        remarks.take("stderr", b"e")
    remarks.pass_on(lambda stream, data: found.append((stream, data)))
    remarks.flush()
    assert b"".join(data for stream, data in found if stream == "stdout") == said
    assert (remarks.ready, remarks.began, remarks.over) == (12.5, 13.25, True)
