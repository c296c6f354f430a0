"""A script for hosts, in a form for POSIX ``sh`` and one for PowerShell, with the functions that all scripts share.

The functions are in ``common.sh`` and ``common.ps1``. A POSIX script answers with ``key=value`` pairs that end in NUL,
by ``say``; a PowerShell script fills ``$answer``, which is sent as one line of JSON in plain ASCII, since not every
console between here and there speaks UTF-8. The opening comment of a script names the variables that it expects.

Content that goes to Windows is in the script's text: what PowerShell finds in its standard input is already decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from drumline.model.request import Language, Run
from drumline.model.target import Platform
from drumline.plugin.actions import Call
from drumline.plugin.kit.quoting import powershell_value, sh_word

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


class Script:
    """A script that hosts run, with its variables set ahead of it; made once, as a constant of its module.

    Scripts that it ``needs`` stand ahead of it, for the functions in them. Comments and indentation are not sent.
    """

    def __init__(self, *, sh: str = "", powershell: str = "", needs: Sequence[Script] = ()) -> None:
        self._sh, self._powershell, self._needs = sh, powershell, tuple(needs)
        self._beside: Path | None = None

    @classmethod
    def beside(cls, module: str, name: str, *, needs: Sequence[Script] = ()) -> Script:
        """The script in the files ``NAME.sh`` and ``NAME.ps1`` beside a module, which gives its ``__file__``.

        One of them is enough for an action of one platform. They are read when a host needs them first.
        """
        script = cls(needs=needs)
        script._beside = Path(module).with_name(name)
        return script

    @cached_property
    def sh(self) -> str:
        """All that a POSIX host reads, but for the variables."""
        return "\n".join([*_COMMON.sh_parts(), *self.sh_parts()])

    @cached_property
    def powershell(self) -> str:
        """The same for Windows, as functions that many tasks share: for PowerShell 5.1 and 7."""
        return _POWERSHELL_LIBRARY % "\n".join([*_COMMON.powershell_parts(), *self.powershell_parts()])

    def sh_parts(self) -> list[str]:
        """Its own text and those that it needs, without the common functions."""
        own = self._sh if self._beside is None else _read(self._beside, ".sh")
        return [*(part for script in self._needs for part in script.sh_parts()), _shortened(own)]

    def powershell_parts(self) -> list[str]:
        """The same for Windows."""
        own = self._powershell if self._beside is None else _read(self._beside, ".ps1")
        return [*(part for script in self._needs for part in script.powershell_parts()), _shortened(own)]


_COMMON = Script.beside(__file__, "common")


def _read(path: Path, suffix: str) -> str:
    return path.with_name(path.name + suffix).read_text(encoding="utf-8")


def _shortened(text: str) -> str:
    """Without comments and indentation: what is sent for each task is kept small."""
    lines = (_INDENT.sub("", line) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def script_run(
    call: Call,
    script: Script,
    variables: Mapping[str, Any],
    *,
    stdin: bytes = b"",
    timeout: float | None = None,
    most: int = 0,
) -> Run:
    """The request that runs a script with these variables on the call's host; ``stdin`` is for POSIX hosts only.

    Beside them it has ``check`` and ``diff``, which say the same as those of the call.
    """
    variables = {**variables, "check": call.check, "diff": call.diff}
    if call.platform is Platform.WINDOWS:
        lines = [f"${name} = {powershell_value(value)}" for name, value in variables.items()]
        text = _POWERSHELL % "\n".join(lines)
        return Run(
            language=Language.POWERSHELL,
            library=script.powershell,
            text=text,
            environment=call.environment,
            timeout=timeout,
            most=most,
        )
    text = "\n".join([*_sh_assignments(variables), script.sh])
    return Run(language=Language.SH, text=text, stdin=stdin, environment=call.environment, timeout=timeout, most=most)


def _sh_assignments(variables: Mapping[str, Any]) -> list[str]:
    """What sets the variables; one that is a list becomes the script's arguments, of which there can be one only."""
    lists = [value for value in variables.values() if isinstance(value, (list, tuple))]
    assert len(lists) < 2, f"sh has one list, its arguments, and these are {len(lists)}: {', '.join(variables)}"
    lines = [f"{name}={sh_word(value)}" for name, value in variables.items() if not isinstance(value, (list, tuple))]
    return lines + [f"set -- {' '.join(map(sh_word, value))}" for value in lists]
