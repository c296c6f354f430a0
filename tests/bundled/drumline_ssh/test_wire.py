"""What is written to a warm shell, as every sh here reads it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from drumline.plugin import Language, Run
from drumline.plugin.marks import mark
from drumline.plugin.staging import release_word, staged_script
from drumline_ssh import wire

WORD = "0123456789abcdef"
MARK = mark(WORD)
SHELLS = [path for path in map(shutil.which, ("sh", "dash", "bash", "ksh", "mksh", "yash", "busybox")) if path]


def command_of(shell: str) -> list[str]:
    return [shell, "sh"] if shell.endswith("busybox") else [shell]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "script", ["printf 'a b'; echo é >&2; exit 3", "echo $$ | grep -q .; printf 'a b'; echo é >&2; exit 3"]
)
def test_a_command_in_the_warm_shell(shell: str, script: str) -> None:
    sent = wire.command(script, WORD, started="begin") + wire.command("cat", "second", bytes(range(256)))
    done = subprocess.run(command_of(shell), input=sent, capture_output=True, check=False, timeout=20)
    begin, rest = done.stdout.split(b"\n", 1)
    assert begin.startswith(b"\x1ebegin ")
    assert rest == b"a b" + MARK + b" 3\n" + bytes(range(256)) + mark("second") + b" 0\n"
    assert done.stderr == b"\x1ebegin\n\xc3\xa9\n" + MARK + b"\n" + mark("second") + b"\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("data", [b"-----BEGIN KEY-----\n", b"--", b"-v x y", b"%s", b"\\055"])
def test_input_that_printf_would_take_for_something_else(shell: str, data: bytes) -> None:
    sent = wire.command("cat", WORD, data, started="begin")
    done = subprocess.run(command_of(shell), input=sent, capture_output=True, check=False, timeout=20)
    assert done.stdout.split(b"\n", 1)[1] == data + MARK + b" 0\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_with_the_rest_of_the_channel_for_its_input(shell: str) -> None:
    script = "printf '%s|' 'é \\ \\n ' \"it's\"; cat; exit 3"
    data = bytes(range(256)) * 500
    start = wire.START_ONCE.replace("exec /bin/sh", f"exec {' '.join(command_of(shell))}")
    sent = wire.command_once(script, "begin", WORD) + data
    done = subprocess.run(["sh", "-c", start], input=sent, capture_output=True, check=False, timeout=20)
    assert done.stdout.split(b"\n", 1)[1] == "é \\ \\n |it's|".encode() + data + MARK + b" 3\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("stdin", [b"", bytes(range(256)), b"- a"], ids=["without input", "with input", "a dash"])
def test_a_staged_command_in_the_warm_shell(shell: str, stdin: bytes) -> None:
    """Of what the shell is sent, the command reads its word and nothing else."""
    request = Run(language=Language.SH, text="printf 'a b'; cat; exit 3", stdin=stdin)
    sent = wire.staged(staged_script(request, "remarks"), WORD, stdin, "begin")
    pipe = subprocess.PIPE
    with subprocess.Popen(command_of(shell), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as warm:
        assert warm.stdin
        assert warm.stdout
        warm.stdin.write(sent)
        warm.stdin.flush()
        assert warm.stdout.readline().startswith(mark("begin"))
        assert warm.stdout.readline().startswith(mark("remarks") + b" ready ")
        warm.stdin.write(release_word() + wire.command("echo fine", "second"))
        warm.stdin.close()
        said = warm.stdout.read()
    remark = mark("remarks") + rb" over [\d.]+\n"
    assert re.fullmatch(re.escape(b"a b" + stdin) + remark + MARK + b" 3\nfine\n" + mark("second") + b" 0\n", said)
