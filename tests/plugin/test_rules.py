"""Rules that an action declares for its arguments."""

from __future__ import annotations

from typing import Any

import pytest
from support.makers import no_steps

from drumline.plugin import Action, ActionFailed, Argument, Call, Platform, Written
from drumline.plugin.rules import broken_rules, require_rules

POSIX, WINDOWS = Platform
ACTION = Action(
    name="it",
    perform=no_steps,
    help="It.",
    arguments=(
        Argument(name="src"),
        Argument(name="content"),
        Argument(name="mode", platforms=(POSIX,)),
        Argument(name="force", type=bool, default=False, platforms=(POSIX,)),
        Argument(name="acl", platforms=(WINDOWS,)),
    ),
    exclusive=(("src", "content"),),
    one_of=(("src", "content"),),
)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (Written(arguments={"src": "a"}), []),
        (Written(arguments={}, open={"content": "{{ x }}"}), []),
        (Written(arguments={}), [("", "it needs 'src' or 'content'.")]),
        (Written(arguments={"src": None}), [("", "it needs 'src' or 'content'.")]),
        (Written(arguments={}, open={"src": "{{ x | d(omit) }}", "content": "{{ y | default(omit) }}"}), []),
        (
            Written(arguments={"src": "a"}, open={"content": "{{ x }}"}),
            [("content", "'src' and 'content' exclude each other.")],
        ),
        (Written(arguments={"src": "a", "mode": "1"}, platforms=frozenset(Platform)), []),
        (Written(arguments={"src": "a", "mode": "", "force": False}, platforms=frozenset([WINDOWS])), []),
        (
            Written(arguments={"src": "a", "force": True}, open={"mode": "{{ x }}"}, platforms=frozenset([WINDOWS])),
            [
                ("mode", "Windows hosts have no such thing as 'mode'; leave it out for them."),
                ("force", "Windows hosts have no such thing as 'force'; leave it out for them."),
            ],
        ),
        (
            Written(arguments={"src": "a", "acl": "x"}, platforms=frozenset([POSIX])),
            [("acl", "POSIX hosts have no such thing as 'acl'; leave it out for them.")],
        ),
    ],
)
def test_what_is_told_before_anything_is_sent(written: Written, told: list[tuple[str, str]]) -> None:
    assert list(broken_rules(ACTION, written)) == told


@pytest.mark.parametrize(
    ("platform", "arguments", "told"),
    [
        (POSIX, {"src": "a", "mode": "1", "force": True}, ""),
        (WINDOWS, {"src": "a", "mode": "", "force": False, "acl": "x"}, ""),
        (POSIX, {}, "one of the following is required: src, content"),
        (POSIX, {"src": "a", "content": "b"}, r"parameters are mutually exclusive: src\|content"),
        (WINDOWS, {"src": "a", "mode": "1", "force": True}, "Windows hosts have no such thing as mode and force;"),
        (POSIX, {"src": "a", "acl": "x"}, "POSIX hosts have no such thing as acl;"),
    ],
)
def test_what_ends_the_action(platform: Platform, arguments: dict[str, Any], told: str) -> None:
    defaults = {argument.name: argument.default for argument in ACTION.arguments}
    call = Call(host="h", platform=platform, arguments=defaults | arguments)
    if told:
        with pytest.raises(ActionFailed, match=told):
            require_rules(ACTION, call.arguments, call.platform)
    else:
        require_rules(ACTION, call.arguments, call.platform)
