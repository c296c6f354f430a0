"""Actions that send nothing to the host: ``debug``, ``set_fact``, ``assert``, ``fail``, ``pause``, ``meta``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Approval,
    Argument,
    Ask,
    Call,
    Checks,
    Effect,
    Moment,
    Reconnect,
    Reread,
    Result,
    Sets,
    Shows,
    Sleep,
    Steps,
    Traits,
    Waiting,
    Written,
)

_UNDEFINED = "VARIABLE IS NOT DEFINED!"


def perform_debug(call: Call) -> Steps:
    if call["verbosity"] > _verbosity(call):
        return Result(skipped=True, values={"skipped_reason": "Verbosity threshold not met."})
    if call["var"] is not None:
        return Result(values={call["var"]: _variable(call)})
    message = "Hello world!" if call["msg"] is None else call["msg"]
    if isinstance(message, str):
        return Result(message=message)
    return Result(values={"msg": message})
    yield  # a generator, like every action


def _verbosity(call: Call) -> int:
    if call["verbosity"] == 0:
        return 0
    try:
        return int(call.lookup("ansible_verbosity"))
    except (ActionFailed, ValueError):
        return 0


def _variable(call: Call) -> Any:
    try:
        return call.lookup(call["var"])
    except ActionFailed:
        return _UNDEFINED


def perform_set_fact(call: Call) -> Steps:
    facts = {name: value for name, value in call.arguments.items() if name != "cacheable"}
    if not facts:
        raise ActionFailed("No key/value pairs provided, at least one is required for this action to succeed")
    for name in facts:
        if not name.isidentifier():
            raise ActionFailed(f"The variable name '{name}' is not valid: use letters, digits and _, not a digit first")
    return Result(facts=facts, values={"ansible_facts": facts})
    yield


def check_set_fact(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments of ``set_fact`` that don't depend on the host."""
    if not {*written.arguments, *written.open} - {"cacheable"}:
        yield "", "it sets nothing. Name variables and their values."


def perform_set_stats(call: Call) -> Steps:
    for name in call["data"]:
        if not str(name).isidentifier():
            raise ActionFailed(f"The variable name '{name}' is not valid: use letters, digits and _, not a digit first")
    stats = {name: call[name] for name in ("data", "per_host", "aggregate")}
    return Result(values={"ansible_stats": stats})
    yield


def perform_assert(call: Call) -> Steps:
    for expression, holds in call["that"]:
        if not holds:
            raise _failed(call["fail_msg"] or "Assertion failed", assertion=expression, evaluated_to=False)
    message = "" if call["quiet"] else call["success_msg"] or "All assertions passed"
    return Result(message=message) if isinstance(message, str) else Result(values={"msg": message})
    yield


def perform_fail(call: Call) -> Steps:
    raise _failed(call["msg"])
    yield


def _failed(message: Any, **values: Any) -> ActionFailed:
    """A failure whose message may be a list of lines."""
    return ActionFailed(message, **values) if isinstance(message, str) else ActionFailed("", msg=message, **values)


def perform_pause(call: Call) -> Steps:
    if not any(call[name] is not None for name in _TIMES):
        return (yield from _until_enter(call))
    seconds, said = _until(call["until"]) if call["until"] is not None else _for(call)
    yield Waiting(reason=": ".join(part for part in (said, call["prompt"]) if part), seconds=seconds)
    yield Sleep(seconds=seconds)
    return Result(
        message=call["prompt"] or "",
        values={"rc": 0, "stdout": f"Paused {said}", "stderr": "", "delta": round(seconds), "user_input": ""}
        | {"echo": call["echo"]},
    )


def _until_enter(call: Call) -> Steps:
    """Like Ansible's without a time: someone at the terminal decides when it goes on, and may type something."""
    if not _at_a_terminal():
        return Result(values=_paused(call, 0.0) | {"warnings": [_NO_TERMINAL]})
    began = time.time()
    prompt = call["prompt"] or "Press Enter to continue."
    approval: Approval = yield Ask(message=prompt, enter=True, echo=call["echo"])
    if not approval.approved:
        raise ActionFailed(f"rejected by {approval.by}{f': {approval.comment}' if approval.comment else ''}")
    return Result(values=_paused(call, time.time() - began) | {"user_input": approval.comment})


def _paused(call: Call, took: float) -> dict[str, Any]:
    said = f"Paused for {round(took / 60, 2)} minutes"
    return {"rc": 0, "stdout": said, "stderr": "", "delta": round(took), "echo": call["echo"], "user_input": ""}


def _at_a_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # it was closed
        return False


_TIMES = ("seconds", "minutes", "until")
_NO_TERMINAL = "Not waiting for Enter: the run has no terminal"


def _for(call: Call) -> tuple[float, str]:
    unit = "minutes" if call["seconds"] is None else "seconds"
    return max(0.0, call[unit] * (60 if unit == "minutes" else 1)), f"for {call[unit]:g} {unit}"


def _until(moment: Moment) -> tuple[float, str]:
    now = time.time()
    at = moment.after(now)
    shown = datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="seconds")
    if at < now:
        raise ActionFailed(f"until {shown} can't be waited for: it was {now - at:.0f} seconds ago")
    return at - now, f"until {shown}"


def perform_meta(call: Call) -> Steps:
    """But for connections, nothing is done on a host: the run itself obeys."""
    if call["free_form"] == "reset_connection":
        yield Reconnect()
    elif call["free_form"] == "refresh_inventory":
        yield Reread()
    return Result()


_METAS = (
    *("noop", "flush_handlers", "end_host", "end_role", "end_batch", "end_play"),
    *("clear_facts", "clear_host_errors", "reset_connection", "refresh_inventory"),
)


ACTIONS = (
    Action(
        name="meta",
        foreground=True,
        perform=perform_meta,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, meta="free_form"),
        help="Ask something of the run itself, such as to run handlers now",
        arguments=(Argument(name="free_form", required=True, choices=_METAS, help="What it is asked"),),
        free_form="free_form",
        text_languages={"": ("words",)},
    ),
    Action(
        name="debug",
        foreground=True,
        perform=perform_debug,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, shows=Shows.MESSAGE),
        help="Show a message or a variable",
        arguments=(
            Argument(name="msg", type=object, help="What to show"),
            Argument(name="var", help="Name of a variable to show"),
            Argument(name="verbosity", type=int, default=0, help="How many -v are needed to show it"),
        ),
        exclusive=(("msg", "var"),),
    ),
    Action(
        name="set_fact",
        foreground=True,
        perform=perform_set_fact,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.ARGUMENTS),
        help="Set variables of the host for the rest of the run",
        arguments=(Argument(name="cacheable", type=bool, default=False, help="Accepted without effect"),),
        open_arguments=True,
        check=check_set_fact,
    ),
    Action(
        name="set_stats",
        foreground=True,
        perform=perform_set_stats,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Keep values in the result of the task",
        arguments=(
            Argument(name="data", type=dict, required=True, help="The values by their names"),
            Argument(name="per_host", type=bool, default=False, help="Whether they are the host's own"),
            Argument(name="aggregate", type=bool, default=True, help="Whether they are added to those of other tasks"),
        ),
    ),
    Action(
        name="assert",
        foreground=True,
        perform=perform_assert,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Fail unless all conditions hold",
        arguments=(
            Argument(name="that", type=list, required=True, help="Conditions"),
            Argument(
                name="fail_msg", type=object, aliases=("msg",), help="What to say if one doesn't hold: text or lines"
            ),
            Argument(name="success_msg", type=object, help="What to say if all hold: text or lines"),
            Argument(name="quiet", type=bool, default=False, help="Say nothing if all hold"),
        ),
        expressions=("that",),
    ),
    Action(
        name="fail",
        foreground=True,
        perform=perform_fail,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Fail with a message",
        arguments=(
            Argument(name="msg", type=object, default="Failed as requested from task", help="Why: text or lines"),
        ),
    ),
    Action(
        name="pause",
        foreground=True,
        perform=perform_pause,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Wait for some time, or until a time",
        arguments=(
            Argument(name="seconds", type=float, help="How long"),
            Argument(name="minutes", type=float, help="How long"),
            Argument(name="until", type=Moment, help="Until when: a time of day here, or a date with time and zone"),
            Argument(name="prompt", help="What to show"),
            Argument(name="echo", type=bool, default=True, help="If no time is given: show and keep what is typed"),
        ),
        exclusive=(_TIMES,),
        once=True,
    ),
)
