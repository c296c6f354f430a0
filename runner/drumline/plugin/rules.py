"""The rules that an action declares for its arguments, told before anything is sent and held when they are known."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.model.target import Platform
from drumline.plugin.actions import Action, ActionFailed, Call, Written

_KINDS = {Platform.POSIX: "POSIX", Platform.WINDOWS: "Windows"}


def broken_rules(action: Action, written: Written) -> Iterator[tuple[str, str]]:
    """What one use breaks, whatever its templates give: pairs of an argument's name (or "") and a sentence."""
    for names in action.exclusive:
        given = written.given(*names)
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


def require_rules(action: Action, call: Call) -> None:
    """End an action whose arguments break a rule."""
    given = call.arguments
    for names in action.exclusive:
        if len([name for name in names if given[name] is not None]) > 1:
            raise ActionFailed(f"parameters are mutually exclusive: {'|'.join(names)}")
    for names in action.one_of:
        if all(given[name] is None for name in names):
            raise ActionFailed(f"one of the following is required: {', '.join(names)}")
    used = [name for name in action.meaningless(call.platform) if given[name] not in (None, "", False)]
    if used:
        raise ActionFailed(
            f"{_KINDS[call.platform]} hosts have no such thing as {' and '.join(used)}; leave it out for them"
        )
