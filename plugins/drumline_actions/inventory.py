"""Actions that change which hosts and groups there are, for the plays that follow: ``add_host``, ``group_by``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, Result, Sets, Steps, Traits, Written

_OWN = ("name", "groups")
_MOST_PORT = 65_535


def perform_add_host(call: Call) -> Steps:
    name, port = _host_and_port(str(call["name"]))
    groups = [group for group in map(str.strip, map(str, call["groups"])) if group]
    variables = {key: value for key, value in call.arguments.items() if key not in _OWN}
    if port is not None:
        variables["ansible_ssh_port"] = port
    added = {"host_name": name, "groups": groups, "host_vars": variables}
    known: Mapping[str, Any] = call.lookup("groups")
    is_known = name in known["all"] and all(name in known.get(group, ()) for group in groups)
    return Result(changed=not is_known or bool(variables), values={"add_host": added})
    yield  # a generator, like every action


def _host_and_port(written: str) -> tuple[str, int | None]:
    """``web1:2222`` as its parts. An IPv6 address has more than one colon, unless it stands in brackets."""
    name, colon, port = written.strip().rpartition(":")
    if not colon or (":" in name and not name.endswith("]")):
        return written.strip(), None
    if not port.isdigit() or not 0 < int(port) <= _MOST_PORT:
        raise ActionFailed(f"'name' of 'add_host' has no valid port: {written!r}.")
    return name.strip("[]"), int(port)


def perform_group_by(call: Call) -> Steps:
    group = str(call["key"]).replace(" ", "-")
    parents = [str(parent).replace(" ", "-") for parent in call["parents"]]
    known: Mapping[str, Any] = call.lookup("groups")
    values = {"add_group": group, "parent_groups": parents}
    return Result(changed=call.host not in known.get(group, ()), values=values)
    yield


def check_add_host(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments of ``add_host`` that don't depend on the host."""
    if written.arguments.get("name") == "":
        yield "name", "it has to be the name of a host."


ACTIONS = (
    Action(
        name="add_host",
        foreground=True,
        perform=perform_add_host,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.ARGUMENTS, fact_names=("ansible_ssh_port",), inventory=True),
        help="Add a host to the inventory, for the plays that follow",
        arguments=(
            Argument(name="name", required=True, aliases=("host", "hostname"), help="The host, perhaps with :PORT"),
            Argument(name="groups", type=list, default=[], aliases=("group", "groupname"), help="Its groups"),
        ),
        open_arguments=True,
        check=check_add_host,
        once=True,
    ),
    Action(
        name="group_by",
        foreground=True,
        perform=perform_group_by,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, inventory=True),
        help="Put each host in a group, for the plays that follow",
        arguments=(
            Argument(name="key", required=True, help="The group"),
            Argument(name="parents", type=list, default=["all"], help="Groups that contain that group"),
        ),
    ),
)
