"""drumline's bundled plugin: a practice fleet on this machine, for those who have no hosts to try things on."""

from __future__ import annotations

from collections.abc import Iterable

from drumline.plugin import CommandSpec, Setting, hookimpl


@hookimpl
def drumline_add_hookspecs() -> Iterable[object]:
    from drumline_lab import hooks

    return [hooks]


@hookimpl
def drumline_settings() -> tuple[Setting, ...]:
    told = "The program that runs the command lines of the practice fleet's Windows hosts."
    return (Setting(name="windows", help=told),)


@hookimpl
def drumline_commands() -> tuple[CommandSpec, ...]:
    return (
        CommandSpec(
            name="lab",
            help="Start, inspect and stop a practice fleet on this machine.",
            load="drumline_lab.commands:command",
        ),
    )
