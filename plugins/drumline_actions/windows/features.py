"""``win_feature`` and ``win_optional_feature``: parts of Windows that are installed or not."""

from __future__ import annotations

import json

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Platform, Steps
from drumline.plugin.kit import Script, ask, result_of, state_diff

_FEATURE = Script.beside(__file__, "feature")
_OPTIONAL = Script.beside(__file__, "optional_feature")

_WINDOWS = (Platform.WINDOWS,)
_STATE = Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state")
_SOURCE = Argument(name="source", help="A directory with its files, such as D:\\sources\\sxs")


def perform_feature(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _FEATURE,
        main=True,
        names=_names(call),
        present=call["state"] == "present",
        all=call["include_sub_features"],
        tools=call["include_management_tools"],
        source=call["source"],
    )
    # Deeper than a script's answer goes.
    answer["feature_result"] = json.loads(answer.get("feature_result", "[]"))
    return result_of(answer)


def perform_optional(call: Call) -> Steps:
    present, parents = call["state"] == "present", call["include_parent"]
    answer = yield from ask(
        call, _OPTIONAL, main=True, names=_names(call), present=present, all=parents, source=call["source"]
    )
    diff = state_diff(answer)
    result = result_of(answer)
    return replace(result, diff=diff) if call.diff and result.changed else result


def _names(call: Call) -> list[str]:
    return [str(name) for name in call["name"]]


ACTIONS = (
    Action(
        name="win_feature",
        perform=perform_feature,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Install or uninstall roles and features of Windows Server",
        arguments=(
            Argument(name="name", type=list, required=True, help="Their names, as Get-WindowsFeature has them"),
            _STATE,
            Argument(name="include_sub_features", type=bool, default=False, help="With all that is below them"),
            Argument(name="include_management_tools", type=bool, default=False, help="With the tools to manage them"),
            _SOURCE,
        ),
    ),
    Action(
        name="win_optional_feature",
        perform=perform_optional,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Enable or disable optional features of Windows",
        arguments=(
            Argument(name="name", type=list, required=True, help="Their names, as Get-WindowsOptionalFeature has them"),
            _STATE,
            Argument(name="include_parent", type=bool, default=False, help="Enable what they need too"),
            _SOURCE,
        ),
    ),
)
