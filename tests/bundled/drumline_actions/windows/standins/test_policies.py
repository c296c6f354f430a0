"""``win_user_right`` and ``win_security_policy``, by a stand-in for ``secedit.exe``; accounts are Wine's."""

from __future__ import annotations

import pytest

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]
SERVICE = "SeServiceLogonRight"
NETWORK, USERS, ADMINS = "NT AUTHORITY\\NETWORK SERVICE", "BUILTIN\\Users", "BUILTIN\\Administrators"


class TestUserRight(ActionCases):
    action = "win_user_right"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "others get it too",
            {"name": SERVICE, "users": ["Administrators", "S-1-5-32-545"], "action": "add"},
            changed=True,
            values={"added": [ADMINS], "removed": []},
        ),
        Case("they have it", {"name": SERVICE, "users": [USERS], "action": "add"}, changed=False, values={"added": []}),
        Case(
            "one loses it",
            {"name": SERVICE, "users": ["Users", "Guests"], "action": "remove"},
            changed=True,
            values={"added": [], "removed": [USERS]},
        ),
        Case(
            "the only ones",
            {"name": SERVICE, "users": ["Administrators", "*S-1-5-32-545"]},
            changed=True,
            values={"added": [ADMINS], "removed": [NETWORK, "Gone"]},
        ),
        Case(
            "no one had it",
            {"name": "SeBatchLogonRight", "users": ["Users"]},
            changed=True,
            values={"added": [USERS], "removed": []},
        ),
        Case("no one has it", {"name": "SeShutdownPrivilege", "users": []}, changed=True, values={"removed": [ADMINS]}),
        Case("no such account", {"name": SERVICE, "users": ["nope"]}, failed="'nope' isn't known on this host"),
    )


class TestSecurityPolicy(ActionCases):
    action = "win_security_policy"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a number",
            {"section": "System Access", "key": "MinimumPasswordLength", "value": "14"},
            changed=True,
            values={"section": "System Access", "key": "MinimumPasswordLength", "value": "14"},
        ),
        Case("as it is", {"section": "System Access", "key": "MinimumPasswordAge", "value": "0"}, changed=False),
        Case("a text as it is", {"section": "System Access", "key": "NewGuestName", "value": "Guest"}, changed=False),
        Case("another text", {"section": "System Access", "key": "NewGuestName", "value": "No one"}, changed=True),
        Case(
            "a value of the registry",
            {
                "section": "Registry Values",
                "key": "MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\LimitBlankPasswordUse",
                "value": "4,0",
            },
            changed=True,
        ),
        Case("no such section", {"section": "Nope", "key": "x", "value": "1"}, failed="The section 'Nope' isn't one"),
        Case("no such key", {"section": "System Access", "key": "Nope", "value": "1"}, failed="Unknown attribute Nope"),
    )


def test_a_diff_shows_who_has_a_right(windows: ActionHost) -> None:
    windows.settings = {"check": True, "diff": True}
    diff = windows("win_user_right", name="SeShutdownPrivilege", users=["Users"]).diff
    assert diff == {
        "before": {"name": "SeShutdownPrivilege", "users": [ADMINS]},
        "after": {"name": "SeShutdownPrivilege", "users": [USERS]},
    }


def test_a_failure_of_secedit(windows: ActionHost) -> None:
    from drumline.plugin import ActionFailed

    windows.run("(Get-Secedit).Remove('System Access')")
    with pytest.raises(ActionFailed, match="isn't one of this host's"):
        windows("win_security_policy", section="System Access", key="x", value="1")


def test_nothing_is_left_in_the_temporary_directory(windows: ActionHost) -> None:
    count = "(Get-ChildItem -Force ([IO.Path]::GetTempPath())).Count"
    windows.run(f"[AppDomain]::CurrentDomain.SetData('count', {count})")
    windows("win_user_right", name=SERVICE, users=["Users"])
    windows.run(f"if ({count} -ne [AppDomain]::CurrentDomain.GetData('count')) {{ throw 'more files' }}")
