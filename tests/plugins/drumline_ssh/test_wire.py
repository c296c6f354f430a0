"""What is written to a warm shell, as every sh here reads it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from drumline.plugin.marks import mark
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
def test_a_command_with_the_rest_of_the_channel_for_its_input(shell: str) -> None:
    script = "printf '%s|' 'é \\ \\n ' \"it's\"; cat; exit 3"
    data = bytes(range(256)) * 500
    start = wire.START_ONCE.replace("exec /bin/sh", f"exec {' '.join(command_of(shell))}")
    sent = wire.command_once(script, "begin", WORD) + data
    done = subprocess.run(["sh", "-c", start], input=sent, capture_output=True, check=False, timeout=20)
    assert done.stdout.split(b"\n", 1)[1] == "é \\ \\n |it's|".encode() + data + MARK + b" 3\n"
