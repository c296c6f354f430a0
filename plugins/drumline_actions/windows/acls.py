"""``win_acl`` and ``win_owner``: who may do what with files, directories and keys of the registry."""

from __future__ import annotations

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Result, Steps, Traits
from drumline.plugin.kit import HostAnswer, Script, ask, result_of, state_diff
from drumline_actions.windows.policies import ACCOUNTS

_ACL = Script.beside(__file__, "acl", needs=(Script.beside(__file__, "registry"),))
_ACCESS = Script.beside(__file__, "access", needs=(ACCOUNTS, _ACL))
_OWNER = Script.beside(__file__, "owner", needs=(ACCOUNTS, _ACL))

_WINDOWS = (Platform.WINDOWS,)


def perform_access(call: Call) -> Steps:
    same = ("path", "user", "rights", "type", "inherit", "propagation", "follow")
    answer = yield from ask(
        call, _ACCESS, main=True, **{name: call[name] for name in same}, present=call["state"] == "present"
    )
    return _with_diff(call, answer)


def perform_owner(call: Call) -> Steps:
    answer = yield from ask(call, _OWNER, main=True, path=call["path"], user=call["user"], recurse=call["recurse"])
    return _with_diff(call, answer)


def _with_diff(call: Call, answer: HostAnswer) -> Result:
    diff = state_diff(answer, path=call["path"])
    result = result_of(answer)
    return replace(result, diff=diff) if call.diff and result.changed else result


_PATH = Argument(name="path", required=True, help="The file or directory")
_USER = Argument(name="user", required=True, help="The user or group, by any of its names or its SID")

ACTIONS = (
    Action(
        name="win_acl",
        perform=perform_access,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        platforms=_WINDOWS,
        help="Add a permission of a user or group on a file, directory or key of the registry, or remove it",
        arguments=(
            Argument(name="path", required=True, help="The file, directory or key, such as HKLM:\\Software\\Flagship"),
            _USER,
            Argument(
                name="rights", required=True, help="Rights as .NET names them, with commas: Read, Modify, ReadKey"
            ),
            Argument(name="type", required=True, choices=("allow", "deny"), help="Whether they are allowed or denied"),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(
                name="inherit",
                help="What inherits it: ContainerInherit, ObjectInherit, None; default: all below a directory or key",
            ),
            Argument(
                name="propagation",
                default="None",
                choices=("InheritOnly", "None", "NoPropagateInherit"),
                help="How it is inherited",
            ),
            Argument(name="follow", type=bool, default=False, help="The target of a link, not the link itself"),
        ),
    ),
    Action(
        name="win_owner",
        perform=perform_owner,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        platforms=_WINDOWS,
        help="Set the owner of a file or directory",
        arguments=(
            _PATH,
            _USER,
            Argument(name="recurse", type=bool, default=False, help="Set that of all in the directory too"),
        ),
    ),
)
