"""``service_facts``: all services of a host, with their states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from drumline.plugin import Action, Call, Checks, Effect, Platform, Result, Sets, Steps, Traits
from drumline.plugin.kit import Script, ask

_FACTS = Script.beside(__file__, "facts")
#: What systemctl says where a service isn't what it seems.
_BAD = ("not-found", "masked", "failed")
_Services: TypeAlias = dict[str, dict[str, Any]]


def perform(call: Call) -> Steps:
    answer = yield from ask(call, _FACTS, main=True, most=4 * 1024 * 1024, anyway=False)
    services = (
        _of_scripts(answer.get("sysv", ""))
        | _of_openrc(answer.get("openrc", ""))
        | _of_systemd(answer.get("units", ""), answer.get("unit_files", ""), answer.get("states", ""))
    )
    return Result(facts={"services": services})


def _of_scripts(text: str) -> _Services:
    found = re.finditer(r"^\s*\[ ([+-]) \]\s+(.+)$", text, re.MULTILINE)
    return {
        name: _service(name, "running" if mark == "+" else "stopped", "sysv")
        for mark, name in (m.groups() for m in found)
    }


def _of_openrc(text: str) -> _Services:
    found = re.finditer(r"^\s*(\S+)\s+\[\s*(\w+).*\]\s*$", text, re.MULTILINE)
    states = {"started": "running"}
    return {name: _service(name, states.get(state, state), "openrc") for name, state in (m.groups() for m in found)}


def _of_systemd(units: str, files: str, states: str) -> _Services:
    services = dict(_units(units))
    active = {}
    for part in re.split(r"\n\n+", states):
        said = dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
        active[said.get("Id", "")] = said.get("ActiveState", "unknown")
    for name, status in re.findall(r"^(\S+\.service)\s+(\S+)", files, re.MULTILINE):
        if name not in services:
            state = active.get(name, "unknown")
            services[name] = _service(name, state, "systemd", status)
        elif services[name]["status"] not in _BAD:
            services[name]["status"] = status
    return services


def _units(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of ``list-units``: unit, load, active, sub, description."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4 or not fields[0].endswith(".service"):
            continue
        status = next((bad for bad in _BAD if bad in fields[:-1]), fields[2])
        state = "running" if fields[3] == "running" else "stopped"
        yield fields[0], _service(fields[0], state, "systemd", status)


def _service(name: str, state: str, source: str, status: str | None = None) -> dict[str, Any]:
    return {"name": name, "state": state, "source": source} | ({} if status is None else {"status": status})


ACTIONS = (
    Action(
        name="service_facts",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.FACTS, fact_names=("services",)),
        help="List the services of the host, with their states",
        platforms=(Platform.POSIX,),
    ),
)
