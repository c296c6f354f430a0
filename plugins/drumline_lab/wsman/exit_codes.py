"""Exit codes above 255: Windows has 32 bits for them, and a process of this machine ends with eight.

A line is therefore run by a ``cmd`` that writes down how it has ended, in a file on the host's drive.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from pathlib import Path

from drumline_lab.wsman.process import Launch

_VARIABLE = "DRUMLINE_LAB_LINE"
_DIRECTORY = "windows/temp"
#: Starts of programs that a ``cmd`` does not take apart, so that the one that writes the code can run them itself.
_PLAIN = re.compile(r"(?:powershell|pwsh)(?:\.exe)? [^&|<>^%!()\n]*", re.IGNORECASE)
#: What a second ``cmd`` around the line would change, and as many characters as both can have.
_CHANGED = re.compile(r"!|%%|\n")
_LONGEST = 8000


def reporting(launch: Launch, line: str, *, direct: bool, drive: Path) -> Launch:
    """The launch of a line through ``PROGRAM cmd`` or ``PROGRAM exec``, with the file that will hold its code.

    Lines that it would change are started as they were, with a code of eight bits; so is the first on a new host.
    """
    if len(line) > _LONGEST or _CHANGED.search(line) or not (drive / _DIRECTORY).is_dir():
        return launch
    file = f"drumline-exit-{secrets.token_hex(8)}"
    environment = dict(launch.environment)
    if _PLAIN.fullmatch(line):
        command = line
    else:
        # Expanded late, it is not parsed again: whatever is in it stays the inner one's, or the program's.
        environment[f"WINENV_{_VARIABLE}"] = line
        command = f"!{_VARIABLE}!" if direct else f"cmd.exe /c !{_VARIABLE}!"
    report = _DIRECTORY.replace("/", "\\")
    outer = f'cmd.exe /v:on /c "{command}& echo !errorlevel!>C:\\{report}\\{file}"'
    return replace(
        launch, argv=(launch.argv[0], "exec", outer), environment=environment, code=drive / _DIRECTORY / file
    )
