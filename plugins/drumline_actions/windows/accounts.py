"""``win_user``, ``win_group`` and ``win_group_membership``: users and groups of the host itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Result, Steps, Traits, Written
from drumline.plugin.kit import HostAnswer, Script, ask, result_of, state_diff
from drumline_actions.windows.policies import ACCOUNTS

_DIRECTORY = Script.beside(__file__, "directory", needs=(ACCOUNTS,))
_USER = Script.beside(__file__, "user", needs=(_DIRECTORY,))
_GROUP = Script.beside(__file__, "group", needs=(_DIRECTORY,))

_WINDOWS = (Platform.WINDOWS,)
_TRAITS = Traits(effect=Effect.NOTHING, removes=("state", "absent"))
#: Arguments of ``win_user`` that its script gets as they are.
_OF_USER = (
    "name",
    "state",
    "fullname",
    "description",
    "password",
    "update_password",
    "password_expired",
    "password_never_expires",
    "user_cannot_change_password",
    "account_disabled",
    "account_locked",
    "home_directory",
    "login_script",
    "groups_action",
)


def perform_user(call: Call) -> Steps:
    groups = call["groups"]
    answer = yield from ask(
        call,
        _USER,
        **{name: call[name] for name in _OF_USER},
        profile_path=call["profile"],
        expires=None if call["account_expires"] is None else str(call["account_expires"]),
        groups=None if groups is None else [str(name) for name in groups if str(name)],
    )
    return _with_diff(call, answer)


def perform_group(call: Call) -> Steps:
    members: dict[str, Any] = call["members"] or {}
    lists = {name: None if members.get(name) is None else list(map(str, members[name])) for name in _MEMBERS}
    answer = yield from ask(
        call,
        _GROUP,
        name=call["name"],
        state=call["state"],
        description=call["description"],
        must_exist=False,
        add=lists["add"],
        remove=lists["remove"],
        set=lists["set"],
    )
    for name in ("added", "removed", "members"):
        answer.pop(name, None)
    return _with_diff(call, answer)


def perform_membership(call: Call) -> Steps:
    given = {"present": "add", "absent": "remove", "pure": "set"}[call["state"]]
    lists = {name: list(map(str, call["members"])) if name == given else None for name in _MEMBERS}
    answer = yield from ask(
        call,
        _GROUP,
        name=call["name"],
        state="present",
        description=None,
        must_exist=True,
        add=lists["add"],
        remove=lists["remove"],
        set=lists["set"],
    )
    answer.pop("sid", None)
    return _with_diff(call, answer, name=call["name"])


_MEMBERS = ("add", "remove", "set")


def _with_diff(call: Call, answer: HostAnswer, **values: Any) -> Result:
    diff = state_diff(answer, name=call["name"])
    result = result_of(answer, **values)
    return replace(result, diff=diff) if call.diff and result.changed else result


def check_user(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if written.arguments.get("account_locked") is True:
        yield "account_locked", "It can only be false: no one but Windows locks an account."


def check_group(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    members = written.arguments.get("members")
    if isinstance(members, dict):
        if unknown := [str(name) for name in members if name not in _MEMBERS]:
            yield "members", f"It has no {', '.join(unknown)}; it has {', '.join(_MEMBERS)}."
        if "set" in members and len(members) > 1:
            yield "members", "'set' says who all are in it, so that 'add' and 'remove' can't be given too."


_STATE = Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state")


def _flag(name: str, text: str) -> Argument:
    return Argument(name=name, type=bool, help=text)


ACTIONS = (
    Action(
        name="win_user",
        perform=perform_user,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Make, change or delete a user of the host itself",
        arguments=(
            Argument(name="name", required=True, help="The user"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "present", "query"),
                help="The wanted state; query describes the user",
            ),
            Argument(name="fullname", help="The full name"),
            Argument(name="description", help="What is said about the user"),
            Argument(name="password", help="The password"),
            Argument(
                name="update_password",
                default="always",
                choices=("always", "on_create"),
                help="Whether to set the password of a user who is there",
            ),
            _flag("password_expired", "Whether another password has to be chosen at the next login"),
            _flag("password_never_expires", "Whether the password holds for ever"),
            _flag("user_cannot_change_password", "Whether only administrators change the password"),
            _flag("account_disabled", "Whether the user can't log in"),
            _flag("account_locked", "false: unlock the account"),
            Argument(name="account_expires", help="When it can't be used any more: 2027-01-31, with a time, or never"),
            Argument(name="home_directory", help="The home directory"),
            Argument(name="login_script", help="What is run at each login"),
            Argument(name="profile", help="Where the profile is"),
            Argument(name="groups", type=list, help="Groups of the host, by names or SIDs"),
            Argument(
                name="groups_action",
                default="replace",
                choices=("add", "remove", "replace"),
                help="Whether the user gets into these groups too, leaves them, or is in no others",
            ),
        ),
        check=check_user,
    ),
    Action(
        name="win_group",
        perform=perform_group,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Make, change or delete a group of the host itself",
        arguments=(
            Argument(name="name", required=True, help="The group"),
            _STATE,
            Argument(name="description", help="What is said about it"),
            Argument(name="members", type=dict, help="Who is to be in it: add and remove, or set for all of them"),
        ),
        check=check_group,
    ),
    Action(
        name="win_group_membership",
        perform=perform_membership,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        platforms=_WINDOWS,
        help="Add users and groups to a group of the host itself, or remove them",
        arguments=(
            Argument(name="name", required=True, help="The group"),
            Argument(name="members", type=list, required=True, help="Users and groups, by any of their names or SIDs"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "present", "pure"),
                help="Whether they are in it, aren't, or are all who are in it",
            ),
        ),
    ),
)
