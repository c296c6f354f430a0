"""The scripts beside this module, sent to hosts with their variables, and the answers that they give.

Each script NAME has a POSIX form, ``NAME.sh``, a Windows form, ``NAME.ps1``, or both. Its opening comment names the
variables that it expects. A POSIX script answers with ``key=value`` pairs that end in NUL; a PowerShell script
answers with one line of JSON in plain ASCII, since not every console between here and there speaks UTF-8.

Content that goes to Windows is in the script's text: what PowerShell finds in its standard input is already decoded.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from drumline.plugin import ActionFailed, Call, Completed, Ending, HostError, Language, Platform, Request, Run
from drumline.plugin.leftovers import is_left_behind, machine, own_prefix
from drumline.plugin.windows import quote

Answer: TypeAlias = dict[str, Any]
#: What asks a host and comes back with its answer.
Asking: TypeAlias = Generator[Request, Any, Answer]

#: A leading ``~`` or ``~user``, and variables, in arguments of which Ansible expands them on the host.
_HOME = re.compile(r"~[A-Za-z0-9._-]*(?:/|\Z)")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_INDENT = re.compile(r"^(?:    )+")

# Not every message of Windows names its file ("Invalid name."); the task's own is put in front of those.
_POWERSHELL_LIBRARY = """function Invoke-Action {
%s
}
function Write-Answer {
$answer = @{}
try { $null = Invoke-Action }
catch {
$answer.failed = $true
$cause = $_.Exception.GetBaseException()
$answer.msg = $cause.Message
$place = @($dest, $path, $src) | Where-Object { $_ } | Select-Object -First 1
if ($place -and $cause -isnot [Management.Automation.RuntimeException] -and -not $cause.Message.Contains($place)) {
$answer.msg = "${place}: $($cause.Message)"
}
}
$text = ConvertTo-Json -InputObject $answer -Compress
[regex]::Replace($text, '[^\\x20-\\x7e]', { '\\u{0:x4}' -f [int][char]$args[0].Value })
}"""
_POWERSHELL = """& {
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
%s
Write-Answer
}"""


class HostPath(str):
    """A path on the host as the author wrote it: ``~`` and variables in it are the host's.

    What is ``below`` it, a separator ahead of it, are names of files: data, in which nothing is expanded.
    """

    below: str

    def __new__(cls, written: str, below: str = "") -> HostPath:
        path = super().__new__(cls, written)
        path.below = below
        return path


def ask(
    call: Call, name: str, /, *beside: str, stdin: bytes = b"", seconds: float | None = None, **variables: Any
) -> Asking:
    """Run a script on the host and return its answer, or end the action with the reason that the script gives.

    Scripts ``beside`` it stand ahead of it: functions that it needs now and then. One that should have come to its end
    within ``seconds`` is ended, and its answer is ``late``, and how many seconds have ``elapsed``.
    """
    if call.platform is Platform.WINDOWS:
        request = Run(
            language=Language.POWERSHELL,
            library=powershell_library(name, *beside),
            text=powershell_text(variables),
            environment=call.environment,
            timeout=seconds,
        )
    else:
        text = posix_script(name, variables, beside)
        request = Run(language=Language.SH, text=text, stdin=stdin, environment=call.environment, timeout=seconds)
    began = time.monotonic()
    completed: Completed = yield request
    elapsed = time.monotonic() - began
    if completed.ending is Ending.TIMED_OUT and seconds is not None and elapsed >= seconds:
        return {"late": "1", "elapsed": int(elapsed)}
    answer = read_answer(call, completed)
    yield from _sweep(call, answer)
    if answer.get("failed"):
        raise ActionFailed(shown(str(answer["msg"])))
    return answer


def naming() -> dict[str, Any]:
    """What scripts that make files need, for names by which a later run knows what this one has left."""
    return {"own": own_prefix(), "machine": machine()}


def _sweep(call: Call, answer: Answer) -> Generator[Request, Any, None]:
    """Remove what earlier runs have left where a script has looked: it tells of names that may be theirs."""
    directory, names = answer.pop("directory", ""), answer.pop("leftovers", "")
    left = [directory + name for name in names.split("/") if is_left_behind(name)]
    if left:
        yield from remove(call, *left)


def remove(call: Call, *temporaries: str) -> Generator[Request, Any, None]:
    """Delete temporary files of the host; that they can't be deleted must not hide why they aren't needed."""
    if call.platform is Platform.WINDOWS:
        text = "; ".join(f"[IO.File]::Delete({quote(name)})" for name in temporaries)
        run = Run(language=Language.POWERSHELL, text=text, tidies=True)
    else:
        run = Run(language=Language.SH, text=f"rm -f -- {shlex.join(temporaries)}", tidies=True)
    with suppress(HostError):
        yield run


def read_answer(call: Call, completed: Completed) -> Answer:
    """The answer in what a script has printed; ends the action when there is none."""
    require_exit(call, completed)
    try:
        return _from_json(completed.stdout) if call.platform is Platform.WINDOWS else _from_pairs(completed.stdout)
    except ValueError:
        said = decode(completed.stderr).strip() or decode(completed.stdout).strip() or "nothing"
        raise ActionFailed(
            f"The host didn't carry out the task's script (exit code {completed.code}). It said: {said}",
            rc=completed.code,
            stdout=decode(completed.stdout),
            stderr=decode(completed.stderr),
        ) from None


def require_exit(call: Call, completed: Completed) -> None:
    """End the action when its command didn't end by itself; the message says what became of the command."""
    if completed.ending is Ending.EXITED:
        return
    values: dict[str, Any] = {}
    if completed.ending is Ending.TIMED_OUT:
        when = "when its time was up" if call.timeout is None else f"after {call.timeout:g} seconds"
        why = "Timed out"
        if call.timeout is not None:
            values["timedout"] = {"period": call.timeout}
    else:
        when, why = "when the run was interrupted", "Interrupted"
    raise ActionFailed(
        f"{why}: the command and its children were ended on the host {when}",
        **values,
        rc=completed.code,
        stdout=decode(completed.stdout),
        stderr=decode(completed.stderr),
    )


def decode(output: bytes) -> str:
    """Output of a host as text; what isn't UTF-8 is replaced, never an error."""
    return output.decode("utf-8", errors="replace")


def posix_script(name: str, variables: Mapping[str, Any], beside: Sequence[str] = ()) -> str:
    """The script's text for a POSIX ``sh``. True is ``1``, False and None are empty, a list is the arguments."""
    lists = [value for value in variables.values() if isinstance(value, (list, tuple))]
    lines = [f"{key}={_word(value)}" for key, value in variables.items() if not isinstance(value, (list, tuple))]
    lines += [f"set -- {' '.join(map(_word, value))}" for value in lists]
    return "\n".join([*lines, *(_load(f"{part}.sh") for part in ("common", *beside, name))])


def _word(value: object) -> str:
    if value is None or value is False:
        return "''"
    if value is True:
        return "1"
    return _path_word(value) if isinstance(value, HostPath) else shlex.quote(str(value))


def _path_word(path: HostPath) -> str:
    # Behind a ~ the shell takes what is quoted for a part of the user's name.
    slash, name = ("/", path.below[1:]) if path.below.startswith("/") else ("", path.below)
    return expanding_word(f"{path}{slash}") + _literal(name)


def expanding_word(text: str) -> str:
    """One word for ``sh`` in which ``~`` and variables that exist are expanded, and nothing else is (no splitting)."""
    home = _HOME.match(text)
    word, position = (home[0], home.end()) if home else ("", 0)
    for found in _VARIABLE.finditer(text, position):
        as_written = "\\" + found[0].replace("}", "\\}")
        word += f'{_literal(text[position : found.start()])}"${{{found[1] or found[2]}-{as_written}}}"'
        position = found.end()
    return word + _literal(text[position:]) or "''"


def _literal(text: str) -> str:
    return shlex.quote(text) if text else ""


@cache
def powershell_library(name: str, *beside: str) -> str:
    """The script as functions, for PowerShell 5.1 and 7; the same for all tasks that use it."""
    return _POWERSHELL_LIBRARY % "\n".join(_load(f"{part}.ps1") for part in ("common", *beside, name))


def powershell_text(variables: Mapping[str, Any]) -> str:
    """What calls the library. Bytes become base64; True, False, None and lists are themselves.

    A path as the author wrote it becomes a pair, its text and the names below it; ``Full`` in ``common.ps1`` reads it.
    """
    return _POWERSHELL % "\n".join(f"${key} = {powershell_value(value)}" for key, value in variables.items())


def powershell_value(value: object) -> str:
    """A value as PowerShell reads it."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, bytes):
        return f"'{base64.b64encode(value).decode()}'"
    if isinstance(value, HostPath):
        return f"@({quote(value)}, {quote(value.below)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"@({', '.join(map(powershell_value, value))})"
    return quote(str(value))


@cache
def _load(name: str) -> str:
    """A script without comments and indentation: what is sent for each task is kept small."""
    text = resources.files(__package__).joinpath(name).read_text("utf-8")
    lines = (_INDENT.sub("", line) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def _from_pairs(output: bytes) -> Answer:
    *pairs, rest = output.split(b"\0")
    if not pairs or rest:
        raise ValueError("not an answer")
    return dict(_pair(pair) for pair in pairs)


def _pair(pair: bytes) -> tuple[str, str]:
    key, equals, value = pair.partition(b"=")
    if not equals:
        raise ValueError("not an answer")
    # A path of the host may hold any bytes, and is needed again as it is.
    return key.decode("ascii"), value.decode("utf-8", errors="surrogateescape")


def shown(value: Any) -> Any:
    """Text of an answer as it may be registered and written; what isn't UTF-8 is replaced."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(value, str) else value


def _from_json(output: bytes) -> Answer:
    # A console may have folded the line at its width.
    text = output.decode("ascii", errors="replace").replace("\r", "").replace("\n", "")
    answer = json.loads(text[text.index("{") :])
    assert isinstance(answer, dict)
    return answer
