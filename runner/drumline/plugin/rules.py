"""The rules that an action declares for its arguments: checked before anything is sent, and when all is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drumline.model.target import Platform
from drumline.plugin.actions import Action, ActionFailed, Written

_KINDS = {Platform.POSIX: "POSIX", Platform.WINDOWS: "Windows"}


def broken_rules(action: Action, written: Written) -> Iterator[tuple[str, str]]:
    """What one use breaks, whatever its templates give: pairs of an argument's name (or "") and a sentence."""
    for names in action.exclusive:
        given = [name for name in written.given(*names) if not _may_be_omitted(written, name)]
        if len(given) > 1:
            yield given[1], f"{' and '.join(map(repr, given))} exclude each other."
    for names in action.one_of:
        if not written.given(*names):
            yield "", f"it needs {' or '.join(map(repr, names))}."
    if len(written.platforms) == 1:
        [platform] = written.platforms
        kind = _KINDS[platform]
        for name in written.given(*action.meaningless(platform)):
            if written.arguments.get(name, True) not in ("", False):
                yield name, f"{kind} hosts have no such thing as '{name}'; leave it out for them."
        for name, value in _choices_of_others(action, written.arguments, platform):
            yield name, f"{kind} hosts have no such thing as '{name}: {value}'; leave it out for them."


def require_rules(action: Action, arguments: Mapping[str, Any], platform: Platform) -> None:
    """End an action whose arguments, rendered, break a rule."""
    for names in action.exclusive:
        if sum(arguments[name] is not None for name in names) > 1:
            raise ActionFailed(f"parameters are mutually exclusive: {'|'.join(names)}")
    for names in action.one_of:
        if all(arguments[name] is None for name in names):
            raise ActionFailed(f"one of the following is required: {', '.join(names)}")
    meaningless = action.meaningless(platform)
    defaults = {argument.name: argument.default for argument in action.arguments if argument.name in meaningless}
    used = [name for name, default in defaults.items() if arguments[name] not in (None, "", False, default)]
    used += [f"{name}: {value}" for name, value in _choices_of_others(action, arguments, platform)]
    if used:
        raise ActionFailed(
            f"{_KINDS[platform]} hosts have no such thing as {' and '.join(used)}; leave it out for them"
        )


def _choices_of_others(
    action: Action, arguments: Mapping[str, Any], platform: Platform
) -> Iterator[tuple[str, object]]:
    """Arguments with a value that hosts of the platform don't know."""
    for argument in action.divided:
        value = arguments.get(argument.name)
        if isinstance(value, str) and argument.only_on.get(value, platform) is not platform:
            yield argument.name, value


def _may_be_omitted(written: Written, name: str) -> bool:
    """Whether the template of an argument may leave it out: ``{{ src | default(omit) }}``."""
    return "omit" in written.open.get(name, "")
