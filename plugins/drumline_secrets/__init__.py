"""drumline's bundled plugin: secrets from the environment, files, and programs that keep passwords."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from drumline.plugin import Duration, SecretStore, Setting, hookimpl


@hookimpl
def drumline_settings() -> Iterable[Setting]:
    commands = (
        "Kinds of secrets and the programs that print them. The name in the reference is passed as the last argument."
    )
    timeout = "How long such a program may run, including the time to answer its questions."
    return [
        Setting(
            name="commands",
            type=dict,
            default={},
            help=commands,
            check=lambda value: _stores().check_commands(value),
        ),
        Setting(name="timeout", type=Duration, default=Duration(60.0), help=timeout),
    ]


@hookimpl
def drumline_secrets(settings: Mapping[str, Any]) -> Iterable[SecretStore]:
    seconds = settings["secrets.timeout"]
    found = {
        "env": SecretStore(
            name="env",
            resolve=lambda name: _stores().from_environment(name),
            help="A variable of drumline's environment.",
        ),
        "file": SecretStore(
            name="file", resolve=lambda name: _stores().from_file(name), help="What is in a file of this machine."
        ),
        "pass": SecretStore(
            name="pass",
            resolve=lambda name: _stores().from_pass(seconds, name),
            help="The first line of an entry of pass, the password store.",
        ),
    }
    for kind, command in settings["secrets.commands"].items():
        found[kind] = _stores().of_program(kind, command, seconds)
    return found.values()


def _stores() -> ModuleType:
    from drumline_secrets import stores  # most runs have no secrets of this kind

    return stores
