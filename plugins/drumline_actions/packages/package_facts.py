"""``package_facts``: the packages that a host has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, Platform, Result, Sets, Steps, Traits
from drumline.plugin.kit import HostAnswer, Script, ask

_FACTS = Script.beside(__file__, "facts")
_SAME = {"dnf": "rpm", "dnf5": "rpm", "yum": "rpm", "zypper": "rpm"}
_KNOWN = ("apt", "rpm", "apk", "pacman")


def perform(call: Call) -> Steps:
    managers = [_SAME.get(str(name).lower(), str(name).lower()) for name in call["manager"]]
    unknown = [name for name in managers if name not in (*_KNOWN, "auto")]
    if unknown and len(unknown) == len(managers):
        raise ActionFailed(f"Packages of {', '.join(unknown)} can't be listed; those of {', '.join(_KNOWN)} can")
    first = call["strategy"] == "first"
    answer = yield from ask(call, _FACTS, main=True, most=16 << 20, managers=" ".join(managers), first=first)
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in _packages(answer):
        packages.setdefault(package["name"], []).append(package)
    if not packages:
        raise ActionFailed("Could not detect a supported package manager from the following list: " + ", ".join(_KNOWN))
    return Result(facts={"packages": packages})


def _packages(answer: HostAnswer) -> Iterator[dict[str, Any]]:
    for line in answer.get("apt", "").splitlines():
        status, name, version, arch, section = line.split("\t")
        if status[1:2] == "i":
            yield {"name": name, "version": version, "arch": arch, "category": section, "source": "apt"}
    for line in answer.get("rpm", "").splitlines():
        name, version, release, epoch, arch = line.split("\t")
        number = int(epoch) if epoch.isdecimal() else None
        said = {"name": name, "version": version, "release": release, "epoch": number}
        yield said | {"arch": None if arch == "(none)" else arch, "source": "rpm"}
    for line in answer.get("apk", "").splitlines():
        name, version, release = line.rsplit("-", 2)
        yield {"name": name, "version": f"{version}-{release}", "source": "apk"}
    for line in answer.get("pacman", "").splitlines():
        name, version = line.split()
        yield {"name": name, "version": version, "source": "pacman"}


ACTIONS = (
    Action(
        name="package_facts",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.FACTS, fact_names=("packages",)),
        help="List the packages of the host",
        arguments=(
            Argument(name="manager", type=list, default=["auto"], help="apt, rpm, apk or pacman; default: all"),
            Argument(
                name="strategy", default="first", choices=("all", "first"), help="All, or the first that is there"
            ),
        ),
        platforms=(Platform.POSIX,),
    ),
)
