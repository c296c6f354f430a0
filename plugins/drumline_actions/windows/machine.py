"""``win_timezone``, ``win_hostname`` and ``win_power_plan``: settings of the host as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits, Written
from drumline.plugin.kit import Answered, HostAnswer, Script, ask, result_of, state_diff

_ZONE = Script.beside(__file__, "timezone")
_NAME = Script.beside(__file__, "hostname")
_PLAN = Script.beside(__file__, "power_plan")

_WINDOWS = (Platform.WINDOWS,)
_TRAITS = Traits(effect=Effect.NOTHING)


def perform_timezone(call: Call) -> Steps:
    return (yield from _done(call, ask(call, _ZONE, wanted=call["timezone"])))


def perform_hostname(call: Call) -> Steps:
    return (yield from _done(call, ask(call, _NAME, name=call["name"])))


def perform_power_plan(call: Call) -> Steps:
    return (yield from _done(call, ask(call, _PLAN, name=call["name"], guid=call["guid"])))


def _done(call: Call, asked: Answered) -> Steps:
    answer: HostAnswer = yield from asked
    diff = state_diff(answer)
    result = result_of(answer)
    return replace(result, diff=diff) if call.diff and result.changed else result


def check_hostname(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    name = written.arguments.get("name")
    if isinstance(name, str) and (not re.fullmatch(r"[A-Za-z0-9-]{1,63}", name) or name.isdigit()):
        yield (
            "name",
            f"'{name}' is not a valid name of a computer: letters, digits and - (63 at most), not only digits.",
        )


ACTIONS = (
    Action(
        name="win_timezone",
        perform=perform_timezone,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Set the host's time zone",
        arguments=(
            Argument(
                name="timezone",
                required=True,
                help="Its name in Windows, such as W. Europe Standard Time; with _dstoff: no daylight saving time",
            ),
        ),
    ),
    Action(
        name="win_hostname",
        perform=perform_hostname,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Give the host another name, which it has after a restart",
        arguments=(Argument(name="name", required=True, help="The name"),),
        check=check_hostname,
    ),
    Action(
        name="win_power_plan",
        perform=perform_power_plan,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Choose the host's power plan",
        arguments=(
            Argument(name="name", help="Its name, such as High performance"),
            Argument(name="guid", help="Its GUID, which is the same in all languages"),
        ),
        one_of=(("guid", "name"),),
        exclusive=(("guid", "name"),),
    ),
)
