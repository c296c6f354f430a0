"""``debconf`` and ``dpkg_selections``: what packages of Debian are told before they are installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, readable_text, result_of, state_diff

_DEBCONF = Script.beside(__file__, "debconf")
_SELECTIONS = Script.beside(__file__, "dpkg_selections")
_TOGETHER = ("question", "value", "vtype")
_SHOWN = re.compile(r"^[* ] ([^:\s]+): ?(.*)$", re.MULTILINE)
_TYPES = ("boolean", "error", "multiselect", "note", "password", "seen", "select", "string", "text", "title")


def perform_debconf(call: Call) -> Steps:
    question, kind = call["question"], call["vtype"]
    given = [name for name in _TOGETHER if call[name] is not None]
    if given and len(given) < len(_TOGETHER):
        raise ActionFailed("parameters are required together: question, vtype, value")
    value = _text(call["value"], kind)
    line = f"{call['name']} {question} {kind} {value}\n" if question else ""
    if line.count("\n") > 1:
        raise ActionFailed("'value' can't have more than one line")
    answer = yield from ask(
        call,
        _DEBCONF,
        main=True,
        stdin=line.encode(),
        name=call["name"],
        question=question,
        vtype=kind,
        unseen=call["unseen"],
    )
    shown = dict(_SHOWN.findall(readable_text(answer.pop("shown"))))
    if not answer.get("changed"):
        return result_of(answer, current=shown)
    previous = shown if question in shown else {**shown, question: ""}
    hidden = kind == "password"
    diff = {"before": {question: previous[question]}, "after": {question: "(password omitted)" if hidden else value}}
    return replace(result_of(answer, current={question: value}, previous=previous), diff=diff)


def _text(value: Any, kind: str | None) -> str:
    if kind == "boolean" and isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def check_debconf(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    given = written.given(*_TOGETHER)
    if given and len(given) < len(_TOGETHER):
        yield given[0], "'debconf' needs 'question', 'vtype' and 'value' together."


def perform_selections(call: Call) -> Steps:
    answer = yield from ask(call, _SELECTIONS, main=True, name=call["name"], selection=call["selection"])
    diff = state_diff(answer)
    return replace(result_of(answer, after=call["selection"]), diff=diff)


ACTIONS = (
    Action(
        name="debconf",
        perform=perform_debconf,
        checks=Checks.FULLY,
        help="Answer a question that a package of Debian asks when it is configured",
        arguments=(
            Argument(name="name", required=True, aliases=("pkg",), help="The package"),
            Argument(name="question", aliases=("selection", "setting"), help="The question; without it, all are shown"),
            Argument(name="vtype", choices=_TYPES, help="Of what kind it is"),
            Argument(name="value", type=object, aliases=("answer",), help="The answer; a list for multiselect"),
            Argument(name="unseen", type=bool, default=False, help="It may be asked again all the same"),
        ),
        check=check_debconf,
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="dpkg_selections",
        perform=perform_selections,
        checks=Checks.FULLY,
        traits=Traits(removes=("selection", "deinstall")),
        help="Say what dpkg is to do with a package: keep its version, for example",
        arguments=(
            Argument(name="name", required=True, help="The package"),
            Argument(
                name="selection",
                required=True,
                choices=("deinstall", "hold", "install", "purge"),
                help="hold: don't upgrade it",
            ),
        ),
        platforms=(Platform.POSIX,),
    ),
)
