"""``hostname``: the name of the host."""

from __future__ import annotations

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Platform, Sets, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of, text_diff

_HOSTNAME = Script.beside(__file__, "hostname")
_WAYS = tuple(
    "alpine darwin debian freebsd generic macos macosx openbsd openrc redhat sles solaris systemd".split()  # noqa: SIM905
)


def perform(call: Call) -> Steps:
    name = call["name"]
    answer = yield from ask(call, _HOSTNAME, main=True, name=name, use=call["use"])
    before, fqdn = answer.pop("before"), answer.pop("fqdn")
    result = result_of(answer, name=name)
    facts = {
        "ansible_hostname": name.split(".")[0],
        "ansible_nodename": name,
        "ansible_fqdn": fqdn,
        "ansible_domain": fqdn.partition(".")[2],
    }
    diff = text_diff(f"hostname = {before}\n", f"hostname = {name}\n", "hostname") if result.changed else None
    return replace(result, facts=facts, diff=diff)


ACTIONS = (
    Action(
        name="hostname",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(sets=Sets.FACTS),
        help="Set the name of the host",
        arguments=(
            Argument(name="name", required=True, help="The name"),
            Argument(name="use", choices=_WAYS, help="Where it is kept; default: as the host does it"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
