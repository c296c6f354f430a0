"""Actions in words: for ``drumline doc``, and for the tables of the documentation's pages."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from drumline.model.target import Platform
from drumline.model.traits import Checks
from drumline.plugin.actions import Action, Argument
from drumline.plugin.hostpath import HostPath
from drumline.plugin.modes import Mode
from drumline.plugin.times import Duration, Moment

_TYPES: Mapping[type, str] = {
    str: "text",
    Path: "path",
    bool: "true or false",
    int: "whole number",
    float: "number",
    list: "list",
    object: "any",
    Duration: "seconds, or as `10m`",
    Mode: "mode",
    Moment: "time",
    HostPath: "path on the host",
}
PLATFORMS: Mapping[Platform, str] = {Platform.POSIX: "POSIX", Platform.WINDOWS: "Windows"}
#: What a check says of tasks.
CHECKS: Mapping[Checks, str] = {
    Checks.FULLY: "what they would change is known",
    Checks.PARTLY: "it is known for some arguments, such as `creates` of commands",
    Checks.NOT: "they aren't run, and are `unclear`",
}
_WIDTH = 100


def type_of(declared: Any) -> str:
    """The type of an argument or option whose choices don't say it."""
    return _TYPES.get(declared.type, declared.type.__name__)


def default_of(declared: Any) -> str:
    """Its default; empty where there is none."""
    value = declared.default
    if value is None or value == "":
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def choices_of(declared: Any, written: Callable[[str], str] = str) -> list[str]:
    """The choices of an argument or option, each with the hosts that it is for, unless for all."""
    only_on: Mapping[str, Platform] = getattr(declared, "only_on", {})
    return [
        written(choice) + (f" ({PLATFORMS[only_on[choice]]} hosts)" if choice in only_on else "")
        for choice in declared.choices
    ]


def help_of(argument: Argument) -> str:
    """What an argument does, and for which hosts it is, unless for all."""
    return argument.help + ("" if len(argument.platforms) > 1 else f" ({PLATFORMS[argument.platforms[0]]} hosts)")


def as_text(action: Action, page: str) -> str:
    """All that is known of an action; ``page`` is what its page says."""
    lines = [action.name, f"  {action.help}", ""]
    facts = {
        "also": ", ".join(action.aliases),
        "hosts": _hosts(action),
        "check": f"in a check, {CHECKS[action.checks]}",
    }
    facts |= {"by": f"carried out by {action.traits.by}" if action.traits.by else ""}
    lines += [_wrapped(f"{name + ':':<7} {said}", 8) for name, said in facts.items() if said]
    lines += ["", "arguments:", *_arguments(action)]
    lines += [f"  at most one of: {', '.join(those)}" for those in action.exclusive]
    lines += [f"  at least one of: {', '.join(those)}" for those in action.one_of]
    if page:
        lines += ["", page]
    return "\n".join(lines)


def as_data(action: Action, page: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "name": action.name,
        "aliases": list(action.aliases),
        "help": action.help,
        "platforms": [str(platform) for platform in action.platforms],
        "check": str(action.checks),
        "by": action.traits.by or None,
        "open_arguments": action.open_arguments,
        "arguments": [_argument(argument) for argument in action.arguments if not argument.refused],
        "page": page,
    }


def _argument(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "aliases": list(argument.aliases),
        "type": argument.type.__name__,
        "required": argument.required,
        "default": argument.default if isinstance(argument.default, (str, int, float, bool, type(None))) else None,
        "choices": list(argument.choices),
        "only_on": {choice: str(platform) for choice, platform in argument.only_on.items()},
        "platforms": [str(platform) for platform in argument.platforms],
        "help": argument.help,
    }


def _hosts(action: Action) -> str:
    return " and ".join(PLATFORMS[platform] for platform in action.platforms)


def _arguments(action: Action) -> Iterator[str]:
    offered = [argument for argument in action.arguments if not argument.refused]
    for argument in offered:
        kind = " | ".join(choices_of(argument)) if argument.choices else type_of(argument)
        default = default_of(argument)
        words = [kind, *(["required"] if argument.required else [f"default: {default}"] if default else [])]
        also = f" ({', '.join(argument.aliases)})" if argument.aliases else ""
        yield _wrapped(f"{argument.name}{also}: {', '.join(words)}", 6, first=2)
        yield _wrapped(help_of(argument), 6, first=6)
    if action.open_arguments:
        yield "  any others, as they are" if offered else "  any, as they are"
    elif not offered:
        yield "  none"


def _wrapped(text: str, indent: int, *, first: int = 0) -> str:
    return textwrap.fill(
        text, width=_WIDTH, initial_indent=" " * first, subsequent_indent=" " * indent, break_on_hyphens=False
    )
