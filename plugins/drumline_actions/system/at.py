"""``at``: commands that a host runs once, later."""

from __future__ import annotations

from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_AT = Script.beside(__file__, "at")


def perform(call: Call) -> Steps:
    state, timing = call["state"], ("count", "units")
    if state == "present" and (missing := [name for name in timing if call[name] is None]):
        raise ActionFailed(f"state is present but all of the following are missing: {', '.join(missing)}")
    command = call["command"]
    answer = yield from ask(
        call,
        _AT,
        main=True,
        stdin=(command or "").encode(),
        file=call["script_file"] or "",
        count=call["count"],
        units=call["units"],
        unique=call["unique"],
        state=state,
    )
    values: dict[str, Any] = {"state": state}
    if state == "present" and answer.get("changed"):
        values |= {"script_file": call["script_file"], "count": call["count"], "units": call["units"]}
    return result_of(answer, **values)


ACTIONS = (
    Action(
        name="at",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Have a host run a command once, later",
        arguments=(
            Argument(name="command", help="The command"),
            Argument(name="script_file", type=HostPath, help="File on the host with commands, instead"),
            Argument(name="count", type=int, help="In how many"),
            Argument(name="units", choices=("days", "hours", "minutes", "weeks"), help="Of what"),
            Argument(name="state", default="present", choices=("absent", "present"), help="absent: whenever it is due"),
            Argument(name="unique", type=bool, default=False, help="Only if it isn't waiting already"),
        ),
        exclusive=(("command", "script_file"),),
        one_of=(("command", "script_file"),),
        platforms=(Platform.POSIX,),
    ),
)
