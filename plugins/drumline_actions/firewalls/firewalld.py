"""``firewalld``: zones of a firewall, and what they let through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_FIREWALLD = Script.beside(__file__, "firewalld")
#: Arguments that say what a task is about, with the words of firewall-cmd.
_THINGS = {
    "service": "service",
    "protocol": "protocol",
    "port": "port",
    "source": "source",
    "interface": "interface",
    "icmp_block": "icmp-block",
    "rich_rule": "rich-rule",
    "port_forward": "forward-port",
    "masquerade": "masquerade",
    "icmp_block_inversion": "icmp-block-inversion",
    "forward": "forward",
    "target": "target",
}
#: Those that are on or off.
_SWITCHES = ("masquerade", "icmp_block_inversion", "forward")


def perform(call: Call) -> Steps:
    if fault := _fault(call.arguments):
        raise ActionFailed(fault)
    thing = next((name for name in _THINGS if call[name] is not None), "zone")
    value = _value(thing, call)
    on = call["state"] in ("enabled", "present")
    if thing in _SWITCHES and not call[thing]:
        on = not on
    answer = yield from ask(
        call,
        _FIREWALLD,
        main=True,
        thing=_THINGS.get(thing, thing),
        value=value,
        zone=call["zone"] or "",
        on=on,
        permanent=call["permanent"],
        immediate=call["immediate"] or not call["permanent"],
        offline=call["offline"],
        timeout=call["timeout"],
    )
    shown = "" if thing in _SWITCHES else f" {value}" if value else ""
    lasting = bool(answer.pop("permanently", ""))
    ways = [way for way, did in (("Permanent", lasting), ("Non-Permanent(immediate)", answer.pop("now", ""))) if did]
    said = [f"{' and '.join(ways) or 'No'} operation"]
    if answer.get("changed"):
        said.append(f"Changed {thing}{shown} to {call['state']}")
    return result_of({**answer, "msg": ", ".join(said)})


def _value(thing: str, call: Call) -> str:
    if thing in _SWITCHES:
        return ""
    if thing == "zone":
        return str(call["zone"])
    if thing == "port_forward":
        return _forwarded(call["port_forward"])
    if thing == "port" and not re.fullmatch(r"\d+(-\d+)?/\w+", call["port"]):
        raise ActionFailed(f"'port' is written as PORT/PROTOCOL or FIRST-LAST/PROTOCOL, not {call['port']!r}")
    return str(call[thing])


def _forwarded(given: list[Any]) -> str:
    if len(given) != 1 or not isinstance(given[0], Mapping) or not {"port", "proto"} <= given[0].keys():
        raise ActionFailed("'port_forward' takes one dictionary with port and proto, and toport or toaddr or both")
    forward = given[0]
    parts = [f"port={forward['port']}", f"proto={forward['proto']}"]
    parts += [f"{name}={forward[name]}" for name in ("toport", "toaddr") if forward.get(name)]
    return ":".join(parts)


def _fault(given: Mapping[str, Any]) -> str:
    things = [name for name in _THINGS if given.get(name) is not None]
    state = given.get("state")
    if len(things) > 1:
        return f"can only operate on one thing at once, not on {' and '.join(things)}"
    if state in ("absent", "present") and things and things != ["target"]:
        return "states present and absent are for a zone or its target; use enabled and disabled"
    if not things and state in ("enabled", "disabled"):
        return "states enabled and disabled need what is enabled: service, port, …"
    if not things and not given.get("zone"):
        return "a 'zone' is needed"
    if things in ([], ["target"]) and not given.get("permanent"):
        return "zones and their targets can only be changed with permanent: true"
    if given.get("timeout") and given.get("permanent"):
        return "'timeout' is for what isn't permanent"
    return ""


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.open and (fault := _fault(written.arguments)):
        yield "", f"{fault}."


ACTIONS = (
    Action(
        name="firewalld",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "disabled")),
        help="Let connections through firewalld, or not",
        arguments=(
            Argument(
                name="state",
                required=True,
                choices=("absent", "disabled", "enabled", "present"),
                help="Whether it is let through; present and absent: whether the zone is there",
            ),
            Argument(name="zone", help="Its zone; default: the host's default zone"),
            Argument(name="service", help="Service, as firewalld knows it"),
            Argument(name="port", help="Port or ports with protocol: 8080/tcp, 8000-8010/tcp"),
            Argument(name="protocol", help="Protocol"),
            Argument(name="source", help="Addresses that belong to the zone"),
            Argument(name="interface", help="Interface that belongs to the zone"),
            Argument(name="rich_rule", help="Rule in firewalld's language"),
            Argument(name="icmp_block", help="Kind of ICMP that is refused"),
            Argument(name="port_forward", type=list, help="One dictionary of port, proto, toport, toaddr"),
            Argument(name="masquerade", type=bool, help="Hide addresses of the zone"),
            Argument(name="icmp_block_inversion", type=bool, help="Refuse all kinds of ICMP but those of icmp_block"),
            Argument(name="forward", type=bool, help="Let interfaces of the zone reach each other"),
            Argument(
                name="target",
                choices=("%%REJECT%%", "ACCEPT", "DROP", "default"),
                help="What becomes of everything else in the zone",
            ),
            Argument(name="permanent", type=bool, default=False, help="Keep it for the next start"),
            Argument(name="immediate", type=bool, default=False, help="Do it now; so it is without permanent, anyway"),
            Argument(
                name="offline", type=bool, default=False, help="With permanent, go on where firewalld isn't running"
            ),
            Argument(name="timeout", type=int, default=0, help="Seconds after which it is undone"),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
