"""A script for another PowerShell than the warm one: nothing of it in a command line, and all else as it would be."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import Language, Run
from drumline.testing.collect import collect
from drumline_lab.wsman import Settings, WsmanServer
from drumline_winrm.transport import Winrm

pytestmark = pytest.mark.windows


@pytest.fixture(scope="module")
def session(transport: Winrm, windows_host: Any, target_for: Any) -> Iterator[Any]:
    with WsmanServer(Settings(users={"vagrant": "pässw:örd"}), backend=windows_host) as server:
        connection = transport.connect(target_for(server))
        yield connection.open_session()
        connection.close()


def script(text: str, **more: Any) -> Run:
    return Run(language=Language.POWERSHELL, text=text, executable="pwsh", **more)


def command_lines() -> str:
    """Of all processes of this machine, with what is encoded in them."""
    texts = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has ended
        texts.append(words)
        for encoded in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", words):
            with_padding = encoded + "=" * (-len(encoded) % 4)
            texts.append(base64.b64decode(with_padding).decode("utf-16-le", errors="replace"))
    return "\n".join(texts)


def test_no_command_line_holds_it(session: Any) -> None:
    said = threading.Event()
    seen = []

    def look() -> None:
        assert said.wait(60)
        seen.append(command_lines())

    looking = threading.Thread(target=look)
    looking.start()
    text = "# s3cret-in-a-script\n'on'; [Console]::Out.Flush(); Start-Sleep 2"
    completed = collect(session, script(text), lambda _stream, _data: said.set())
    looking.join()
    assert (completed.code, completed.stdout) == (0, b"on\r\n")
    assert "ExecutionPolicy Bypass" in seen[0].replace("\0", " ")
    assert "s3cret" not in seen[0]


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("exit 9", 9, b""),
        ("Write-Error no", 1, b""),
        ("throw 'x'", 1, b""),
        ("cmd /c exit 5; 'on'", 0, b"on\r\n"),
        ("if (", 1, b""),
        ("'Gr\u00fc\u00dfe \u20ac'", 0, "Grüße €\r\n".encode()),
        ("# " + "x" * 60_000 + "\n'long'", 0, b"long\r\n"),
    ],
    ids=["exit", "error", "throw", "last", "syntax", "text", "long"],
)
def test_it_ends_as_a_command_does(session: Any, text: str, code: int, out: bytes) -> None:
    completed = collect(session, script(text))
    assert (completed.code, completed.stdout) == (code, out)
    assert bool(completed.stderr) is (code == 1)


def test_its_standard_input(session: Any) -> None:
    assert collect(session, script('$input | ForEach-Object { "<$_>" }', stdin="a\nü\n".encode())).stdout == (
        "<a>\r\n<ü>\r\n".encode()
    )
