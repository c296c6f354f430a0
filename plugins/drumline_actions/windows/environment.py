"""``win_environment`` and ``win_path``: environment variables of the machine, the user or the process."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    Platform,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Script, ask, result_of

_VARIABLES = Script.beside(__file__, "environment")
_PATH = Script.beside(__file__, "path")

_WINDOWS = (Platform.WINDOWS,)


def perform_environment(call: Call) -> Steps:
    given = call["variables"] if call["variables"] is not None else {call["name"]: call["value"]}
    absent = call["state"] == "absent"
    rows = [{"name": str(name), "value": None if absent or not value else str(value)} for name, value in given.items()]
    if call["variables"] is None and not absent and not call["value"]:
        raise ActionFailed(
            "When state=present, value must be defined and not an empty string; use state=absent to remove it"
        )
    answer = yield from ask(call, _VARIABLES, main=True, rows=rows, level=call["level"])
    values = answer.pop("values", {})
    if call["variables"] is not None:
        return Result(changed=bool(answer["changed"]), values={"values": values})
    return result_of({**answer, **values.get(str(call["name"]), {}), "value": None if absent else call["value"]})


def perform_path(call: Call) -> Steps:
    elements = [str(element) for element in call["elements"]]
    answer = yield from ask(
        call,
        _PATH,
        main=True,
        name=call["name"],
        elements=elements,
        level=call["scope"],
        present=call["state"] == "present",
    )
    return result_of(answer)


def check_environment(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if not written.given("variables", "name"):
        yield "name", "One of 'name' and 'variables' is needed."
    if written.given("variables") and written.given("name", "value"):
        yield "variables", "'variables' holds names and values; leave 'name' and 'value' out."


ACTIONS = (
    Action(
        name="win_environment",
        perform=perform_environment,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Set or remove environment variables",
        arguments=(
            Argument(name="name", help="The variable"),
            Argument(name="value", help="Its value"),
            Argument(
                name="variables", type=dict, help="Several variables with their values; an empty value removes one"
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(
                name="level", required=True, choices=("machine", "process", "user"), help="Whose environment it is"
            ),
        ),
        check=check_environment,
    ),
    Action(
        name="win_path",
        perform=perform_path,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Add elements to PATH or a variable like it, or remove them",
        arguments=(
            Argument(name="elements", type=list, required=True, help="Directories"),
            Argument(name="name", default="PATH", help="The variable"),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(name="scope", default="machine", choices=("machine", "user"), help="Whose environment it is"),
        ),
    ),
)
