"""``ufw``: Ubuntu's firewall."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_UFW = Script.beside(__file__, "ufw")
_COMMANDS = ("default", "logging", "rule", "state")
_WAYS = {"in": "in", "incoming": "in", "out": "out", "outgoing": "out"}


def perform(call: Call) -> Steps:
    if not any(call[name] for name in _COMMANDS):
        raise ActionFailed("one of the following is required: default, logging, rule, state")
    if fault := _fault(call.arguments):
        raise ActionFailed(fault)
    answer = yield from ask(
        call,
        _UFW,
        main=True,
        state=call["state"],
        logging=call["logging"],
        default=" ".join(_default(call)),
        rule=call["rule"],
        words=shlex.join(_rule(call)),
        delete="delete" if call["delete"] else "",
        route="route" if call["route"] else "",
        insert=None if call["delete"] else call["insert"],
        relative=call["insert_relative_to"],
    )
    return result_of(answer)


def _default(call: Call) -> list[str]:
    direction = call["direction"]
    return [call["default"], *([direction] if direction else [])] if call["default"] else []


def _rule(call: Call) -> list[str]:
    """The words behind allow, deny, …"""
    if not call["rule"]:
        return []
    words = []
    direction, interface = _WAYS.get(call["direction"] or ""), call["interface"]
    for way, name in (("in", "interface_in"), ("out", "interface_out")):
        if call[name]:
            words += [way, "on", call[name]]
    if direction:
        words += [direction, *(["on", interface] if interface else [])]
    if call["log"]:
        words.append("log")
    words += ["from", call["from_ip"], *(["port", call["from_port"]] if call["from_port"] else [])]
    words += ["to", call["to_ip"], *(["port", call["to_port"]] if call["to_port"] else [])]
    words += ["proto", call["proto"]] if call["proto"] else []
    words += ["app", call["name"]] if call["name"] else []
    return words + (["comment", call["comment"]] if call["comment"] else [])


def _fault(given: Any) -> str:
    direction = given.get("direction")
    if given.get("default") and given.get("rule"):
        return "'default' and 'rule' are for tasks of their own"
    if given.get("interface") and direction not in ("in", "incoming", "out", "outgoing"):
        return "'interface' needs 'direction': in or out"
    if given.get("interface_in") and given.get("interface_out") and not given.get("route"):
        return "'interface_in' and 'interface_out' together need route: true"
    return ""


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given(*_COMMANDS):
        yield "", "'ufw' needs one of 'state', 'rule', 'default' and 'logging'."
    if not written.open and (fault := _fault(written.arguments)):
        yield "", f"{fault}."


_RELATIVE = ("first-ipv4", "first-ipv6", "last-ipv4", "last-ipv6", "zero")
_PROTOCOLS = ("ah", "any", "esp", "gre", "igmp", "ipv6", "tcp", "udp", "vrrp")

ACTIONS = (
    Action(
        name="ufw",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("delete", "True")),
        help="Keep a rule of Ubuntu's firewall, or turn it on or off",
        arguments=(
            Argument(
                name="state",
                choices=("disabled", "enabled", "reloaded", "reset"),
                help="Whether it is on, now and after the next start; reset: all rules go",
            ),
            Argument(
                name="default",
                choices=("allow", "deny", "reject"),
                aliases=("policy",),
                help="What becomes of connections that no rule takes",
            ),
            Argument(
                name="direction",
                choices=("in", "incoming", "out", "outgoing", "routed"),
                help="Which connections the rule, or default, is for",
            ),
            Argument(name="logging", choices=("full", "high", "low", "medium", "off", "on"), help="How much is logged"),
            Argument(name="rule", choices=("allow", "deny", "limit", "reject"), help="What becomes of connections"),
            Argument(name="from_ip", default="any", aliases=("from", "src"), help="Where they come from"),
            Argument(name="from_port", help="Port that they come from"),
            Argument(name="to_ip", default="any", aliases=("dest", "to"), help="Where they go to"),
            Argument(name="to_port", aliases=("port",), help="Port that they go to, or first:last"),
            Argument(name="proto", choices=_PROTOCOLS, aliases=("protocol",), help="Protocol"),
            Argument(name="name", aliases=("app",), help="Profile of an application, instead of ports"),
            Argument(name="interface", aliases=("if",), help="Interface, in the direction"),
            Argument(name="interface_in", aliases=("if_in",), help="Interface that they come in by"),
            Argument(name="interface_out", aliases=("if_out",), help="Interface that they go out by"),
            Argument(name="route", type=bool, default=False, help="Connections of others that pass this host"),
            Argument(name="log", type=bool, default=False, help="Log new connections of the rule"),
            Argument(name="comment", help="What the rule is for"),
            Argument(name="delete", type=bool, default=False, help="Remove the rule"),
            Argument(name="insert", type=int, help="Where a new rule is put"),
            Argument(
                name="insert_relative_to", default="zero", choices=_RELATIVE, help="From which rule insert is counted"
            ),
        ),
        exclusive=(("name", "proto"), ("direction", "interface_in"), ("direction", "interface_out")),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
