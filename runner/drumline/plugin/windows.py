"""For plugins that send text to Windows: quoting for PowerShell and for programs."""

from __future__ import annotations

from collections.abc import Sequence


def quote(text: str) -> str:
    """A PowerShell literal string. PowerShell takes the typographic quotes as quotes too; all are doubled."""
    for mark in "'\u2018\u2019\u201a\u201b":
        text = text.replace(mark, mark * 2)
    return f"'{text}'"


def command_line(arguments: Sequence[str]) -> str:
    """Arguments as one command line, in the way in which Microsoft's C run time takes it apart again."""
    from subprocess import list2cmdline  # it comes with all that starting programs takes

    return list2cmdline(arguments)
