"""``win_user``, ``win_group`` and ``win_group_membership``, by stand-ins for entries of the directory service."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, Some

WINDOWS = [Platform.WINDOWS]
NETWORK, ADMINS, GUESTS = "NT AUTHORITY\\NETWORK SERVICE", "BUILTIN\\Administrators", "BUILTIN\\Guests"
#: Who isn't there any more.
GONE = "S-1-5-21-1-2-3-9"


class TestUser(ActionCases):
    action = "win_user"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {
                "name": "svc",
                "password": "pass",
                "fullname": "Service",
                "description": "Runs it",
                "home_directory": "C:\\svc",
                "password_never_expires": True,
                "user_cannot_change_password": True,
                "account_expires": "2030-02-01",
                "groups": ["Users", "S-1-5-32-544"],
            },
            changed=True,
            values={
                "state": "present",
                "fullname": "Service",
                "password_never_expires": True,
                "user_cannot_change_password": True,
                "account_disabled": False,
                "sid": "S-1-5-19",
                "groups": [Some(name="Administrators"), Some(name="Users")],
            },
        ),
        Case(
            "as it is",
            {
                "name": "app",
                "password": "old",
                "fullname": "App",
                "account_disabled": True,
                "account_expires": "never",
                "password_expired": False,
                "groups": ["Users"],
            },
            changed=False,
        ),
        Case("another password", {"name": "app", "password": "new"}, changed=True),
        Case("only for a new one", {"name": "app", "password": "x", "update_password": "on_create"}, changed=False),
        Case("a password that is refused", {"name": "app", "password": "x"}, failed="password policy"),
        Case(
            "it can be used again",
            {"name": "app", "account_disabled": False, "account_locked": False, "password_expired": True},
            changed=True,
            values={"account_disabled": False, "account_locked": False, "password_expired": True},
        ),
        Case(
            "in another group too",
            {"name": "app", "groups": ["Guests"], "groups_action": "add"},
            changed=True,
            values={"groups": [Some(name="Guests"), Some(name="Users")]},
        ),
        Case("in no group", {"name": "app", "groups": [""]}, changed=True, values={"groups": []}),
        Case("out of one", {"name": "app", "groups": ["Users"], "groups_action": "remove"}, changed=True),
        Case("no such group", {"name": "app", "groups": ["Nope"]}, failed="The group 'Nope' doesn't exist"),
        Case("gone", {"name": "app", "state": "absent"}, changed=True, values={"state": "absent"}),
        Case("it isn't there", {"name": "nope", "state": "query"}, changed=False, values={"state": "absent"}),
    )


class TestGroup(ActionCases):
    action = "win_group"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {"name": "Ops", "description": "They", "members": {"add": ["NETWORK SERVICE"]}},
            changed=True,
            values={"sid": "S-1-5-32-547"},
        ),
        Case("its members", {"name": "Users", "members": {"set": ["SYSTEM"]}}, changed=True),
        Case("gone", {"name": "Guests", "state": "absent"}, changed=True, values={"sid": None}),
        Case("as it is", {"name": "Users", "members": {"add": ["S-1-5-20"], "remove": ["SYSTEM"]}}, changed=False),
    )


class TestGroupMembership(ActionCases):
    action = "win_group_membership"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "one gets in",
            {"name": "Users", "members": ["Guests", NETWORK]},
            changed=True,
            values={"name": "Users", "added": [GUESTS], "removed": [], "members": [NETWORK, GONE, GUESTS]},
        ),
        Case(
            "one gets out",
            {"name": "Users", "members": [NETWORK, "Guests"], "state": "absent"},
            changed=True,
            values={"added": [], "removed": [NETWORK], "members": [GONE]},
        ),
        Case(
            "no others",
            {"name": "Users", "members": ["Administrators"], "state": "pure"},
            changed=True,
            values={"added": [ADMINS], "removed": [NETWORK, GONE], "members": [ADMINS]},
        ),
        Case("no such group", {"name": "Nope", "members": ["Guests"]}, failed="Could not find local group Nope"),
    )


def test_a_diff_shows_no_password(windows: ActionHost) -> None:
    windows.settings = {"diff": True}
    result = windows("win_user", name="app", password="secret", fullname="It")
    assert result.diff == {
        "before": {"name": "app", "password": "OLD_PASSWORD", "FullName": "App"},
        "after": {"name": "app", "password": "NEW_PASSWORD", "FullName": "It"},
    }
    assert "secret" not in str(result)
