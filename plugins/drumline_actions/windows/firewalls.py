"""``win_firewall`` and ``win_firewall_rule``: the firewall of Windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Platform, Result, Steps, Traits, Written
from drumline.plugin.kit import HostAnswer, Script, ask, result_of, state_diff

_PROFILES = Script.beside(__file__, "firewall")
_RULE = Script.beside(__file__, "firewall_rule")

_WINDOWS = (Platform.WINDOWS,)
_ACTIONS = {"allow": "Allow", "block": "Block", "not_configured": "NotConfigured", None: None}
_DIRECTIONS = {"in": "Inbound", "out": "Outbound", None: None}
#: Words of addresses that Windows spells in its own way.
_ADDRESSES = {"any": "Any", "localsubnet": "LocalSubnet", "dns": "DNS", "dhcp": "DHCP", "wins": "WINS"}
_ADDRESSES["defaultgateway"] = "DefaultGateway"


def perform_profiles(call: Call) -> Steps:
    profiles, enabled = [str(name) for name in call["profiles"]], call["state"] == "enabled"
    answer = yield from ask(
        call,
        _PROFILES,
        main=True,
        profiles=profiles,
        enabled=enabled,
        actions={
            "DefaultInboundAction": _ACTIONS[call["inbound_action"]],
            "DefaultOutboundAction": _ACTIONS[call["outbound_action"]],
        },
    )
    return _with_diff(call, answer, enabled=enabled, profiles=profiles, state=call["state"])


def perform_rule(call: Call) -> Steps:
    answer = yield from ask(call, _RULE, main=True, name=call["name"], state=call["state"], wanted=_properties(call))
    return _with_diff(call, answer)


def _properties(call: Call) -> dict[str, Any]:
    """The properties of a rule, in the terms of ``New-NetFirewallRule``."""
    enabled, icmp = call["enabled"], call["icmp_type_code"]
    return {
        "Action": _ACTIONS[call["action"]],
        "Description": call["description"],
        "Direction": _DIRECTIONS[call["direction"]],
        "Enabled": None if enabled is None else str(enabled),
        "Group": call["group"],
        "IcmpType": None if icmp is None else ["Any" if str(entry) == "*" else str(entry) for entry in icmp],
        "LocalAddress": _words(call["localip"], _ADDRESSES),
        "LocalPort": _words(call["localport"]),
        "Profile": _profiles(call["profiles"]),
        "Program": _any(call["program"]),
        "Protocol": _any(call["protocol"]),
        "RemoteAddress": _words(call["remoteip"], _ADDRESSES),
        "RemotePort": _words(call["remoteport"]),
        "Service": _any(call["service"]),
    }


def _words(text: str | None, known: dict[str, str] = _ADDRESSES) -> list[str] | None:
    if text is None:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    return [known.get(word.lower(), word) for word in words]


def _any(text: str | None) -> str | None:
    return "Any" if text is not None and text.lower() == "any" else text


def _profiles(names: list[Any] | None) -> list[str] | None:
    if names is None:
        return None
    given = [str(name).capitalize() for name in names]
    return ["Any"] if {"Domain", "Private", "Public"} <= set(given) else given


def _with_diff(call: Call, answer: HostAnswer, **values: Any) -> Result:
    diff = state_diff(answer)
    result = result_of(answer, **values)
    return replace(result, diff=diff) if call.diff and result.changed else result


def check_rule(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    for name in written.given("localport", "remoteport"):
        if not written.given("protocol"):
            yield name, "'protocol' is needed too: tcp or udp."


def _argument(name: str, text: str) -> Argument:
    return Argument(name=name, help=text)


ACTIONS = (
    Action(
        name="win_firewall",
        perform=perform_profiles,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Turn the firewall on or off for kinds of networks",
        arguments=(
            Argument(name="state", required=True, choices=("disabled", "enabled"), help="The wanted state"),
            Argument(
                name="profiles",
                type=list,
                default=["Domain", "Private", "Public"],
                help="The kinds of networks: Domain, Private, Public",
            ),
            Argument(
                name="inbound_action",
                choices=("allow", "block", "not_configured"),
                help="What becomes of packets that come in, and that no rule is for",
            ),
            Argument(
                name="outbound_action",
                choices=("allow", "block", "not_configured"),
                help="The same for those that go out",
            ),
        ),
    ),
    Action(
        name="win_firewall_rule",
        perform=perform_rule,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        platforms=_WINDOWS,
        help="Make, change or remove rules of the firewall",
        arguments=(
            _argument("name", "The name that people see; rules that share it are all brought to the same"),
            _argument("group", "Its group; without name: all rules of that group"),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(name="action", choices=("allow", "block"), help="What it does; allow in a new one"),
            Argument(name="direction", choices=("in", "out"), help="Which packets it is for; in, in a new one"),
            Argument(name="enabled", type=bool, aliases=("enable",), help="Whether it holds; true in a new one"),
            _argument("description", "What is said about it"),
            _argument("protocol", "tcp, udp, icmpv4, icmpv6, any, or a number"),
            _argument("localport", "Ports of the host, with commas and ranges; any"),
            _argument("remoteport", "Ports of the other side"),
            _argument("localip", "Addresses of the host, with commas; any"),
            _argument("remoteip", "Addresses of the other side; localsubnet and its kin too"),
            _argument("program", "The program that it is for; any"),
            _argument("service", "The service that it is for; any"),
            Argument(name="profiles", type=list, aliases=("profile",), help="The kinds of networks that it is for"),
            Argument(name="icmp_type_code", type=list, help="Types and codes of ICMP, such as 8:0, or *"),
        ),
        one_of=(("group", "name"),),
        check=check_rule,
    ),
)
