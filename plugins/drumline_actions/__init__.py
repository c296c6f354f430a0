"""Actions for every day, on POSIX hosts (by ``sh``) and on Windows (by PowerShell): nothing is installed there."""

from collections.abc import Iterable, Mapping
from typing import Any

from drumline.plugin import Action, hookimpl


@hookimpl
def drumline_actions() -> Iterable[Action]:
    from drumline_actions import approve, clock, commands, control, copy, fetch, files, script, template, waiting

    return (
        *commands.ACTIONS,
        *script.ACTIONS,
        *copy.ACTIONS,
        *template.ACTIONS,
        *fetch.ACTIONS,
        *files.ACTIONS,
        *control.ACTIONS,
        *waiting.ACTIONS,
        *approve.ACTIONS,
        *clock.ACTIONS,
    )


@hookimpl
def drumline_exec_task(
    words: tuple[str, ...], executable: str | None, clock: bool
) -> tuple[str, Mapping[str, Any]] | None:
    if clock:
        return "clock", {}
    if len(words) == 1:
        return "shell", {"cmd": words[0], "executable": executable}
    return "command", {"argv": list(words)} if words else {}
