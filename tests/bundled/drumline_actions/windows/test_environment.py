"""``win_environment`` and ``win_path`` on a real Windows environment."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]
NAME = "DRUMLINE_TEST"


def set_to(value: str) -> str:
    return f"[Environment]::SetEnvironmentVariable('{NAME}', {value}, 'user')"


class TestEnvironment(ActionCases):
    action = "win_environment"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {"name": NAME, "value": "C:\\ü x", "level": "user"},
            setup=set_to("$null"),
            changed=True,
            values={"before_value": None, "value": "C:\\ü x"},
        ),
        Case(
            "another value",
            {"name": NAME, "value": "b", "level": "user"},
            setup=set_to("'a'"),
            changed=True,
            values={"before_value": "a"},
        ),
        Case("the same value", {"name": NAME, "value": "a", "level": "user"}, setup=set_to("'a'"), changed=False),
        Case("gone", {"name": NAME, "state": "absent", "level": "user"}, setup=set_to("'a'"), changed=True),
        Case("still gone", {"name": NAME, "state": "absent", "level": "user"}, setup=set_to("$null"), changed=False),
        Case(
            "several, of which one is to go",
            {"variables": {NAME: "", f"{NAME}_2": "x"}, "level": "user"},
            setup=set_to("'a'") + f"; [Environment]::SetEnvironmentVariable('{NAME}_2', $null, 'user')",
            changed=True,
        ),
        Case("no value", {"name": NAME, "value": "", "level": "user"}, answers=[], failed="not an empty string"),
    )


class TestPath(ActionCases):
    action = "win_path"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "an element is added",
            {"name": NAME, "elements": ["C:\\b"], "scope": "user"},
            setup=set_to("'C:\\a'"),
            changed=True,
            values={"path_value": "C:\\a;C:\\b"},
        ),
        Case(
            "an element that is there, but for the case and a backslash",
            {"name": NAME, "elements": ["c:\\A\\"], "scope": "user"},
            setup=set_to("'C:\\a'"),
            changed=False,
        ),
        Case(
            "elements go",
            {"name": NAME, "elements": ["C:\\a", "C:\\x"], "state": "absent", "scope": "user"},
            setup=set_to("'C:\\a;C:\\b'"),
            changed=True,
            values={"path_value": "C:\\b"},
        ),
    )
