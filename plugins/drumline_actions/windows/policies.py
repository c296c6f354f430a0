"""``win_user_right`` and ``win_security_policy``: what ``secedit.exe`` sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Platform, Result, Steps, Written
from drumline.plugin.kit import Script, ask, result_of, state_diff, temporaries

ACCOUNTS = Script.beside(__file__, "accounts")
_SECEDIT = Script.beside(__file__, "secedit")
_RIGHT = Script.beside(__file__, "user_right", needs=(ACCOUNTS, _SECEDIT))
_POLICY = Script.beside(__file__, "security_policy", needs=(_SECEDIT,))

_WINDOWS = (Platform.WINDOWS,)
#: Constant names of rights, without their first letters, Se.
_RIGHTS = """
    AssignPrimaryTokenPrivilege AuditPrivilege BackupPrivilege BatchLogonRight ChangeNotifyPrivilege
    CreateGlobalPrivilege CreatePagefilePrivilege CreatePermanentPrivilege CreateSymbolicLinkPrivilege
    CreateTokenPrivilege DebugPrivilege DelegateSessionUserImpersonatePrivilege DenyBatchLogonRight
    DenyInteractiveLogonRight DenyNetworkLogonRight DenyRemoteInteractiveLogonRight DenyServiceLogonRight
    EnableDelegationPrivilege ImpersonatePrivilege IncreaseBasePriorityPrivilege IncreaseQuotaPrivilege
    IncreaseWorkingSetPrivilege InteractiveLogonRight LoadDriverPrivilege LockMemoryPrivilege
    MachineAccountPrivilege ManageVolumePrivilege NetworkLogonRight ProfileSingleProcessPrivilege
    RelabelPrivilege RemoteInteractiveLogonRight RemoteShutdownPrivilege RestorePrivilege SecurityPrivilege
    ServiceLogonRight ShutdownPrivilege SyncAgentPrivilege SystemEnvironmentPrivilege SystemProfilePrivilege
    SystemtimePrivilege TakeOwnershipPrivilege TcbPrivilege TimeZonePrivilege TrustedCredManAccessPrivilege
    UndockPrivilege
"""


def perform_right(call: Call) -> Steps:
    users = [str(user) for user in call["users"] if str(user)]
    answer = yield from ask(
        call, _RIGHT, main=True, name=call["name"], users=users, how=call["action"], **temporaries()
    )
    return _with_diff(call, answer, call["name"])


def perform_policy(call: Call) -> Steps:
    given: dict[str, Any] = {name: str(call[name]) for name in ("section", "key", "value")}
    answer = yield from ask(call, _POLICY, main=True, **given, **temporaries())
    return _with_diff(call, answer, call["section"], **given)


def _with_diff(call: Call, answer: dict[str, Any], header: str, **values: Any) -> Result:
    diff = state_diff(answer, name=header)
    result = result_of(answer, **values)
    return replace(result, diff=diff) if call.diff and result.changed else result


def check_right(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    name = written.arguments.get("name")
    if isinstance(name, str) and name not in {f"Se{right}" for right in _RIGHTS.split()}:
        yield "name", f"'{name}' is not a user right, such as SeServiceLogonRight. Mind upper and lower case."


def check_policy(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if written.arguments.get("section") == "Privilege Rights":
        yield "section", "User rights are set with win_user_right."


ACTIONS = (
    Action(
        name="win_user_right",
        perform=perform_right,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Give users and groups a right, such as to log on as a service, or take it from them",
        arguments=(
            Argument(name="name", required=True, help="The right's constant name, such as SeServiceLogonRight"),
            Argument(name="users", type=list, required=True, help="Users and groups, by any of their names or SIDs"),
            Argument(
                name="action",
                default="set",
                choices=("add", "remove", "set"),
                help="Whether they get it too, lose it, or are the only ones who have it",
            ),
        ),
        check=check_right,
    ),
    Action(
        name="win_security_policy",
        perform=perform_policy,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Set one of the host's security settings",
        arguments=(
            Argument(name="section", required=True, help="Its section in secedit's files, such as System Access"),
            Argument(name="key", required=True, help="Its key there, such as MinimumPasswordLength"),
            Argument(name="value", required=True, help="Its value; 0 and 1 for off and on"),
        ),
        check=check_policy,
    ),
)
