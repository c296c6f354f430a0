"""What passes between drumline and the warm PowerShell: requests as lines of text, and the marks that end them.

``worker.ps1`` describes the format; this is its other side.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import zlib
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from msgspec import Struct

from drumline.plugin import Emit, OptionInvalid

_LOADER = """$ProgressPreference = 'SilentlyContinue'
$reader = New-Object IO.StreamReader ([Console]::OpenStandardInput()), ([Text.Encoding]::ASCII), $false, 65536
$packed = New-Object IO.MemoryStream (, [Convert]::FromBase64String($reader.ReadLine()))
$inflate = New-Object IO.Compression.DeflateStream $packed, ([IO.Compression.CompressionMode]::Decompress)
. ([ScriptBlock]::Create((New-Object IO.StreamReader $inflate).ReadToEnd()))"""

#: For a PowerShell of its own: runs the script that its standard input begins with, and takes no byte more: the rest
#: is the script's input. The exit code is that of ``powershell -Command``.
_RUNNER = """$ProgressPreference = 'SilentlyContinue'
try { [Console]::OutputEncoding = [Console]::InputEncoding = New-Object Text.UTF8Encoding $false } catch { }
$stdin = [Console]::OpenStandardInput()
$size = ''
while (($byte = $stdin.ReadByte()) -gt 10) { $size += [char]$byte }
$packed = New-Object byte[] ([int]$size)
$have = 0
while ($have -lt $packed.Length -and ($read = $stdin.Read($packed, $have, $packed.Length - $have))) { $have += $read }
$inflate = New-Object IO.Compression.DeflateStream (New-Object IO.MemoryStream (, $packed)),
    ([IO.Compression.CompressionMode]::Decompress)
$text = (New-Object IO.StreamReader $inflate).ReadToEnd()
$tokens = $faults = $null
$tree = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$faults)
if (-not $faults.Count -and $tree.EndBlock.Unnamed) { $text += "`n`n`$global:drumline = `$?" }
$script = [ScriptBlock]::Create($text)
Remove-Variable stdin, size, byte, packed, have, read, inflate, text, tokens, faults, tree
if ([Console]::In.Peek() -lt 0) { . $script } else { [Console]::In.ReadToEnd().TrimEnd() -split '\r?\n' | . $script }
if ($global:drumline -eq $false) { exit 1 }"""

#: bytes of a line that marks something
_LONGEST_LINE = 4096
#: What stands in such lines: an exit code and a checksum, or a word and a time in ticks.
_END = re.compile(rb"(-?\d{1,10}) ?([0-9a-f]*)\r?")
_NOTE = re.compile(rb"\w+ (\d{1,19})\r?")
#: The worker's ticks in a second, and those from the year 1 to the epoch.
_SECOND = 10**7
_EPOCH = 621_355_968 * 10**9


def loader() -> str:
    """The script that PowerShell is started with: it reads the worker from its standard input and becomes it."""
    return _LOADER


def worker() -> str:
    """The script that runs the requests."""
    return files("drumline_winrm").joinpath("worker.ps1").read_text(encoding="utf-8")


def start_line(executable: str) -> str:
    """The command line of the warm PowerShell; a seventh of the 8,191 characters that ``cmd`` takes."""
    return _powershell_line(executable, _LOADER)


def runner() -> str:
    """The script that another PowerShell is started with: it reads the actual one from its standard input."""
    return _RUNNER


def script_line(executable: str) -> str:
    """The command line of another PowerShell. Its script comes as input, since others can read command lines."""
    return _powershell_line(executable, _RUNNER)


def script_input(script: str, stdin: bytes) -> bytes:
    """The standard input for it: the script, then the script's own."""
    packed = _deflated(script)
    return b"%d\n%b%b" % (len(packed), packed, stdin)


def _powershell_line(executable: str, script: str) -> str:
    program = f'"{executable}"' if " " in executable else executable
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    return (
        f"{program} -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text"
        f" -EncodedCommand {encoded}"
    )


def worker_line() -> bytes:
    """The first line for its standard input."""
    return _packed(worker()) + b"\n"


def nonce() -> str:
    """The name of one request, which no output can contain by chance."""
    return secrets.token_hex(12)


def request_line(
    name: str,
    kind: str,
    text: str,
    *,
    directory: str | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    library: str = "",
    kept: Collection[str] = (),
    held: bool = False,
) -> bytes:
    """One request; a library whose id is among those that are kept there is only named.

    A ``held`` one is made ready and waits for its word. Raises ``OptionInvalid`` for text that holds NUL, which no
    script, path or variable can.
    """
    variables = [f"{name}={value}" for name, value in (environment or {}).items()]
    known = library_id(library)
    sent = "" if known in kept else library
    fields = [name, kind, directory or "", known, sent, str(len(variables)), *variables, text]
    if any("\0" in field for field in fields):
        raise OptionInvalid("A NUL character can't be sent", "Commands, paths and variables of a host are text.")
    return _packed("\0".join(fields)) + b" " + base64.b64encode(stdin) + (b" hold\n" if held else b"\n")


def go_line(name: str, at: float | None = None) -> bytes:
    """The word to start, at once or when the host's clock shows ``at`` (seconds since the epoch)."""
    return f"= {name} go\n".encode() if at is None else f"= {name} go {_EPOCH + round(at * _SECOND)}\n".encode()


def drop_line(name: str) -> bytes:
    """The word that a request will not start."""
    return f"= {name} drop\n".encode()


#: Means nothing, but that someone is there.
IDLE_LINE = b"=\n"


@lru_cache(maxsize=256)
def library_id(library: str) -> str:
    """What a library is called between here and there; empty for none."""
    return hashlib.sha256(library.encode()).hexdigest()[:24] if library else ""


def piece_of(data: bytes) -> bytes:
    """One piece of a file: a line that says how long it is, and its bytes as they are."""
    return b"+%d\n%b" % (len(data), data)


#: bytes of a piece beside its data, at most
PIECE_HEAD = 12
#: In place of the last line: the file will not be completed.
GIVE_UP_LINE = b"= -\n"


def last_line(checksum: str) -> bytes:
    """The line after a file's pieces; ``checksum`` is the SHA-256 of all, in hexadecimal."""
    return f"= {checksum}\n".encode()


def _packed(text: str) -> bytes:
    return base64.b64encode(_deflated(text))


def _deflated(text: str) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(text.encode()) + deflate.flush()


def _bounded(line: bytes) -> bytes:
    """The beginning of a line that is still to end."""
    if len(line) > _LONGEST_LINE:
        raise Garbled("a line without an end")
    return line


class Garbled(Exception):
    """A line that the worker would not write: something else writes on the host in its place."""


class Note:
    """What a held request says of itself, in a line on stdout before its command's output: a word and a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._mark = b"\0+" + name.encode() + b" "
        self._held = b""
        self.time: float | None = None  #: By the host's clock, in seconds since the epoch; None until the note came.

    def pass_on(self, data: bytes) -> bytes:
        """Take what came on stdout and give what stands behind the note; what comes before it belongs to no command."""
        if self.time is not None:
            return data
        before, mark, behind = (self._held + data).partition(self._mark)
        line, end, rest = behind.partition(b"\n")
        if not end:
            self._held = _bounded(mark + behind) if mark else before[-len(self._mark) :]
            return b""
        found = _NOTE.fullmatch(line)
        if found is None:
            raise Garbled("a note that says no time")
        self.time = (int(found[1]) - _EPOCH) / _SECOND
        return rest


class _Tail(Struct):
    """One stream: what came but may still turn out to begin the mark, and the mark's line once it came."""

    held: bytes = b""
    found: bool = False
    line: bytes | None = None


class EndMarks:
    """Lets output pass and stops each stream at its mark. What comes behind it belongs to no command."""

    def __init__(self, name: str) -> None:
        self._mark = b"\0" + name.encode()
        self._tails: dict[str, _Tail] = {"stdout": _Tail(), "stderr": _Tail()}

    def feed(self, stream: Literal["stdout", "stderr"], data: bytes, emit: Emit) -> None:
        """Take what a Receive brought and hand on what is the command's."""
        tail = self._tails[stream]
        said = self._split(tail, tail.held + data)
        if said:
            emit(stream, said)

    def rest(self) -> Iterator[tuple[Literal["stdout", "stderr"], bytes]]:
        """What is still held back, for a command that ended without its marks."""
        for stream in ("stdout", "stderr"):
            tail = self._tails[stream]
            if tail.held and not tail.found:
                yield stream, tail.held

    @property
    def complete(self) -> bool:
        """Both marks have come."""
        return all(tail.line is not None for tail in self._tails.values())

    @property
    def code(self) -> int:
        """The exit code, 0 to 2**32 - 1."""
        return int(self._words()[0]) & 0xFFFFFFFF

    @property
    def detail(self) -> str:
        """The checksum of a file that was put or got, in hexadecimal; empty otherwise."""
        return self._words()[1].decode()

    def _words(self) -> list[bytes]:
        return (self._tails["stdout"].line or b"0 ").rstrip(b"\r").split(b" ")

    def _split(self, tail: _Tail, data: bytes) -> bytes:
        if tail.found:
            said = b""
            tail.held = data
        else:
            said, mark, after = data.partition(self._mark)
            tail.found = bool(mark)
            tail.held = after
            if not mark:
                keep = self._unsure(said)
                said, tail.held = said[: len(said) - keep], said[len(said) - keep :]
        if tail.found and tail.line is None and b"\n" in tail.held:
            tail.line = tail.held.partition(b"\n")[0].removeprefix(b" ")
            if tail is self._tails["stdout"] and not _END.fullmatch(tail.line):
                raise Garbled("an end without an exit code")
        if tail.found:
            tail.held = _bounded(tail.held) if tail.line is None else b""
        return said

    def _unsure(self, data: bytes) -> int:
        """The number of last bytes that may be the beginning of the mark."""
        at = data.rfind(b"\0", max(0, len(data) - len(self._mark) + 1))
        return len(data) - at if at >= 0 and self._mark.startswith(data[at:]) else 0
