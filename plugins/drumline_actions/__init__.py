"""Actions for every day, on POSIX hosts (by ``sh``) and on Windows (by PowerShell): nothing is installed there."""

from collections.abc import Iterable

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
