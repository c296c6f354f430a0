"""``mysql_variables``: what a server is set to."""

from __future__ import annotations

import re

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Result, Steps
from drumline_mysql.client import CONNECTION, POSIX, ask, change, literal, name_of

_SCOPES = {"global": "GLOBAL", "persist": "PERSIST", "persist_only": "PERSIST_ONLY"}
_TRUTH = {"1": "ON", "0": "OFF", "TRUE": "ON", "FALSE": "OFF", "YES": "ON", "NO": "OFF"}


def perform(call: Call) -> Steps:
    name, value = call["variable"], call["value"]
    if not re.fullmatch(r"[0-9A-Za-z_.]+", name):
        raise ActionFailed(f'invalid variable name "{name}"')
    found = yield from ask(call, f"SHOW GLOBAL VARIABLES WHERE Variable_name = {literal(name)};\n")
    if not found or not found[0]:
        raise ActionFailed(f'Variable not available "{name}"')
    [row] = found[0]
    has = row["Value"] or ""
    if value is None:
        return Result(message=has)
    if call["mode"] == "global" and _same(has, str(value)):
        return Result(message="Variable is already set to requested value.")
    number = re.fullmatch(r"-?\d+(\.\d+)?", str(value))
    statement = f"SET {_SCOPES[call['mode']]} {_quoted(name)} = {value if number else literal(str(value))}"
    yield from change(call, [statement])
    return Result(changed=True, message=f"Variable change succeeded prev_value={has}", values={"queries": [statement]})


def _quoted(name: str) -> str:
    return ".".join(name_of(part) for part in name.split("."))


def _same(has: str, wanted: str) -> bool:
    if has in ("ON", "OFF"):
        return has == _TRUTH.get(wanted.upper(), wanted.upper())
    try:
        return float(has) == float(wanted)
    except ValueError:
        return has == wanted


ACTIONS = (
    Action(
        name="mysql_variables",
        perform=perform,
        checks=Checks.FULLY,
        help="Set a variable of a MySQL or MariaDB server, or ask for it, by mysql",
        arguments=(
            Argument(name="variable", required=True, help="Its name"),
            Argument(name="value", help="Its value; without it the task only asks, and msg has it"),
            Argument(
                name="mode",
                default="global",
                choices=tuple(_SCOPES),
                help="Until when it counts; MySQL alone keeps it beyond a restart, and then it is set each time",
            ),
            *CONNECTION,
        ),
        platforms=POSIX,
    ),
)
