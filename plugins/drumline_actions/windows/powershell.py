"""``win_powershell``: a PowerShell script with parameters, typed output, and a say in what the task's result is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    CheckImpossible,
    Checks,
    Platform,
    Result,
    Steps,
    Written,
)
from drumline.plugin.kit import Script, ask, readable

_POWERSHELL = Script.beside(__file__, "powershell")

_WINDOWS = (Platform.WINDOWS,)
_OUTPUT = ("output", "error", "warning", "verbose", "debug", "information", "host_out", "host_err", "result")


def perform(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _POWERSHELL,
        main=True,
        script=_script(call),
        parameters=_parameters(call),
        chdir=call["chdir"],
        creates=call["creates"],
        removes=call["removes"],
        depth=call["depth"],
        error_action=_ACTIONS_ON_ERROR[call["error_action"]],
    )
    if answer.get("unsupported"):
        raise CheckImpossible(
            "the script doesn't say that it supports a check ([CmdletBinding(SupportsShouldProcess)])"
        )
    if answer.get("not_run"):
        return Result(skipped=True, message=str(answer["not_run"]))
    values = {name: answer[name] for name in _OUTPUT if name in answer}
    values["output"] = [_parsed(item) for item in answer.get("output", ())]
    if "result" in values:
        values["result"] = _parsed(values["result"])
    failed = bool(answer.get("script_failed"))
    message = str(answer.get("said") or "") if failed else ""
    return Result(changed=bool(answer["changed"]), failed=failed, message=message, values=values)


def _script(call: Call) -> str:
    if call["path"] is None:
        return str(call["script"])
    path = call.find_file(call["path"], "files")
    with readable(path):
        return path.read_text(encoding="utf-8-sig")


def _parameters(call: Call) -> list[dict[str, Any]]:
    """Each with its value as JSON, from which PowerShell makes objects, or as secret text."""
    rows: list[dict[str, Any]] = [
        {"name": str(name), "json": json.dumps(value)} for name, value in (call["parameters"] or {}).items()
    ]
    for one in call["sensitive_parameters"] or ():
        if not isinstance(one, dict) or "name" not in one:
            raise ActionFailed("each of sensitive_parameters has a 'name', and a 'value' or 'username' and 'password'")
        secret = one.get("password", one.get("value", ""))
        rows.append({"name": str(one["name"]), "secret": str(secret), "user": one.get("username")})
    return rows


def _parsed(item: Any) -> Any:
    return json.loads(item) if isinstance(item, str) else item


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if not written.given("script", "path"):
        yield "script", "One of 'script' and 'path' is needed."


_ACTIONS_ON_ERROR = {"silently_continue": "SilentlyContinue", "continue": "Continue", "stop": "Stop"}

ACTIONS = (
    Action(
        name="win_powershell",
        perform=perform,
        checks=Checks.PARTLY,
        platforms=_WINDOWS,
        help="Run a PowerShell script that may set the task's result by $Ansible",
        arguments=(
            Argument(name="script", help="The script"),
            Argument(name="path", help="Its file on this machine, instead of script"),
            Argument(name="parameters", type=dict, help="Parameters for it, of any type"),
            Argument(
                name="sensitive_parameters",
                type=list,
                help="Parameters that become a SecureString (value) or a PSCredential (username, password)",
            ),
            Argument(name="chdir", help="Directory on the host to run in"),
            Argument(name="creates", help="Path or pattern on the host: if it exists, nothing is run"),
            Argument(name="removes", help="Path or pattern on the host: if it doesn't exist, nothing is run"),
            Argument(name="depth", type=int, default=2, help="How deep objects of the output are taken apart"),
            Argument(
                name="error_action",
                default="continue",
                choices=tuple(_ACTIONS_ON_ERROR),
                help="What an error that doesn't end the script does",
            ),
            Argument(name="executable", refused="Use win_shell with 'executable'.", help="Not here"),
            Argument(name="arguments", type=list, refused="Use win_shell with 'executable'.", help="Not here"),
            Argument(name="remote_src", type=bool, refused="Call the file by its name in 'script'.", help="Not here"),
        ),
        free_form="script",
        check=check,
        exclusive=(("script", "path"),),
    ),
)
